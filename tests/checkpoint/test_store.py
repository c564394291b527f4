"""The store keeps the last and the best, and what it loads is whole."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bmtrain.checkpoint.content import Checkpoint
from bmtrain.checkpoint.read import read_checkpoint
from bmtrain.checkpoint.store import CheckpointStore
from bmtrain.errors import EnvironmentFault

MakeCheckpoint = Callable[..., Checkpoint]


@pytest.fixture
def store(tmp_path: Path) -> CheckpointStore:
    return CheckpointStore(tmp_path / "checkpoints")


def names(store: CheckpointStore) -> list[str]:
    return sorted(path.name for path in store.directory.iterdir())


def index(store: CheckpointStore) -> object:
    return json.loads((store.directory / "index.json").read_text())


def damage(path: Path, name: str = "model.safetensors") -> None:
    content = bytearray((path / name).read_bytes())
    content[-1] ^= 1
    (path / name).write_bytes(content)


def test_an_empty_store_has_neither_last_nor_best(store: CheckpointStore) -> None:
    assert store.last() is None
    assert store.best() is None
    assert not store.directory.exists()  # looking makes nothing


def test_a_save_is_named_by_its_step_and_is_the_last(
    store: CheckpointStore, make_checkpoint: MakeCheckpoint
) -> None:
    path = store.save(make_checkpoint(1875), best=False)
    assert path == store.directory / "step-00001875"
    assert store.last() == path
    assert store.best() is None
    assert index(store) == {"last": "step-00001875", "best": None}


def test_the_newest_two_and_the_best_are_kept(
    store: CheckpointStore, make_checkpoint: MakeCheckpoint
) -> None:
    store.save(make_checkpoint(10, best_step=10), best=True)
    for step in (20, 30, 40):
        store.save(make_checkpoint(step, best_step=10), best=False)
    kept = ["index.json", "step-00000010", "step-00000030", "step-00000040"]
    assert names(store) == kept
    assert index(store) == {"last": "step-00000040", "best": "step-00000010"}
    assert store.best() == store.directory / "step-00000010"
    store.save(make_checkpoint(50, best_step=50), best=True)
    assert names(store) == ["index.json", "step-00000040", "step-00000050"]
    assert store.best() == store.last() == store.directory / "step-00000050"


def test_more_are_kept_when_asked_for_and_never_under_two(
    tmp_path: Path, make_checkpoint: MakeCheckpoint
) -> None:
    for keep, expected in ((3, 3), (1, 2)):
        store = CheckpointStore(tmp_path / str(keep), keep=keep)
        for step in range(1, 6):
            store.save(make_checkpoint(step), best=False)
        assert len(names(store)) == expected + 1


def test_steps_beyond_eight_digits_are_ordered_as_numbers(
    store: CheckpointStore, make_checkpoint: MakeCheckpoint
) -> None:
    store.save(make_checkpoint(99_999_999), best=False)
    last = store.save(make_checkpoint(100_000_000), best=False)
    assert store.last() == last


def test_the_same_step_again_replaces_the_first_only_after_it_is_whole(
    store: CheckpointStore, make_checkpoint: MakeCheckpoint
) -> None:
    store.save(make_checkpoint(10), best=False)
    store.save(make_checkpoint(20), best=False)
    second = store.save(make_checkpoint(20, best_step=20), best=True)
    assert second.name == "step-00000020-r2"
    assert names(store) == ["index.json", "step-00000010", "step-00000020-r2"]
    assert store.last() == store.best() == second
    third = store.save(make_checkpoint(20), best=False)
    assert third.name == "step-00000020-r3"
    assert store.last() == third


def test_the_first_save_of_a_step_stays_while_there_is_no_other_step(
    store: CheckpointStore, make_checkpoint: MakeCheckpoint
) -> None:
    """Of two checkpoints one may rot; of one step saved twice both are there."""
    first = store.save(make_checkpoint(10), best=False)
    second = store.save(make_checkpoint(10), best=False)
    assert names(store) == ["index.json", first.name, second.name]
    damage(second)
    assert store.last() == first


def test_the_best_may_be_saved_after_later_steps(
    store: CheckpointStore, make_checkpoint: MakeCheckpoint
) -> None:
    store.save(make_checkpoint(20, best_step=10), best=False)
    store.save(make_checkpoint(30, best_step=10), best=False)
    assert store.best() is None
    best = store.save(make_checkpoint(10, best_step=10), best=True)
    assert store.best() == best
    assert store.last() == store.directory / "step-00000030"
    assert index(store) == {"last": "step-00000030", "best": "step-00000010"}


def test_a_best_whose_state_says_otherwise_is_a_mistake_of_the_caller(
    store: CheckpointStore, make_checkpoint: MakeCheckpoint
) -> None:
    with pytest.raises(ValueError, match="the best at step 20, but best_step is 10"):
        store.save(make_checkpoint(20, best_step=10), best=True)


def test_a_damaged_last_is_named_and_the_one_before_is_taken(
    store: CheckpointStore, make_checkpoint: MakeCheckpoint
) -> None:
    good = store.save(make_checkpoint(10), best=False)
    damage(store.save(make_checkpoint(20), best=False))
    found = store.find("last")
    assert found.path == good
    assert [entry.path.name for entry in found.skipped] == ["step-00000020"]
    assert "model.safetensors: damaged: tensor" in found.skipped[0].reason


def test_a_damaged_best_is_named_and_none_is_found(
    store: CheckpointStore, make_checkpoint: MakeCheckpoint
) -> None:
    damage(store.save(make_checkpoint(10, best_step=10), best=True))
    store.save(make_checkpoint(20, best_step=10), best=False)
    found = store.find("best")
    assert found.path is None
    assert [entry.path.name for entry in found.skipped] == ["step-00000010"]


def test_whole_ones_are_not_dropped_for_damaged_ones(
    store: CheckpointStore, make_checkpoint: MakeCheckpoint
) -> None:
    store.save(make_checkpoint(10), best=False)
    store.save(make_checkpoint(20), best=False)
    damage(store.directory / "step-00000020")
    # The next process goes on from step 10 and does not know what the first one verified.
    fresh = CheckpointStore(store.directory)
    fresh.save(make_checkpoint(15), best=False)
    whole = ["step-00000010", "step-00000015"]
    # The damaged one stays, too: what is left of it may be of use to somebody.
    assert names(fresh) == ["index.json", *whole, "step-00000020"]
    fresh.save(make_checkpoint(20), best=False)
    whole = ["step-00000015", "step-00000020-r2"]
    assert names(fresh) == ["index.json", whole[0], "step-00000020", whole[1]]


def test_a_damaged_one_stays_while_two_whole_ones_are_not_there(
    store: CheckpointStore, make_checkpoint: MakeCheckpoint
) -> None:
    damage(store.save(make_checkpoint(10), best=False))
    fresh = CheckpointStore(store.directory)
    second = fresh.save(make_checkpoint(10), best=False)
    assert names(fresh) == ["index.json", "step-00000010", "step-00000010-r2"]
    assert fresh.last() == second


def test_a_damaged_or_missing_index_changes_nothing(
    store: CheckpointStore, make_checkpoint: MakeCheckpoint
) -> None:
    path = store.save(make_checkpoint(10, best_step=10), best=True)
    for content in (b"\x00\xff", b'{"last": "../../elsewhere"}'):
        (store.directory / "index.json").write_bytes(content)
        assert store.best() == path
    (store.directory / "index.json").unlink()
    assert store.last() == path
    store.save(make_checkpoint(20, best_step=10), best=False)
    assert index(store) == {"last": "step-00000020", "best": "step-00000010"}


def test_nothing_is_dropped_when_what_was_written_does_not_read_back(
    store: CheckpointStore, make_checkpoint: MakeCheckpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    for step in (10, 20):
        store.save(make_checkpoint(step), best=False)
    real_rename = os.rename

    def rename_and_rot(source: Path, target: Path) -> None:
        real_rename(source, target)
        damage(Path(target))

    monkeypatch.setattr(os, "rename", rename_and_rot)
    with pytest.raises(EnvironmentFault, match=r"does not read back: .* its sha256") as caught:
        store.save(make_checkpoint(30), best=False)
    assert "check the disk" in str(caught.value.hint)
    monkeypatch.undo()
    assert {"step-00000010", "step-00000020"} < set(names(store))
    assert store.last() == store.directory / "step-00000020"


def test_what_is_not_ours_is_left_alone(
    store: CheckpointStore, make_checkpoint: MakeCheckpoint
) -> None:
    store.prepare()
    (store.directory / "notes.txt").touch()
    (store.directory / "step-1").mkdir()
    (store.directory / "step-00000001-mine").mkdir()
    for step in (10, 20, 30):
        store.save(make_checkpoint(step), best=False)
    assert {"notes.txt", "step-1", "step-00000001-mine"} < set(names(store))


def test_leftovers_are_removed_and_links_in_them_are_not_followed(
    store: CheckpointStore, tmp_path: Path, make_checkpoint: MakeCheckpoint
) -> None:
    store.prepare()
    treasure = tmp_path / "treasure"
    treasure.mkdir()
    (treasure / "gold").touch()
    (store.directory / ".step-00000010.writing").symlink_to(treasure)
    (store.directory / ".step-00000010-r2.discarded").mkdir()
    (store.directory / ".step-00000010-r2.discarded" / "link").symlink_to(treasure)
    (store.directory / ".bmtrain-0011223344556677.tmp").touch()
    store.prepare()
    assert names(store) == []
    assert (treasure / "gold").exists()
    store.save(make_checkpoint(10), best=False)


def test_a_store_where_a_file_is_says_so(tmp_path: Path, make_checkpoint: MakeCheckpoint) -> None:
    (tmp_path / "checkpoints").touch()
    store = CheckpointStore(tmp_path / "checkpoints")
    with pytest.raises(EnvironmentFault, match="prepare the directory of checkpoints: it exists"):
        store.save(make_checkpoint(10), best=False)


def test_a_moved_checkpoint_is_whole_in_itself(
    store: CheckpointStore, tmp_path: Path, make_checkpoint: MakeCheckpoint
) -> None:
    path = store.save(make_checkpoint(10), best=False)
    path.rename(tmp_path / "elsewhere")
    assert read_checkpoint(tmp_path / "elsewhere").state.step == 10
