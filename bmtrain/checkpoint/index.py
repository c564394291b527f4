"""``index.json``: the names of the last and the best checkpoint, as the last save left them.

For people and other programs; what is on the disk decides. Here it is asked for the two
things only that the disk cannot tell: whether a checkpoint is missing that was there,
and which was the best when the newest cannot be read any more.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bmtrain import strict_json, tensor_files
from bmtrain.checkpoint.files import opened
from bmtrain.checkpoint.names import is_checkpoint_name
from bmtrain.durable import write_bytes
from bmtrain.errors import CheckpointError, EnvironmentFault

INDEX = "index.json"
_MAX_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Index:
    """Names of checkpoints; None: there is none, or it is not known."""

    last: str | None = None
    best: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Those that are named, each once, the last first."""
        return tuple(dict.fromkeys(name for name in (self.last, self.best) if name is not None))


def write_index(directory: Path, index: Index) -> None:
    """Replaces the index. Raises ``EnvironmentFault``."""
    write_bytes(directory / INDEX, strict_json.encode(asdict(index)) + b"\n", links=False)


def read_index(directory: Path) -> Index:
    """The index; an empty one where it is absent, damaged or somebody else's. Never fails."""
    document: Any = None
    with (
        suppress(CheckpointError, EnvironmentFault),
        opened(directory / INDEX) as (descriptor, size),
    ):
        strict_json.require(size <= _MAX_BYTES, "too large")
        document = strict_json.decode(tensor_files.read_content(descriptor, size).tobytes())
    if not isinstance(document, dict):
        return Index()
    return Index(_name(document.get("last")), _name(document.get("best")))


def _name(value: Any) -> str | None:
    return value if isinstance(value, str) and is_checkpoint_name(value) else None
