"""What a user names, a run or a checkpoint, is found, or it is said why not."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bmtrain.checkpoint.content import Checkpoint
from bmtrain.checkpoint.find import find_checkpoint
from bmtrain.checkpoint.read import verify_checkpoint
from bmtrain.checkpoint.store import CheckpointStore
from bmtrain.errors import CheckpointError, EnvironmentFault, NewerFormat, UsageError

MakeCheckpoint = Callable[..., Checkpoint]


@pytest.fixture
def run(tmp_path: Path, make_checkpoint: MakeCheckpoint) -> Path:
    """A run with steps 10 (the best), 20 and 30."""
    (tmp_path / "run").mkdir()
    store = CheckpointStore(tmp_path / "run" / "checkpoints")
    for step in (10, 20, 30):
        store.save(make_checkpoint(step, best_step=10), best=step == 10)
    return tmp_path / "run"


def damage(run: Path, step: int) -> None:
    (run / "checkpoints" / f"step-000000{step}" / "manifest.json").write_bytes(b"{}")


def test_of_a_run_the_best_is_taken_else_the_last(run: Path) -> None:
    found = find_checkpoint(run)
    assert (found.path.name, found.which) == ("step-00000010", "best")
    assert (found.is_run, found.run_dir, found.skipped) == (True, run, ())
    assert find_checkpoint(run, "best") == found
    assert find_checkpoint(run, "last").path.name == "step-00000030"


def test_of_a_run_without_a_best_the_last_is_taken(
    tmp_path: Path, make_checkpoint: MakeCheckpoint
) -> None:
    path = CheckpointStore(tmp_path / "checkpoints").save(make_checkpoint(10), best=False)
    found = find_checkpoint(tmp_path)
    assert (found.path, found.which, found.is_run) == (path, "last", True)
    with pytest.raises(CheckpointError, match="the run has no best checkpoint"):
        find_checkpoint(tmp_path, "best")


def test_a_checkpoint_itself_may_be_named(run: Path) -> None:
    path = run / "checkpoints" / "step-00000020"
    found = find_checkpoint(path)
    assert (found.path, found.which, found.is_run, found.run_dir) == (path, "given", False, None)


def test_a_damaged_best_gives_the_last_and_is_named(run: Path) -> None:
    damage(run, 10)
    found = find_checkpoint(run)
    assert (found.path.name, found.which) == ("step-00000030", "last")
    assert [entry.path.name for entry in found.skipped] == ["step-00000010"]
    with pytest.raises(CheckpointError, match=r"no whole checkpoint: .*step-00000010.*damaged"):
        find_checkpoint(run, "best")


def test_each_damaged_one_is_named_once(run: Path) -> None:
    damage(run, 10)
    damage(run, 30)
    found = find_checkpoint(run)
    assert (found.path.name, found.which) == ("step-00000020", "last")
    names = sorted(entry.path.name for entry in found.skipped)
    assert names == ["step-00000010", "step-00000030"]


@pytest.fixture
def improving(tmp_path: Path, make_checkpoint: MakeCheckpoint) -> Path:
    """A run with steps 10 (kept as once the best), 20 and 30 (the last and the best)."""
    (tmp_path / "run").mkdir()
    store = CheckpointStore(tmp_path / "run" / "checkpoints", keep=3)
    for step, best_step in ((10, 10), (20, 10), (30, 30)):
        store.save(make_checkpoint(step, best_step=best_step), best=step == best_step)
    return tmp_path / "run"


def test_where_the_damaged_last_was_the_best_an_older_best_is_not_called_so(
    improving: Path,
) -> None:
    damage(improving, 30)
    found = find_checkpoint(improving)
    assert (found.path.name, found.which) == ("step-00000020", "last")
    assert [entry.path.name for entry in found.skipped] == ["step-00000030", "step-00000010"]
    assert "it was the best up to step 20" in found.skipped[1].reason
    with pytest.raises(CheckpointError, match=r"step-00000030.*damaged.*best up to step 20"):
        find_checkpoint(improving, "best")


def test_where_the_damaged_last_was_not_the_best_the_best_is_still_called_so(run: Path) -> None:
    """The index knows that nothing better came after step 10."""
    damage(run, 30)
    found = find_checkpoint(run)
    assert (found.path.name, found.which) == ("step-00000010", "best")
    assert [entry.path.name for entry in found.skipped] == ["step-00000030"]


@pytest.mark.parametrize("content", [None, b"{", b'{"last": 3, "best": ["step-00000010"]}'])
def test_without_an_index_that_says_so_nothing_is_called_the_best_after_damage(
    run: Path, content: bytes | None
) -> None:
    damage(run, 30)
    index = run / "checkpoints" / "index.json"
    index.unlink()
    if content is not None:
        index.write_bytes(content)
    assert find_checkpoint(run).which == "last"


@pytest.mark.parametrize(
    ("moved", "path", "which"),
    [(30, "step-00000010", "best"), (10, "step-00000030", "last")],
)
def test_what_the_index_names_and_is_missing_is_told(
    tmp_path: Path, run: Path, moved: int, path: str, which: str
) -> None:
    name = f"step-000000{moved}"
    (run / "checkpoints" / name).rename(tmp_path / name)
    found = find_checkpoint(run)
    assert (found.path.name, found.which) == (path, which)
    (missing,) = found.skipped
    assert missing.path.name == name
    assert missing.reason == f"{missing.path}: it is named by index.json and is missing"


def test_where_the_missing_one_was_last_and_best_the_newest_is_the_last(
    tmp_path: Path, improving: Path
) -> None:
    (improving / "checkpoints" / "step-00000030").rename(tmp_path / "moved")
    found = find_checkpoint(improving)
    assert (found.path.name, found.which) == ("step-00000020", "last")


def test_when_all_are_moved_away_the_missing_are_named(run: Path, tmp_path: Path) -> None:
    for step in (10, 20, 30):
        (run / "checkpoints" / f"step-000000{step}").rename(tmp_path / str(step))
    with pytest.raises(CheckpointError, match=r"step-00000030.*step-00000010: it is named by"):
        find_checkpoint(run)


def test_what_a_running_training_drops_meanwhile_is_neither_damaged_nor_missing(
    run: Path, make_checkpoint: MakeCheckpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its next save comes between the look at the directory and the look at what is in it."""
    saves = iter([40, 50])

    def verify_late(path: Path) -> object:
        for step in saves:
            CheckpointStore(run / "checkpoints").save(make_checkpoint(step, step), best=True)
        return verify_checkpoint(path)

    monkeypatch.setattr("bmtrain.checkpoint.search.verify_checkpoint", verify_late)
    found = find_checkpoint(run)
    assert (found.path.name, found.which, found.skipped) == ("step-00000050", "best", ())


def test_an_index_that_is_a_pipe_is_not_waited_for(run: Path) -> None:
    index = run / "checkpoints" / "index.json"
    index.unlink()
    os.mkfifo(index)
    assert find_checkpoint(run).which == "best"


def test_an_index_that_is_too_long_is_not_read(run: Path) -> None:
    """What it names and is missing would be told; blanks make it longer and change nothing else."""
    index = run / "checkpoints" / "index.json"
    named = '{"last": "step-00000099", "best": null}'
    index.write_text(named.ljust(4096))
    assert [entry.path.name for entry in find_checkpoint(run, "last").skipped] == ["step-00000099"]
    index.write_text(named.ljust(4097))
    assert find_checkpoint(run, "last").skipped == ()


def test_a_checkpoint_of_a_newer_format_is_not_passed_over(run: Path, forger: Any) -> None:
    newest = run / "checkpoints" / "step-00000030"
    forger.seal(newest, forger.manifest(newest) | {"format_version": 2})
    for which in ("auto", "last"):
        with pytest.raises(NewerFormat, match="its format is version 2") as caught:
            find_checkpoint(run, which)
        assert caught.value.where == str(newest / "manifest.json")


def test_when_all_are_damaged_all_are_named(run: Path) -> None:
    for step in (10, 20, 30):
        damage(run, step)
    with pytest.raises(CheckpointError, match=r"(step-000000\d0.*damaged.*){3}") as caught:
        find_checkpoint(run)
    assert caught.value.where == str(run)


def test_a_run_that_saved_nothing_says_so(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    with pytest.raises(CheckpointError, match="the run has no checkpoint yet"):
        find_checkpoint(tmp_path)


def test_what_is_neither_says_what_was_expected(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path, words in (
        (tmp_path / "file", "a file; a checkpoint is a directory"),
        (tmp_path, "neither a run directory nor a checkpoint"),
    ):
        with pytest.raises(CheckpointError, match=words) as caught:
            find_checkpoint(path)
        assert caught.value.where == str(path)
        assert "give a run directory" in str(caught.value.hint)


def test_a_manifest_that_is_a_dangling_link_is_found_and_refused_in_reading(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").symlink_to(tmp_path / "absent")
    assert find_checkpoint(tmp_path).which == "given"


def test_a_path_that_may_not_be_looked_at_is_a_fault(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, **_: object) -> bool:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "exists", refuse)
    with pytest.raises(EnvironmentFault, match="permission denied"):
        find_checkpoint(run)


def test_what_is_not_there_is_the_command_lines_fault_with_the_nearest_name(tmp_path: Path) -> None:
    (tmp_path / "digits-a").mkdir()
    with pytest.raises(UsageError, match="no such directory") as caught:
        find_checkpoint(tmp_path / "digit-a")
    assert caught.value.hint == f"did you mean '{tmp_path / 'digits-a'}'?"
