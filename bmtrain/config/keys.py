"""Every key of the schema by its dotted name, for whoever offers them to be typed."""

from __future__ import annotations

from collections.abc import Iterator

from bmtrain.config.kinds import Kind
from bmtrain.config.sections.experiment import ExperimentConfig


def dotted_keys() -> dict[str, tuple[str, ...]]:
    """``{"optimizer.name": ("adam", …), "training.epochs": (), …}``: the values to choose from.

    A key that one of a union's sections has is there; what is in a list is not.
    """
    return dict(_below("", Kind(ExperimentConfig)))


def _below(prefix: str, kind: Kind) -> Iterator[tuple[str, tuple[str, ...]]]:
    if kind.section is not None:
        for name in kind.section.model_fields:
            child = Kind.of_field(kind.section, name)
            assert child is not None
            yield from _at(f"{prefix}{name}", child)
    elif kind.discriminator is not None:
        for section in kind.sections_by_selector().values():
            yield from _below(prefix, Kind.of(section))
        yield f"{prefix}{kind.discriminator}", kind.choices
    else:
        for branch in kind.branches:
            yield from _below(prefix, branch)


def _at(key: str, kind: Kind) -> Iterator[tuple[str, tuple[str, ...]]]:
    below = list(_below(f"{key}.", kind))
    if not below or kind.branches:  # a value of its own, or one beside a section
        yield key, kind.choices
    yield from below
