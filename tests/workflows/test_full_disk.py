"""The real command on a disk that fills up, is read-only, or takes no large files."""

import resource

import pytest

from bmtrain.checkpoint.read import verify_checkpoint
from tests.workflows.conftest import Run

GRAPH = "training.engine=graph"
#: Checkpoints of 0.8 MB, one after each epoch; none is dropped.
LARGE = (
    GRAPH,
    "model.hidden=[256, 256]",
    "training.epochs=8",
    "training.checkpoint={every_epochs: 1, keep: 100}",
)


def everything(run):
    return run.bits("checkpoint"), run.bits("best_checkpoint"), run.epochs_but_times


def test_a_disk_that_fills_up_costs_nothing_that_was_saved_and_with_room_the_run_goes_on(
    bmtrain, command, train, small_disk
):
    disk = small_disk("4M")
    path = disk.path / "run"
    ended = bmtrain("train", "points.yaml", *LARGE, "--run-dir", path, "--json")
    assert ended.exit_code == 6, ended.err
    error = ended.document["error"]
    assert error["message"] == "cannot save the checkpoint: the disk is full"
    assert error["where"].startswith(f"{path}/checkpoints/step-")
    assert error["hint"].startswith("free some space, or choose another place; then go on with: ")
    assert error["hint"].endswith(f"train {path} --resume")
    last_lines = ended.err.splitlines()[-2:]
    assert last_lines == [f"error: {error['where']}: {error['message']}", f"hint: {error['hint']}"]
    saved = sorted((path / "checkpoints").glob("step-*"))
    assert len(saved) >= 2
    for checkpoint in saved:
        verify_checkpoint(checkpoint)
    assert {entry.name for entry in (path / "checkpoints").iterdir()} == {
        *(checkpoint.name for checkpoint in saved),
        "index.json",
    }
    disk.fill()
    assert command("eval", path, "--json").exit_code == 0

    disk.remount("size=64M")
    resumed = command("train", path, "--resume", "--json")
    assert resumed.exit_code == 0, resumed.err
    assert everything(Run(path, resumed)) == everything(train(*LARGE))


@pytest.mark.parametrize("leaving_kb", [0, 4, 8, 16, 32, 40])
def test_wherever_the_disk_is_full_the_end_is_clear_and_the_next_start_completes(
    command, small_disk, leaving_kb
):
    disk = small_disk("2M")
    path = disk.path / "run"
    words = ("train", "points.yaml", GRAPH, "--run-dir", path, "--resume-if-possible")
    ballast = disk.fill(leaving=leaving_kb * 1024)
    ended = command(*words, "--json")
    assert ended.exit_code == 6, ended.err
    assert ended.document["error"]["message"].endswith(": the disk is full")
    assert "Traceback" not in ended.err
    for checkpoint in path.glob("checkpoints/step-*"):
        verify_checkpoint(checkpoint)
    ballast.unlink()
    again = command(*words, "--json")
    assert again.exit_code == 0, again.err
    assert not [entry for entry in path.rglob(".*") if entry.name != ".lock"]


def files_in(path):
    return {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}


def test_on_a_read_only_disk_nothing_is_trained_or_changed_and_eval_works(command, small_disk):
    disk = small_disk("2M")
    path = disk.path / "run"
    assert command("train", "points.yaml", GRAPH, "--run-dir", path).exit_code == 0
    before = files_in(disk.path)
    disk.remount("ro")
    for words in (
        (path, "training.epochs=4", "--resume"),
        ("points.yaml", "--run-dir", path),
        ("points.yaml", "--run-dir", disk.path / "other" / "run"),
    ):
        ended = command("train", *words, "--json")
        assert ended.exit_code == 6, ended.err
        error = ended.document["error"]
        assert error["message"].endswith("the run directory: the file system is read-only")
        assert error["hint"] == "choose a place that can be written to"
    assert command("eval", path, "--json").exit_code == 0
    assert files_in(disk.path) == before


def test_a_limit_on_the_size_of_files_is_told_and_costs_nothing_that_was_saved(
    train, command, monkeypatch
):
    """As ``ulimit -f`` has it, or a file system that takes no larger ones."""
    from bmtrain.workflows.training.saving import Saver

    real, before = Saver.after_epoch, resource.getrlimit(resource.RLIMIT_FSIZE)

    def after_epoch(self, state, **figures):
        if state.epoch == 3:
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
        return real(self, state, **figures)

    with monkeypatch.context() as patch:
        patch.setattr(Saver, "after_epoch", after_epoch)
        try:
            run = train(*LARGE)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert run.ended.exit_code == 6
    message = "cannot save the checkpoint: the file is larger than is allowed here"
    assert run.ended.document["error"]["message"] == message
    assert len(list(run.path.glob("checkpoints/*"))) == 3  # two, and the index
    assert command("eval", run.path, "--json").exit_code == 0
