"""Small checkpoints to write, damage and read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bmtrain.checkpoint.content import Checkpoint
from bmtrain.checkpoint.write import write_checkpoint
from tests import small_checkpoints

MakeCheckpoint = Callable[..., Checkpoint]


@pytest.fixture(scope="session")
def make_checkpoint() -> MakeCheckpoint:
    """(step, best step, changes …) -> a checkpoint."""
    return small_checkpoints.make_checkpoint


@pytest.fixture
def written(tmp_path: Path, make_checkpoint: MakeCheckpoint) -> Path:
    """A checkpoint's directory, the only one in its parent."""
    write_checkpoint(tmp_path / "c", make_checkpoint())
    return tmp_path / "c"


@pytest.fixture(scope="session")
def assert_same() -> Callable[[Checkpoint, Checkpoint], None]:
    """Fails unless two checkpoints hold the same, bit for bit."""

    def check(first: Checkpoint, second: Checkpoint) -> None:
        assert first.experiment == second.experiment
        assert first.preprocessing.facts == second.preprocessing.facts
        assert first.preprocessing.normalize == second.preprocessing.normalize
        assert dict(first.engine) == dict(second.engine)
        assert first.state == second.state
        assert first.log_bytes == second.log_bytes
        for ours, theirs in (
            (first.model, second.model),
            (first.optimizer, second.optimizer),
            (_statistics(first), _statistics(second)),
        ):
            assert list(ours) == list(theirs)
            for name in ours:
                assert ours[name].dtype == theirs[name].dtype
                assert ours[name].shape == theirs[name].shape
                assert ours[name].tobytes() == theirs[name].tobytes()

    return check


def _statistics(checkpoint: Checkpoint) -> dict[str, Any]:
    return {"offset": checkpoint.preprocessing.offset, "scale": checkpoint.preprocessing.scale}
