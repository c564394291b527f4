"""Plugins that are not there, as far as a record tells: what is known of a run without their code.

Comparing runs needs their configs and their figures, and nothing that a plugin computes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, NoReturn

from pydantic import ConfigDict, create_model

from bmtrain.config.plugin_records import Facts, PluginRecord
from bmtrain.config.plugin_tables import (
    AugmentationEntry,
    Entry,
    FormatEntry,
    Kind,
    LayerEntry,
    LossEntry,
    MetricEntry,
    PluginFile,
    Plugins,
)
from bmtrain.config.sections.base import Section
from bmtrain.config.sections.loss import Crossentropy, LossSection
from bmtrain.config.sections.metrics import MetricFacts


class _Open(Section):
    """Any options: the schema is the plugin's, and the plugin is not there."""

    model_config = ConfigDict(extra="allow")


def stand_ins(records: Sequence[PluginRecord]) -> Plugins:
    """For what recorded configs use; none of it can be built."""
    return Plugins(
        tuple(
            PluginFile(record.file, None, record.sha256, tuple(_entries(record)))
            for record in records
        )
    )


def _entries(record: PluginRecord) -> Iterator[Entry]:
    for kind, names in record.uses.items():
        for name, facts in names.items():
            yield _entry(kind, name, facts)


def _entry(kind: Kind, name: str, facts: Facts) -> Entry:
    match kind:
        case "layers":
            section = _section(name, "type", _Open)
            return LayerEntry(name=name, section=section, planner=_absent, builder=_absent)
        case "losses":
            base = Crossentropy if facts["is_crossentropy"] else LossSection
            return LossEntry(name=name, section=_section(name, "name", base), builder=_absent)
        case "metrics":
            of = MetricFacts(**facts, least=-float("inf"), most=float("inf"))
            return MetricEntry(name=name, facts=of, of_split=_absent)
        case "formats":
            return FormatEntry(name=name, reader=_absent)
        case "augmentations":
            section = _section(name, "type", _Open)
            return AugmentationEntry(name=name, section=section, of="numbers", inputs=_absent)


def _section(name: str, selector: str, base: type[Section]) -> type[Section]:
    fields: dict[str, Any] = {selector: (Literal[name], ...)}
    bases = (base,) if issubclass(base, _Open) else (base, _Open)
    return create_model(f"StandIn_{name}", __base__=bases, **fields)


def _absent(*_arguments: object, **_options: object) -> NoReturn:
    raise AssertionError("a plugin that was not named computes nothing")
