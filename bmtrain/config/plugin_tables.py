"""What plugins add to the tables of names. Here are its forms; nothing here reads or runs a file.

``bmtrain.plugins.loading`` makes it of the files that ``--plugin`` names. It is handed on as a
value, with the config that is checked against it: there is no table that a plugin changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from bmtrain.config.sections.base import Section
from bmtrain.config.sections.metrics import MetricFacts

Kind = Literal["layers", "losses", "metrics", "formats", "augmentations"]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class LayerEntry:
    """A layer: the four that ``bmtrain.plugins.register_layer`` takes."""

    name: str
    section: type[Section]
    planner: Callable[..., Any]
    builder: Callable[..., Any]
    in_training: Callable[..., Any] | None = None


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class LossEntry:
    """A loss: see ``register_loss``."""

    name: str
    section: type[Section]
    builder: Callable[..., Any]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class MetricEntry:
    """A metric: see ``register_metric``; one of both functions is there."""

    name: str
    facts: MetricFacts
    per_example: Callable[..., Any] | None = None
    finish: Callable[[float], float] = float
    of_split: Callable[..., Any] | None = None


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class FormatEntry:
    """A data format: see ``register_format``."""

    name: str
    reader: Callable[..., Any]
    suffixes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class AugmentationEntry:
    """An augmentation: see ``register_augmentation``; one of both functions is there."""

    name: str
    section: type[Section]
    of: Literal["pictures", "texts", "numbers"]
    features: Callable[..., Any] | None = None
    inputs: Callable[..., Any] | None = None


Entry = LayerEntry | LossEntry | MetricEntry | FormatEntry | AugmentationEntry

#: What each kind of entry is called, all of them and one.
KINDS: Final[dict[Kind, tuple[type[Any], str]]] = {
    "layers": (LayerEntry, "layer"),
    "losses": (LossEntry, "loss"),
    "metrics": (MetricEntry, "metric"),
    "formats": (FormatEntry, "format"),
    "augmentations": (AugmentationEntry, "augmentation"),
}


def kind_of(entry: Entry) -> Kind:
    """The table that it belongs to."""
    return next(kind for kind, (form, _) in KINDS.items() if type(entry) is form)


def called(entry: Entry) -> str:
    """``the layer 'squeeze_excite'``."""
    return f"the {KINDS[kind_of(entry)][1]} '{entry.name}'"


@dataclass(frozen=True, eq=False, slots=True)
class PluginFile:
    """One plugin.

    Attributes:
        name: of the file, without its directories.
        path: where it was read; None: it was not, and only what a run recorded of it is known.
        sha256: of its bytes, which are those that were run.
        lines: where each of ``entries`` is registered, from 1; () where that is not known.
    """

    name: str
    path: Path | None
    sha256: str
    entries: tuple[Entry, ...]
    lines: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Plugins:
    """All plugins that the user named; no name is in two of them."""

    files: tuple[PluginFile, ...] = ()

    @property
    def paths(self) -> tuple[Path, ...]:
        """Of the files, absolute: what another process of this command is to load."""
        return tuple(file.path.absolute() for file in self.files if file.path is not None)

    def of_kind(self, kind: Kind) -> Mapping[str, Any]:
        """Name → entry."""
        form = KINDS[kind][0]
        return {e.name: e for file in self.files for e in file.entries if type(e) is form}

    def file_of(self, kind: Kind, name: str) -> PluginFile | None:
        """The plugin that adds it."""
        for file in self.files:
            if any(kind_of(entry) == kind and entry.name == name for entry in file.entries):
                return file
        return None

    @property
    def layers(self) -> Mapping[str, LayerEntry]:
        """``type`` → entry; the others likewise."""
        return self.of_kind("layers")

    @property
    def losses(self) -> Mapping[str, LossEntry]:
        """``name`` → entry."""
        return self.of_kind("losses")

    @property
    def metrics(self) -> Mapping[str, MetricEntry]:
        """Name → entry."""
        return self.of_kind("metrics")

    @property
    def formats(self) -> Mapping[str, FormatEntry]:
        """``data.format`` → entry."""
        return self.of_kind("formats")

    @property
    def augmentations(self) -> Mapping[str, AugmentationEntry]:
        """``type`` → entry."""
        return self.of_kind("augmentations")


NO_PLUGINS: Final = Plugins()
