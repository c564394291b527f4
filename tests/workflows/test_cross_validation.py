"""``train --folds K`` through the command: K runs and their mean, whole after any interruption."""

import json
import re
import shutil

import numpy as np
import pytest

from bmtrain.checkpoint.read import read_checkpoint
from bmtrain.errors import Interrupted
from bmtrain.events import EpochDone, FoldBegun
from bmtrain.workflows.cross_validation import FoldsRequest, cross_validate
from bmtrain.workflows.train import TrainRequest

SHORT = ("training.epochs=2", "training.engine=graph")


@pytest.fixture
def folds(command, tmp_path):
    """(words …) -> the directory of three folds, and how the command ended."""

    def run(*words):
        path = tmp_path / "folds"
        ended = command(
            "train", "points.yaml", *SHORT, "--folds", 3, "--run-dir", path, "--json", *words
        )
        return path, ended

    return run


@pytest.fixture(scope="session")
def trained_folds(bmtrain, make_once):
    """The directory of three folds that were trained once; read it."""

    def fill(directory):
        words = ("--folds", 3, "--run-dir", directory / "folds", "--json")
        ended = bmtrain("train", "points.yaml", *SHORT, *words)
        assert ended.exit_code == 0, ended.err
        assert ended.document == json.loads((directory / "folds" / "folds.json").read_text())

    return make_once("trained-folds", fill) / "folds"


@pytest.fixture
def own_folds(trained_folds, tmp_path):
    """A copy, to change."""
    return shutil.copytree(trained_folds, tmp_path / "folds")


def summaries(path):
    return [json.loads((path / f"fold-{k}" / "summary.json").read_text()) for k in (1, 2, 3)]


def test_the_mean_and_the_deviation_are_those_of_the_folds(trained_folds):
    path = trained_folds
    document = json.loads((path / "folds.json").read_text())
    for split in ("train", "validation", "test"):
        for name in ("loss", "accuracy"):
            values = [entry["metrics"][split][name] for entry in summaries(path)]
            assert document["metrics"][split][name] == pytest.approx(np.mean(values))
            assert document["deviations"][split][name] == pytest.approx(np.std(values, ddof=1))
    held = [entry["examples"] for entry in map(run_data, (path / f"fold-{k}" for k in (1, 2, 3)))]
    assert sorted(entry["validation"] for entry in held) == [82, 83, 83]
    assert all(sum(entry.values()) == 310 and entry["test"] == 62 for entry in held)
    assert len({entry["metrics"]["validation"]["loss"] for entry in summaries(path)}) == 3


def run_data(path):
    return json.loads((path / "run.json").read_text())["data"]


def test_expectations_are_about_the_mean(folds):
    path, ended = folds("--expect", "validation.accuracy >= 0.99999")
    assert ended.exit_code == 4
    (judged,) = ended.document["expectations"]
    assert judged["value"] == ended.document["metrics"]["validation"]["accuracy"]
    assert [entry["exit_code"] for entry in summaries(path)] == [0, 0, 0]


@pytest.mark.long
def test_a_fold_of_all_is_the_run_of_that_fold_alone_bit_for_bit(bmtrain, tmp_path):
    words = ("train", "points.yaml", "training.epochs=2")
    together = bmtrain(*words, "--folds", 2, "--run-dir", tmp_path / "all", "--quiet")
    alone = bmtrain(*words, "--fold", "2/2", "--run-dir", tmp_path / "one", "--quiet")
    assert (together.exit_code, alone.exit_code) == (0, 0), together.err + alone.err
    one, other = (
        read_checkpoint(max((path / "checkpoints").glob("step-*")))
        for path in (tmp_path / "all" / "fold-2", tmp_path / "one")
    )
    assert one.state == other.state
    for name, tensor in one.model.items():
        np.testing.assert_array_equal(tensor, other.model[name], err_msg=name)


def test_what_was_interrupted_goes_on_with_the_folds_that_are_left(
    trained_folds, command, project, tmp_path
):
    undisturbed = json.loads((trained_folds / "folds.json").read_text())
    broken = tmp_path / "broken"
    training = TrainRequest(config=project / "points.yaml", overrides=SHORT, run_dir=broken)
    events = cross_validate(FoldsRequest(num_folds=3, training=training))
    fold = 0
    for event in events:
        fold = event.number if isinstance(event, FoldBegun) else fold
        if fold == 2 and isinstance(event, EpochDone):
            break
    with pytest.raises(Interrupted, match="fold 2/3: ") as caught:
        events.throw(KeyboardInterrupt())
    assert f"train {broken} --resume" in (caught.value.hint or "")
    assert not (broken / "fold-3").exists()
    assert not (broken / "folds.json").exists()
    first = (broken / "fold-1" / "run.json").read_bytes()
    assert command("train", broken, "--folds", 3, "--resume").exit_code == 2
    ended = command("train", broken, "--resume", "--json")
    assert ended.exit_code == 0, ended.err
    assert ended.document["metrics"] == undisturbed["metrics"]
    assert (broken / "fold-1" / "run.json").read_bytes() == first


def test_another_setting_is_refused_and_nothing_is_lost(own_folds, folds, command):
    path = own_folds
    before = sorted(file.name for file in path.rglob("*"))
    ended = command("train", path, "--resume", "optimizer.learning_rate=0.5", "--json")
    assert ended.exit_code == 7
    assert ended.document["error"]["message"].startswith("fold 1/3: this is not the run as it was")
    assert sorted(file.name for file in path.rglob("*")) == before
    _, ended = folds()
    assert ended.exit_code == 6
    assert "the directory is not empty" in ended.document["error"]["message"]
    _, ended = folds("--resume-if-possible")
    assert ended.exit_code == 0


def test_runs_and_compare_take_the_folds_for_runs(own_folds, command):
    path = own_folds
    for directory in (path, path.parent):
        listed = command("runs", directory, "--json").document["runs"]
        assert [entry["run"] for entry in listed] == [str(path / f"fold-{k}") for k in (1, 2, 3)]
    ended = command("compare", path / "fold-1", path / "fold-2", "--json")
    assert ended.exit_code == 0
    assert "data.splits.fold" in json.dumps(ended.document)
    for words in (("eval", path), ("compare", path, path / "fold-1")):
        ended = command(*words, "--json")
        assert "fold-1" in ended.document["error"]["hint"]


def test_a_link_in_the_place_of_a_fold_is_not_followed(own_folds, command, tmp_path):
    path = own_folds
    (path / "fold-3").rename(tmp_path / "elsewhere")
    (path / "fold-3").symlink_to(tmp_path / "elsewhere")
    ended = command("train", path, "--resume", "--json")
    assert ended.exit_code == 7
    assert "a link takes the place of a run directory" in ended.document["error"]["message"]


def test_the_screen_shows_a_line_for_each_fold_and_the_mean(command, tmp_path):
    ended = command("train", "points.yaml", *SHORT, "--folds", 3, "--run-dir", tmp_path / "f")
    assert ended.exit_code == 0
    lines = [line for line in ended.err.splitlines() if re.match(r"fold \d/3 ", line)]
    assert [line.split()[1] for line in lines] == ["1/3", "2/3", "3/3"]
    assert "epoch 1/2" not in ended.err
    assert "mean +/- s.d. of 3 folds" in ended.out
    assert "validation" in ended.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--folds", 1), "expected a number >= 2"),
        (("--fold", "4/3"), "expected a fold from 1 to K of at least 2 (k/K), got 4/3"),
        (("--fold", "x"), "expected k/K, a fold from 1 to K of at least 2"),
        (("--fold", "1/2", "--folds", 2), "give --fold with a config"),
        (("--folds", 2, "--smoke"), "--smoke trains for itself"),
        (("--folds", 2, "--resume-if-possible"), "needs --run-dir"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_made(command, words, message):
    ended = command("train", "points.yaml", *words)
    assert ended.exit_code == 2
    assert message in " ".join(ended.err.split())


def test_more_folds_than_examples_are_told(command, tmp_path):
    ended = command("train", "points.yaml", "--folds", 400, "--run-dir", tmp_path / "f", "--json")
    assert ended.exit_code == 3
    assert "248 examples are too few for 400 folds" in ended.document["error"]["message"]


@pytest.fixture
def own(project, tmp_path):
    """(rows → rows, config → config) -> points.yaml beside a table of its own."""

    def write(rows=lambda rows: rows, config=lambda text: text):
        header, *lines = (project / "points.csv").read_text().splitlines()
        for name, kept in (("points.csv", rows(lines)), ("more.csv", lines[:40])):
            (tmp_path / name).write_text("\n".join([header, *kept]) + "\n")
        path = tmp_path / "points.yaml"
        path.write_text(config((project / "points.yaml").read_text()))
        return path

    return write


@pytest.fixture
def quiet(command, tmp_path):
    """What a training in silence says all the same, in one line."""

    def run(config, *words):
        run_dir = ("--run-dir", tmp_path / "run")
        ended = command("train", config, *SHORT, *words, *run_dir, "--quiet")
        assert ended.exit_code == 0, ended.err
        return " ".join(ended.err.split())

    return run


@pytest.mark.parametrize("words", [("--folds", 2), ("--fold", "1/2")])
def test_a_validation_file_that_the_folds_set_aside_is_told(own, quiet, words):
    path = own(config=lambda text: text.replace("validation: 0.2", "validation: ./more.csv"))
    told = quiet(path, *words)
    typed = " ".join(map(str, words))
    assert f"{path}:3:64: data.splits.validation: './more.csv' is set aside: {typed} " in told
    assert told.count("set aside") == 1


def test_a_fraction_that_the_folds_replace_is_not_worth_a_word(quiet):
    assert quiet("points.yaml", "--folds", 2) == ""


def test_a_fold_of_the_config_that_the_folds_set_aside_is_told(quiet):
    words = ("data.splits.validation=null", "data.splits.fold=2/5")
    told = quiet("points.yaml", *words, "--folds", 2)
    assert "warning: override 4: data.splits.fold: '2/5' is set aside: --folds 2 " in told


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--fold", "4/3"), "--fold: error: expected a fold from 1 to K of at least 2 (k/K)"),
        (("--fold", "1/400"), "--fold: error: 248 examples are too few for 400 folds"),
        (("--folds", 400), "--folds: error: 248 examples are too few for 400 folds"),
    ],
)
def test_what_is_wrong_with_the_folds_is_told_of_what_was_typed(command, tmp_path, words, line):
    ended = command("train", "points.yaml", *words, "--run-dir", tmp_path / "run")
    assert line in ended.err
    assert f"\n   | {words[1]}\n" in ended.err
    assert "override" not in ended.err


def test_warnings_of_the_config_have_the_places_that_the_user_wrote(own, quiet):
    stopping = "early_stopping: {monitor: validation.loss, patience: 9}"
    path = own(config=lambda text: text.replace("batch_size: 8", f"batch_size: 8, {stopping}"))
    told = quiet(path, "--folds", 2)
    assert f"warning: {path}:9:91: training.early_stopping.patience: patience 9 never" in told
    assert "folds.yaml" not in told


@pytest.mark.long
def test_what_is_first_told_of_a_later_fold_names_it(own, quiet):
    def with_few_that_go_up(rows):
        up = [row for row in rows if row.endswith("up")]
        return up[:5] + [row for row in rows if row not in up]

    told = quiet(own(rows=with_few_that_go_up), "--folds", 6)
    # Of 5 one is in the test split; 4 are in 4 of 6 folds.
    assert told.count("no validation example of class up") == 1
    assert re.search(r"warning: fold [2-6]/6: no validation example of class up", told)
