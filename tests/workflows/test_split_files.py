"""Files that ``data.splits`` names, through the commands: paths, origins, what is written down."""

import json
import shutil

import pytest
import yaml

from bmtrain.data.bundled import bundled_set

FILES = "splits: {validation: ./more/val.csv, test: ./more/test.csv}"


@pytest.fixture
def split_project(project, tmp_path):
    """points.csv in three files, and a config that names them from its own directory."""
    header, *rows = (project / "points.csv").read_text().splitlines(keepends=True)
    directory = tmp_path / "mine"
    (directory / "more").mkdir(parents=True)
    for name, part in (
        ("train", rows[:200]),
        ("more/val", rows[200:260]),
        ("more/test", rows[260:]),
    ):
        (directory / f"{name}.csv").write_text(header + "".join(part))
    text = (project / "points.yaml").read_text().replace("points.csv", "train.csv")
    old = "splits: {validation: 0.2, test: 0.2}"
    assert old in text
    (directory / "points.yaml").write_text(text.replace(old, FILES))
    return directory


@pytest.mark.long
def test_a_run_on_files_knows_and_finds_them_again(bmtrain, split_project, tmp_path):
    ended = bmtrain(
        "train", "mine/points.yaml", "--run-dir", tmp_path / "run", "--json", directory=tmp_path
    )
    assert ended.exit_code == 0, ended.err
    recorded = json.loads((tmp_path / "run" / "run.json").read_text())["data"]["examples"]
    assert recorded == {"train": 200, "validation": 60, "test": 50}
    config = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())
    more = split_project / "more"
    files = {"validation": str(more / "val.csv"), "test": str(more / "test.csv")}
    splits = config["data"]["splits"]
    assert {name: splits[name] for name in files} == files
    judged = bmtrain("eval", tmp_path / "run", "--json", directory=tmp_path)
    assert judged.exit_code == 0, judged.err
    assert judged.document["metrics"] == ended.document["metrics"]["test"]
    for file in files.values():
        assert file in " ".join(judged.err.split())  # told before it is opened
    resumed = bmtrain("train", tmp_path / "run", "--resume", "training.epochs=4", directory="/")
    assert resumed.exit_code == 0, resumed.err


def test_show_origin_tells_where_a_file_is_named(bmtrain, split_project, tmp_path):
    words = ("check", "mine/points.yaml", "--show-origin", "data.splits.test=./other.csv")
    listed = " ".join(bmtrain(*words, directory=tmp_path).out.split())
    assert f"validation: {split_project}/more/val.csv" in listed
    assert f"test: {tmp_path}/other.csv" in listed


def test_a_missing_file_is_exit_3_with_its_place_in_the_config(bmtrain, split_project, tmp_path):
    (split_project / "more" / "val.csv").rename(split_project / "more" / "vals.csv")
    words = ("train", "mine/points.yaml", "--run-dir", tmp_path / "run")
    ended = bmtrain(*words, directory=tmp_path)
    assert ended.exit_code == 3
    told = " ".join(ended.err.split())
    assert "mine/points.yaml:3" in told
    assert "did you mean" in told
    assert not (tmp_path / "run").exists()


def test_a_checkpoint_alone_reads_no_file_even_beside_a_bundled_set(command, tmp_path):
    """Whoever wrote the checkpoint chose the path."""
    own = tmp_path / "own.csv"
    shutil.copy(bundled_set("bikeshare").path, own)
    (tmp_path / "bikes.yaml").write_text(
        f"name: bikes\ndata: {{source: bikeshare, splits: {{test: {own}}}, "
        "features: [hr], train_examples: 100}\n"
        "model: {type: mlp, hidden: []}\nloss: mse\n"
        "optimizer: sgd\ntraining: {epochs: 1, batch_size: full, threads: 1, engine: graph}\n"
    )
    trained = command("train", tmp_path / "bikes.yaml", "--run-dir", tmp_path / "run", "--json")
    assert trained.exit_code == 0, trained.err
    shutil.move(trained.document["checkpoint"], tmp_path / "elsewhere")
    ended = command("eval", tmp_path / "elsewhere", "--json")
    assert ended.exit_code == 2
    assert str(own) in ended.document["error"]["hint"]


def test_runs_on_two_test_files_are_compared_if_their_examples_are_the_same(
    command, split_project, tmp_path
):
    more = split_project / "more"
    header, *rows = (more / "test.csv").read_text().splitlines(keepends=True)
    (more / "copy.csv").write_text(header + "".join(rows))
    (more / "other.csv").write_text(header + "".join([*rows[1:], rows[0]]))
    for name in ("test", "copy", "other"):
        test = f"data.splits.test={more}/{name}.csv"
        short = ("training.epochs=1", "training.engine=graph", f"--run-dir={tmp_path / name}")
        ended = command("train", split_project / "points.yaml", test, *short, "--quiet")
        assert ended.exit_code == 0, ended.err
    same = command("compare", tmp_path / "test", tmp_path / "copy")
    assert same.exit_code == 0, same.err
    assert "have the same accuracy on every test example" in " ".join(same.out.split())
    other = command("compare", tmp_path / "test", tmp_path / "other")
    assert (other.exit_code, other.out) == (3, "")
    assert "A and B were tested on different test sets" in " ".join(other.err.split())
    assert "--metric validation.loss" in " ".join(other.err.split())
    beside = ("--metric", "validation.loss")
    assert command("compare", tmp_path / "test", tmp_path / "other", *beside).exit_code == 0
