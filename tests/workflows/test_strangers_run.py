"""``train RUN --resume`` in a stranger's run: what is recorded there is checked, never relied upon."""

import json
import shutil

import pytest

PLATEAU = {"best": None, "waited": 0, "cooldown": 0, "reductions": 0}
SUMS = {"examples": 24.0, "loss": 1.0, "penalty": 0.1, "accuracy": 3.0}


@pytest.fixture
def run(trained, tmp_path):
    """A copy of a run of three epochs, 24 steps each; to be changed."""
    path = tmp_path / "run"
    shutil.copytree(trained("graph", "training.engine=graph").path, path)
    return path


@pytest.fixture
def resumed(command, run):
    def resume(*words):
        return command("train", run, *words, "--resume", "--json")

    return resume


def checkpoints(run):
    return sorted((run / "checkpoints").glob("step-*"))


def contents(run):
    """All that a refused resume must leave as it was."""
    said = {run / ".lock", run / "log.txt"}
    return {
        path: path.read_bytes() for path in run.rglob("*") if path.is_file() and path not in said
    }


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"step_in_epoch": 24, "accumulators": SUMS}, "step 24 of an epoch of 24 steps"),
        ({"step_in_epoch": 2**62, "accumulators": SUMS}, "of an epoch of 24 steps"),
        ({"step": 2}, "step 2 after 3 epochs and 0 steps"),
        ({"accumulators": SUMS}, "sums over accuracy, examples, loss, penalty"),
        ({"step_in_epoch": 3}, "sums over nothing"),
        ({"step_in_epoch": 3, "accumulators": {"loss": 1.0}}, "sums over loss"),
        ({"step_in_epoch": 3, "accumulators": SUMS | {"examples": 0}}, "sums over 0 examples"),
        ({"step_in_epoch": 3, "accumulators": SUMS | {"examples": 1e300}}, "over 1e+300 ex"),
        ({"step_in_epoch": 3, "accumulators": SUMS | {"penalty": -1}}, "of penalty is negative"),
        ({"best_step": None}, "half a best epoch"),
        ({"best_epoch": 4}, "its best is epoch 4"),
        ({"best_epoch": 0}, "its best is epoch 0"),
        ({"plateau": PLATEAU | {"reductions": 1}}, "its learning rate follows no figure"),
    ],
)
def test_a_state_that_the_run_cannot_have_been_in_is_refused(run, resumed, forger, state, words):
    for path in checkpoints(run):
        forger.change(path, "state", **state)
    before = contents(run)
    ended = resumed("training.epochs=4")
    assert ended.exit_code == 7
    assert ended.document["error"]["message"].startswith("its state is none of this run's: ")
    assert words in ended.document["error"]["message"]
    assert contents(run) == before


def test_a_log_of_another_length_in_epochs_is_refused(run, resumed, forger):
    (run / "summary.json").unlink()
    forger.change(checkpoints(run)[-1], "state", epoch=2**60, step=2**61)
    ended = resumed()
    assert ended.exit_code == 7
    message = f"it has 3 epochs, the checkpoint was made after {2**60}"
    assert ended.document["error"]["message"] == message


@pytest.mark.parametrize(
    "change",
    [
        {"metrics": []},
        {"metrics": {"test": []}},
        {"metrics": {"test": {"loss": "0.1"}}},
        {"metrics": {"test": {"loss": 10**400}}},
        {"evaluated": "best"},
        {"evaluated": {"which": "best"}},
        {"evaluated": {"which": "best", "epoch": 1, "monitor": []}},
        {"timing": None},
        {"timing": {"total_s": "long"}},
        {"steps_completed": None},
        {"epochs_completed": "3"},
    ],
)
def test_a_summary_that_is_none_is_made_again(run, resumed, change):
    before = json.loads((run / "summary.json").read_text())
    (run / "summary.json").write_text(json.dumps(before | change))
    ended = resumed()
    assert ended.exit_code == 0, ended.err
    assert ended.document["metrics"] == before["metrics"]
    again = json.loads((run / "summary.json").read_text())
    assert again["metrics"] == before["metrics"]
    assert again["epochs_completed"] == 3


def test_what_is_shown_of_a_finished_run_is_judged_and_placed_anew(run, resumed):
    """Its expectations, its exit code and its place are not the file's to say."""
    summary = json.loads((run / "summary.json").read_text())
    hostile = {"expectations": 7, "exit_code": "x", "run_dir": "; rm -rf ~", "extra": [[]]}
    (run / "summary.json").write_text(json.dumps(summary | hostile))
    ended = resumed()
    assert ended.exit_code == 0
    assert ended.document["run_dir"] == str(run)
    assert ended.document["expectations"] == []


def test_earlier_starts_that_are_no_list_are_left_out(run, resumed):
    document = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(document | {"earlier": 5}))
    assert resumed("training.epochs=4").exit_code == 0
    again = json.loads((run / "run.json").read_text())
    assert [start["git"] for start in again["earlier"]] == [document["git"]]
    assert again["git"] is None


def test_a_refusal_of_many_differences_is_short(run, resumed, forger):
    for path in checkpoints(run):
        forger.change(path, "engine", **{f"x{i}": "y" * 1000 for i in range(80)})
    error = resumed("training.epochs=4").document["error"]
    assert "and 30 more" in error["message"]
    assert len(error["message"]) < 8000
