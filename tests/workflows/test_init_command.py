"""``bmtrain init``: recipes, the files it writes and leaves alone, and how it ends."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from bmtrain.config.load import load_config
from bmtrain.errors import BmtrainError, DataError, EnvironmentFault, UsageError
from bmtrain.workflows.check import CheckRequest, check
from bmtrain.workflows.init import InitRequest, init, list_recipes

ROOT = Path(__file__).parents[2]
MARK = "# yaml-language-server: $schema="
BINARY = "a,b,y\n" + "1.5,2,0\n2.5,7,1\n0.5,3,0\n" * 20
TEXTS = "a,word,species\n" + "".join(f"{i * 0.7:.1f},w{i},{'abc'[i % 3]}\n" for i in range(90))
GAP = "a,b,target\n" + "".join(
    f"{i * 0.7:.1f},{'x' if i == 5 else i % 7},{i % 2}\n" for i in range(70)
)


@pytest.fixture
def start(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.csv").write_text(BINARY)

    def run(**request):
        return init(InitRequest(data=Path("mine.csv"), **request))

    return run


def test_a_file_that_is_there_is_left_alone_unless_forced(start, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text("mine")
    config.chmod(0o600)
    (tmp_path / "mine.csv").write_text("")  # it is not even looked at
    with pytest.raises(EnvironmentFault, match="exists already, and was left as it is"):
        start()
    assert config.read_text() == "mine"
    assert not (tmp_path / ".bmtrain-schema.json").exists()
    (tmp_path / "mine.csv").write_text(BINARY)
    start(force=True)
    assert config.read_text().startswith(MARK)
    assert stat.S_IMODE(config.stat().st_mode) == 0o600


def test_a_link_that_leads_nowhere_is_there_too(start, tmp_path):
    (tmp_path / "config.yaml").symlink_to("nowhere")
    with pytest.raises(EnvironmentFault, match="exists already"):
        start()


def test_a_file_of_another_s_under_the_schema_s_name_is_left_alone(start, tmp_path):
    schema = tmp_path / ".bmtrain-schema.json"
    schema.write_text("{}")
    with pytest.raises(EnvironmentFault, match="another file has its name"):
        start()
    assert schema.read_text() == "{}"
    assert not (tmp_path / "config.yaml").exists()
    schema.unlink()
    start()
    ours = schema.read_text()
    schema.write_text(ours.replace('"title": "ExperimentConfig"', '"title": "of an older version"'))
    start(force=True)
    assert schema.read_text() == ours


@pytest.mark.parametrize(
    ("request_", "error", "words"),
    [
        ({}, UsageError, "expected a recipe or --data"),
        ({"recipe": "mnist", "data": Path("x.csv")}, UsageError, "not both"),
        ({"recipe": "mnist", "label": "y"}, UsageError, "about --data"),
        ({"recipe": "mnsit"}, UsageError, "did you mean 'mnist'"),
        ({"recipe": "mnist-l2"}, UsageError, "did you mean 'mnist_l2'"),
        ({"recipe": "configs/mnist.yaml"}, UsageError, "did you mean 'mnist'"),
        ({"recipe": "x.csv"}, UsageError, "init --data x.csv"),
        (
            {"recipe": "zzz"},
            UsageError,
            "the recipes are: augmented, bikeshare, digits, digits_cnn, digits_vit, gradient_descent",
        ),
        ({"recipe": "mnist", "output": Path("no/config.yaml")}, UsageError, "no directory 'no'"),
        ({"recipe": "mnist", "output": Path()}, UsageError, "is a directory"),
        ({"data": Path("absent.csv")}, DataError, "absent.csv"),
        ({"data": Path("mnist")}, DataError, "init mnist"),
    ],
)
def test_what_cannot_be_started_is_told_with_what_to_do(
    tmp_path, monkeypatch, request_, error, words
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error) as caught:
        init(InitRequest(**request_))
    assert words in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_each_recipe_is_listed_as_its_header_says_and_written_as_it_is(tmp_path):
    listed = {recipe["name"]: recipe for recipe in list_recipes()["recipes"]}
    paths = {path.stem: path for path in (ROOT / "configs").glob("*.yaml")}
    assert listed.keys() == paths.keys()
    for name, path in paths.items():
        text = path.read_text(encoding="utf-8")
        header = " ".join(text[: text.index("\nname:")].replace("#", " ").split())
        assert listed[name]["about"] in header
        assert f"About {listed[name]['time_s']} s on {listed[name]['cores']} CPU cores" in header
        ((figure, value),) = listed[name]["result"].items()
        assert figure.startswith("test.")
        assert re.search(rf"[Tt]est {figure.removeprefix('test.')}[\w: ]* {value}", header)
        config = tmp_path / f"{name} of mine.yaml"
        init(InitRequest(recipe=name, output=config))
        assert load_config(config).experiment == load_config(path).experiment
        assert f"bmtrain train '{config}'" in config.read_text()
        jsonschema.Draft202012Validator(
            json.loads(
                (tmp_path / config.read_text().splitlines()[0].removeprefix(MARK)).read_text()
            )
        ).validate(yaml.safe_load(config.read_text(encoding="utf-8")))


def test_the_bundled_data_is_listed_with_its_licence(bmtrain, tmp_path):
    ended = bmtrain("init", "--list", "--json", directory=tmp_path)
    listed = {bundled.pop("name"): bundled for bundled in ended.document["data_sets"]}
    assert listed["penguins"] == {
        "about": "Measurements of penguins of 3 species; two columns of categories, missing values",
        "task": "classification",
        "examples": 344,
        "size": "7 columns",
        "label": "species",
        "licence": "CC0 1.0",
        "source": "Gorman, Williams, Fraser 2014; Horst, Hill, Gorman 2020",
    }
    assert listed["mnist"]["label"] is None
    assert {data["task"] for data in listed.values()} == {"classification", "regression"}
    shown = bmtrain("init", "--list", directory=tmp_path).out
    line = [line for line in shown.splitlines() if line.startswith("splice ")][-1]
    assert "3,004 examples, 60 letters each, classification, label junction. CC BY 4.0." in line


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("pbmc", "the bundled set has a recipe: bmtrain init pbmc"),
        ("splice", "the bundled set has a recipe: bmtrain init splice"),
    ],
)
def test_a_bundled_set_that_is_looked_for_as_a_file_is_told_of(tmp_path, monkeypatch, name, hint):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError) as caught:
        init(InitRequest(data=Path(name)))
    assert caught.value.hint == hint


def test_a_recipe_needs_no_file_beside_it():
    for path in (ROOT / "configs").glob("*.yaml"):
        written = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert "extends" not in written
        assert written["data"]["source"].isidentifier(), path


@pytest.mark.parametrize("content", [b"\x93NUMPY garbage", b"PK\x03\x04", os.urandom(2000)])
@pytest.mark.parametrize("suffix", [".csv", ".npz"])
def test_damaged_files_are_the_data_layer_s_own_errors(tmp_path, content, suffix):
    (tmp_path / f"x{suffix}").write_bytes(content)
    with pytest.raises(BmtrainError) as caught:
        init(InitRequest(data=tmp_path / f"x{suffix}", output=tmp_path / "config.yaml"))
    assert caught.value.exit_code == 3
    assert not (tmp_path / "config.yaml").exists()


def test_a_pipe_is_refused(tmp_path, nothing_hangs):
    os.mkfifo(tmp_path / "x.csv")
    with pytest.raises(DataError, match="expected a file"):
        init(InitRequest(data=tmp_path / "x.csv", output=tmp_path / "config.yaml"))


def test_the_config_on_stdout_is_the_config_and_nothing_is_written(bmtrain, tmp_path):
    (tmp_path / "mine.csv").write_text(TEXTS)
    ended = bmtrain("init", "--data", "mine.csv", "-o", "-", directory=tmp_path)
    assert ended.exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["mine.csv"]
    assert "label     species" in ended.err
    assert "bmtrain schema > .bmtrain-schema.json" in ended.err
    (tmp_path / "mine.yaml").write_text(ended.out)
    assert list(check(CheckRequest(config=tmp_path / "mine.yaml")))
    quiet = bmtrain("init", "--data", "mine.csv", "-o", "-", "--quiet", directory=tmp_path)
    assert (quiet.out, quiet.err) == (ended.out, "")


@pytest.mark.parametrize(("words", "said"), [((), "looking at big.csv…\n"), (("--json",), "")])
def test_what_is_looked_at_is_told_before_it_is_read(command, monkeypatch, capfd, words, said):
    """A pipe's reader would else have nothing for as long as a large file takes."""
    seen = []

    def look(request):
        seen.append(capfd.readouterr().err)
        raise DataError("enough seen", where=str(request.data))

    monkeypatch.setattr("bmtrain.workflows.init.init", look)
    assert command("init", "--data", "big.csv", *words).exit_code == 3
    assert seen == [said]


def test_what_is_left_out_for_its_cells_is_told_under_quiet_too(bmtrain, tmp_path):
    (tmp_path / "mine.csv").write_text(GAP)
    ended = bmtrain("init", "--data", "mine.csv", "--quiet", directory=tmp_path)
    assert (ended.exit_code, ended.out) == (0, "")
    assert "warning: column 'b' is left out: 1 cell is no usable number ('x' in line 7" in ended.err


@pytest.mark.parametrize("quiet", [False, True])
def test_a_table_without_a_header_is_told_of(bmtrain, tmp_path, quiet):
    (tmp_path / "mine.csv").write_text(BINARY.partition("\n")[2])
    words = ["init", "--data", "mine.csv", *(["--quiet"] if quiet else [])]
    ended = bmtrain(*words, directory=tmp_path)
    told = "line 1 looks like an example and not like names ('1.5', '2', '0')"
    assert ended.exit_code == 0
    assert told in (ended.err if quiet else ended.out)
    (tmp_path / "mine.csv").write_text(BINARY)
    assert "line 1 looks" not in str(bmtrain(*words, "--force", directory=tmp_path))


def test_failures_have_their_document_and_exit_code(bmtrain, tmp_path):
    (tmp_path / "config.yaml").write_text("mine")
    cases = {("mnist",): 6, ("mnsit",): 2, ("--data", "absent.csv", "-o", "x.yaml"): 3, (): 2}
    for words, exit_code in cases.items():
        ended = bmtrain("init", *words, "--json", directory=tmp_path)
        assert (ended.exit_code, ended.document["exit_code"]) == (exit_code, exit_code)
        assert ended.document["error"]["message"]
    assert bmtrain("init", "--list", "mnist", directory=tmp_path).exit_code == 2


def test_looking_at_data_imports_no_tensorflow(tmp_path):
    (tmp_path / "mine.csv").write_text(TEXTS)
    code = (
        "import sys\nfrom bmtrain.cli.main import main\n"
        "code = main(['init', '--data', 'mine.csv', '--json'])\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\nsys.exit(code)"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
