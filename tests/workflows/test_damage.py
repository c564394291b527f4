"""A checkpoint that is damaged or was moved away: what is good is used, and it is said."""

from pathlib import Path

import pytest

SAVED_OFTEN = ("training.epochs=4", "training.checkpoint.every_epochs=1")


@pytest.fixture
def run(run_of):
    """The last checkpoint is the best; the one before it was the best until then."""
    run = run_of(*SAVED_OFTEN)
    assert run.summary["best_checkpoint"] == run.summary["checkpoint"]
    return run


def flip_last_bit(checkpoint: Path) -> None:
    model = checkpoint / "model.safetensors"
    content = bytearray(model.read_bytes())
    content[-1] ^= 1
    model.write_bytes(content)


def move_away(checkpoint: Path) -> None:
    checkpoint.rename(checkpoint.parents[2] / "moved")


@pytest.mark.parametrize("harm", [flip_last_bit, move_away])
def test_eval_and_predict_use_the_one_before_and_do_not_call_it_the_best(
    run, command, project, harm
):
    best = run.checkpoint("best_checkpoint")
    before = sorted(best.parent.glob("step-*"))[-2]
    harm(best)
    ended = command("eval", run.path, "--json")
    assert ended.exit_code == 0
    assert (ended.document["checkpoint"], ended.document["which"]) == (str(before), "last")
    words = "is named by index.json and is missing" if harm is move_away else "damaged: tensor"
    (skipped,) = ended.document["skipped"]
    assert best.name in skipped
    assert words in skipped
    assert f"warning: {skipped}" in ended.err
    predicted = command("predict", run.path, project / "points.csv", "--json")
    assert predicted.document["skipped"] == [skipped]
    assert f"warning: {skipped}" in predicted.err


def everything(run):
    return run.bits("checkpoint"), run.bits("best_checkpoint"), run.epochs_but_times


@pytest.mark.parametrize("harm", [flip_last_bit, move_away])
def test_resume_goes_on_from_the_one_before_to_the_same_bits_and_says_so(run, command, harm):
    whole = everything(run)
    best = run.checkpoint("best_checkpoint")
    harm(best)
    ended = command("train", run.path, "--resume", "--json")
    assert ended.exit_code == 0, ended.err
    assert everything(run) == whole
    assert "passed over" in ended.err
    assert best.name in ended.err
    # What is there now is what the index names.
    assert command("eval", run.path, "--json").document["which"] == "best"
