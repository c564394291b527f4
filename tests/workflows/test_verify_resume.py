"""verify-resume through the real command: what it proves, and that it finds what is broken."""

import json
import os
import signal
import subprocess
import sys

import pytest

from bmtrain.errors import BmtrainError, EnvironmentFault, Interrupted
from bmtrain.workflows.killing import Aim, watch
from bmtrain.workflows.observed_training import ObservedTraining
from bmtrain.workflows.verify_resume import VerifyRequest, _Trial, removed_or_told

#: Loaded by every Python below: a resume forgets the optimizer's variables.
FORGETFUL = """\
import sys
from importlib.abc import MetaPathFinder
from importlib.util import find_spec


class Breaker(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name != "bmtrain.workflows.training.execution":
            return None
        sys.meta_path.remove(self)
        from bmtrain.workflows.session import Session

        real = Session.restore
        Session.restore = lambda self, weights, optimizer=None: real(self, weights)
        return find_spec(name)


sys.meta_path.insert(0, Breaker())
"""
SHORT = ("training.epochs=2", "training.engine=graph")


def test_a_killed_run_is_found_identical_and_nothing_is_left(bmtrain, tmp_path):
    ended = bmtrain(
        *("verify-resume", "points.yaml", *SHORT, "--kills", "3", "--json"),
        BMTRAIN_RUNS=str(tmp_path),
    )
    assert ended.exit_code == 0, ended.out + ended.err
    document = ended.document
    assert document["verdict"] == "identical"
    assert sum(document["kills"].values()) == 3
    assert document["runs_compared"] >= 1
    assert document["first_difference"] is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_a_resume_that_forgets_the_optimizer_is_found_and_the_runs_are_kept(bmtrain, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(FORGETFUL)
    ended = bmtrain(
        *("verify-resume", "points.yaml", "training.epochs=3", SHORT[1], "--kills", "8"),
        BMTRAIN_RUNS=str(tmp_path / "runs"),
        PYTHONPATH=str(tmp_path),
    )
    assert ended.exit_code == 4, ended.out + ended.err
    assert ended.out.startswith("different  ")
    (kept,) = (tmp_path / "runs").iterdir()
    assert (kept / "undisturbed" / "metrics.jsonl").is_file()
    assert str(kept) in ended.out


def test_a_config_that_cannot_be_trained_ends_as_train_would(bmtrain, tmp_path):
    words = ("verify-resume", "points.yaml", "data.label=nosuch", "--json")
    ended = bmtrain(*words, BMTRAIN_RUNS=str(tmp_path))
    assert ended.exit_code == 3
    assert "nosuch" in ended.document["error"]["message"]
    assert list(tmp_path.iterdir()) == []
    assert bmtrain("verify-resume", "points.yaml", "nmae=x").exit_code == 2


@pytest.mark.parametrize("words", [(), ("--keep",)])
def test_an_interrupted_proof_leaves_nothing_or_says_where_it_is(
    environment, project, tmp_path, wait_for, words
):
    process = subprocess.Popen(
        [sys.executable, "-m", "bmtrain", "verify-resume", "points.yaml", *SHORT, *words, "--json"],
        cwd=project,
        env=environment | {"BMTRAIN_RUNS": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for(lambda: list(tmp_path.glob("*/undisturbed/config.yaml")), process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, err
    assert "Traceback" not in err
    (error,) = [json.loads(out)["error"]]
    if words:
        (kept,) = tmp_path.iterdir()
        assert error["hint"] == f"the runs so far are in {kept}"
        assert f"\nthe runs so far are in {kept}\n" in err
    else:
        assert list(tmp_path.iterdir()) == []
        assert error["hint"] is None


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize(
    ("error", "is_removed"),
    [
        (Interrupted("hung up", signal_number=1), True),
        (KeyboardInterrupt(), True),
        (GeneratorExit(), True),
        (EnvironmentFault("the disk is full", hint="free some space"), False),
        (MemoryError(), False),
        (AssertionError("a bug"), False),
    ],
)
def test_what_a_proof_that_ends_early_leaves(tmp_path, keep, error, is_removed):
    directory = tmp_path / "runs"
    (directory / "undisturbed").mkdir(parents=True)
    with pytest.raises(BaseException) as caught, removed_or_told(directory, keep=keep):  # noqa: PT011  # each kind of it
        raise error
    assert directory.exists() == (keep or not is_removed)
    if directory.exists() and not isinstance(error, GeneratorExit | AssertionError):
        assert isinstance(caught.value, BmtrainError)
        assert (caught.value.hint or "").endswith(f"the runs so far are in {directory}")


@pytest.mark.parametrize(
    ("phases", "verdict", "exit_code"),
    [
        ({"training": 6, "saving": 2, "evaluating": 2}, "identical", 0),
        ({"training": 5, "saving": 2, "evaluating": 3}, "unproven", 4),
        ({"starting": 10}, "unproven", 4),
    ],
)
def test_too_few_kills_in_training_or_saves_prove_nothing(tmp_path, phases, verdict, exit_code):
    trial = _Trial(VerifyRequest(config=tmp_path), tmp_path)
    trial.phases.update(phases)
    summary = trial.summary()
    assert (summary["verdict"], summary["exit_code"]) == (verdict, exit_code)


class Child:
    """A process that has told its phases already, and dies when it is killed."""

    def __init__(self, told, *, lives):
        reading, self.writing = os.pipe()
        os.write(self.writing, told)
        if not lives:
            os.close(self.writing)
        self.phases = os.fdopen(reading, "rb", buffering=0)
        self.is_killed = False

    def kill(self):
        self.is_killed = True
        os.close(self.writing)

    def wait(self):
        return -9 if self.is_killed else 0


def watched(told, aim, *, lives=True):
    child = Child(told, lives=lives)
    observed = ObservedTraining(child, child.phases)  # type: ignore[arg-type]  # no process
    seen = watch(observed, aim)
    child.phases.close()
    assert child.is_killed == lives
    return seen.killed_in


@pytest.mark.parametrize(
    ("told", "aim", "phase"),
    [
        (b"t", Aim(b"t", 1, 0.0), "training"),
        (b"ttw", Aim(b"w", 1, 0.0), "saving"),
        (b"twtw", Aim(b"w", 2, 0.01), "saving"),
        (b"twtwt", Aim(b"w", 2, 0.0), "training"),
        (b"twte", Aim(b"t", 1, 0.0), "evaluating"),
        (b"twted", Aim(b"t", 1, 0.0), None),
    ],
)
def test_the_phase_of_a_kill_is_the_last_that_was_told(told, aim, phase):
    assert watched(told, aim) == phase


def test_a_training_that_is_over_before_its_kill_was_not_killed():
    assert watched(b"twted", Aim(b"w", 5, 0.0), lives=False) is None
    assert watched(b"", None, lives=False) is None


def test_an_observed_training_tells_its_phases_in_their_order(project, environment, tmp_path):
    from bmtrain.workflows.observed_training import start_observed

    with (tmp_path / "said").open("wb") as errors:
        words = (*SHORT, "training.checkpoint.every_steps=10")
        child = start_observed(
            project / "points.yaml", words, tmp_path / "run", errors, start="if_possible"
        )
        told = child.phases.read()
        while news := child.phases.read():
            told += news
        assert child.process.wait() == 0
        child.phases.close()
    assert told.startswith(b"t")
    assert told.endswith(b"ed")
    assert told.count(b"w") >= 4  # 48 steps: at 10, 20, 30, 40, and at the end
    assert b"ww" not in told
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["status"] == "completed"
