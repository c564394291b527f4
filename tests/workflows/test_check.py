"""``bmtrain check`` through the command: sections in order, nothing trained, no TensorFlow."""

import subprocess
import sys

import pytest

from bmtrain.config.load import load_config
from bmtrain.data.checks.finding import Finding
from bmtrain.errors import BmtrainError
from bmtrain.workflows.check import CheckRequest, check
from bmtrain.workflows.checking.section import Section, placed


@pytest.fixture
def sections(project):
    def run(*overrides):
        request = CheckRequest(config=project / "points.yaml", overrides=overrides)
        return {section.title: section.findings for section in check(request)}

    return run


def test_sections_come_in_order_each_as_soon_as_it_is_known(project):
    following = check(CheckRequest(config=project / "points.yaml"))
    assert [section.title for section in following] == [
        *("config", "data", "model", "cost", "environment")
    ]


def test_the_config_is_told_before_numpy_is_imported(project):
    code = (
        "import sys; from pathlib import Path\n"
        "from bmtrain.workflows.check import CheckRequest, check\n"
        "sections = check(CheckRequest(config=Path('points.yaml')))\n"
        "print(next(sections).title, 'numpy' in sys.modules)\n"
        "print(next(sections).title, 'numpy' in sys.modules)"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=project, capture_output=True, check=True, text=True
    )
    assert said.stdout == "config False\ndata True\n"


def test_a_sound_experiment_has_no_errors_and_tells_its_size(sections):
    found = sections()
    levels = {finding.level for findings in found.values() for finding in findings}
    assert "error" not in levels
    (model,) = [finding for finding in found["model"] if finding.level == "ok"]
    assert "5 layers, 91 parameters" in model.message
    assert "points.yaml is valid: experiment points" in found["config"][0].message


def test_what_is_rarely_meant_is_a_warning_in_its_section(sections):
    found = sections("training.early_stopping={patience: 9}")
    assert any(
        "patience 9 never ends" in f.message for f in found["config"] if f.level == "warning"
    )
    wide = "model={layers: [{type: dense, units: 7, activation: softmax}]}"
    found = sections(wide)
    (warning,) = [f for f in found["model"] if f.level == "warning"]
    assert "7 outputs for 3 classes" in warning.message


def test_checking_makes_no_run_and_needs_no_tensorflow(bmtrain, project, tmp_path):
    ended = bmtrain("check", project / "points.yaml", "--json", directory=tmp_path)
    assert ended.exit_code == 0, ended.err
    assert ended.document["counts"]["error"] == 0
    assert list(tmp_path.iterdir()) == []
    code = (
        "import sys\nfrom bmtrain.cli.main import main\n"
        "code = main(['check', 'points.yaml'])\n"
        "sys.exit(code or any(n in sys.modules for n in ('tensorflow', 'keras')))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=project, capture_output=True, check=False
    )
    assert said.returncode == 0, said.stderr


def until_the_error(project, *overrides):
    """Titles and stopped sections up to the error that is raised at the end, and that."""
    following = check(CheckRequest(config=project / "points.yaml", overrides=overrides))
    seen: list[Section] = []
    with pytest.raises(BmtrainError) as caught:
        seen.extend(following)  # keeps what came before the error
    return [section.title for section in seen], [s for s in seen if s.stopped], caught.value


@pytest.mark.parametrize(
    ("override", "titles", "exit_code"),
    [
        ("data.label=nothing", ["config", "data", "environment"], 3),
        (
            "model={layers: [{type: dense, units: 2, activation: softmax}]}",
            ["config", "data", "model", "environment"],
            3,
        ),
        (
            "model={type: mlp, hidden: [1000000, 1000000]}",
            ["config", "data", "model", "cost", "environment"],
            6,
        ),
    ],
)
def test_an_error_ends_what_stands_on_it_and_the_rest_is_shown(
    project, override, titles, exit_code
):
    seen, stopped, error = until_the_error(project, override)
    assert seen == titles
    (section,) = stopped
    assert section.title == titles[-2]
    assert section.exit_code == error.exit_code == exit_code
    assert error.message in next(f.message for f in section.findings if f.level == "error")


def test_check_and_train_end_alike_and_the_error_is_told_once_with_its_place(bmtrain, tmp_path):
    wrong = "model={layers: [{type: dense, units: 2, activation: softmax}]}"
    ended = bmtrain("check", "points.yaml", wrong, "--json")
    trained = bmtrain("train", "points.yaml", wrong, "--json", "--run-dir", tmp_path / "run")
    assert ended.exit_code == trained.exit_code == 3
    assert ended.document["error"] == trained.document["error"]
    assert ended.document["counts"]["error"] == 1
    assert [section["title"] for section in ended.document["sections"]] == [
        *("config", "data", "model", "environment")
    ]
    github = bmtrain("check", "points.yaml", wrong, "--format", "github")
    assert github.out.count("::error") == 1


def test_findings_about_the_config_are_annotated_at_their_line(bmtrain):
    ended = bmtrain("check", "line.yaml", "training.threads=4000", "--format", "github")
    assert ended.exit_code == 0
    (line,) = [line for line in ended.out.splitlines() if "no test split" in line]
    assert line.startswith("::warning title=bmtrain,file=line.yaml,line=2,col=1,endColumn=5::data")
    assert "::warning title=bmtrain::override 1: training.threads: 4000 threads on" in ended.out


def test_only_what_deserves_a_look_has_a_place(project):
    origins = load_config(project / "points.yaml").origins
    key = ("training", "epochs")
    fine, doubtful = placed([Finding("ok", "x", key), Finding("warning", "y", key)], origins)
    assert fine.place is None
    assert doubtful.place is not None
    assert (doubtful.place.line, doubtful.place.key) == (9, "training.epochs")


def test_the_origins_are_in_the_document_and_on_the_screen(bmtrain):
    words = ("check", "points.yaml", "training.epochs=2", "--show-origin")
    document = bmtrain(*words, "--json").document
    assert {"key": "training.epochs", "value": 2, "origin": "override 1"} in document["origins"]
    assert {"key": "seed", "value": 3, "origin": "points.yaml:2"} in document["origins"]
    assert "  epochs: 2 " in (shown := bmtrain(*words).out)
    assert "# override 1\n" in shown
    assert "origins" not in bmtrain("check", "points.yaml", "--json").document
