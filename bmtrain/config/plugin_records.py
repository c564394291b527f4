"""What a run records of its plugins, and what is asked of that before anything else is read.

A record is data: a file's name without directories, its sha256, names and facts. Whether a
plugin is loaded is up to the command line alone; a record only says which one is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args

from bmtrain import strict_json
from bmtrain.config.plugin_tables import KINDS, Kind, MetricEntry, PluginFile, Plugins
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.config.sections.layers.composite import ResidualLayer
from bmtrain.config.sections.model import LayersModel
from bmtrain.errors import CheckpointError

Facts = Mapping[str, Any]

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_MAX_FILES, _MAX_NAMES, _MAX_FILE_NAME = 100, 1000, 255


@dataclass(frozen=True, slots=True)
class PluginRecord:
    """A plugin as a run recorded it.

    Attributes:
        file: its name, without directories.
        registers: all that it adds: kind → names.
        uses: what of it the config uses: kind → name → facts that are known without the code.
    """

    file: str
    sha256: str
    registers: Mapping[Kind, tuple[str, ...]]
    uses: Mapping[Kind, Mapping[str, Facts]]

    def document(self) -> dict[str, Any]:
        """As run.json and a checkpoint's manifest have it."""
        return {
            "file": self.file,
            "sha256": self.sha256,
            "registers": {kind: list(names) for kind, names in self.registers.items()},
            "uses": {kind: dict(names) for kind, names in self.uses.items()},
        }

    @property
    def used_names(self) -> Iterator[tuple[Kind, str]]:
        """Those that the config uses."""
        return ((kind, name) for kind, names in self.uses.items() for name in names)

    @property
    def used_in_words(self) -> str:
        """``the layer 'squeeze_excite', the metric 'within'``."""
        return ", ".join(f"the {KINDS[kind][1]} '{name}'" for kind, name in self.used_names)


def plugin_records(experiment: ExperimentConfig) -> tuple[PluginRecord, ...]:
    """Of the plugins that the experiment was checked against."""
    used = _used(experiment)
    return tuple(_record(file, experiment, used) for file in experiment.plugins.files)


def _record(
    file: PluginFile, experiment: ExperimentConfig, used: Mapping[Kind, set[str]]
) -> PluginRecord:
    plugins = Plugins((file,))
    registers = {kind: tuple(names) for kind in KINDS if (names := plugins.of_kind(kind))}
    uses = {
        kind: {name: _facts(kind, name, experiment) for name in names if name in used[kind]}
        for kind, names in registers.items()
    }
    return PluginRecord(file.name, file.sha256, registers, {k: n for k, n in uses.items() if n})


def _used(experiment: ExperimentConfig) -> dict[Kind, set[str]]:
    model = experiment.model
    layers = model.layers if isinstance(model, LayersModel) else ()
    return {
        "layers": set(_types(layers)),
        "losses": {experiment.loss.name},
        "metrics": set(experiment.metrics),
        "formats": {experiment.data.format},
        "augmentations": {item.type for item in experiment.training.augmentation},
    }


def _types(layers: Sequence[Any]) -> Iterator[str]:
    for layer in layers:
        yield layer.type
        if isinstance(layer, ResidualLayer):
            yield from _types((*layer.layers, *layer.shortcut))


def _facts(kind: Kind, name: str, experiment: ExperimentConfig) -> Facts:
    """What comparing runs needs, which loads no plugin."""
    if kind == "losses":
        return {"is_crossentropy": experiment.loss.is_crossentropy}
    if kind != "metrics":
        return {}
    entry: MetricEntry = experiment.plugins.metrics[name]
    facts = entry.facts
    return {
        "of_classes": facts.of_classes,
        "is_mean": facts.is_mean,
        "more_is_better": facts.more_is_better,
    }


def parse_records(value: Any) -> tuple[PluginRecord, ...]:
    """What was recorded, checked value by value: it may be a stranger's.

    Raises:
        ValueError: it is no such record; says what is wrong.
    """
    is_list = isinstance(value, list) and len(value) <= _MAX_FILES
    strict_json.require(is_list, "plugins: expected a list, of few files")
    return tuple(_parsed(entry) for entry in value)


def _parsed(entry: Any) -> PluginRecord:
    keys = {"file", "sha256", "registers", "uses"}
    is_whole = isinstance(entry, dict) and entry.keys() == keys
    strict_json.require(is_whole, f"plugins: expected the keys {', '.join(sorted(keys))}")
    file, sha256 = entry["file"], entry["sha256"]
    is_name = isinstance(file, str) and file.isprintable() and 0 < len(file) <= _MAX_FILE_NAME
    strict_json.require(
        is_name and "/" not in file and "\\" not in file, "plugins: expected the name of a file"
    )
    is_digest = isinstance(sha256, str) and bool(_SHA256.fullmatch(sha256))
    strict_json.require(is_digest, "plugins: expected a sha256")
    registers = {
        kind: tuple(_names(names, list)) for kind, names in _by_kind(entry["registers"]).items()
    }
    uses = {
        kind: {name: _parsed_facts(kind, names[name]) for name in _names(names, dict)}
        for kind, names in _by_kind(entry["uses"]).items()
    }
    return PluginRecord(file, sha256, registers, uses)


def _by_kind(value: Any) -> dict[Kind, Any]:
    is_one = isinstance(value, dict) and value.keys() <= set(get_args(Kind))
    strict_json.require(is_one, f"plugins: expected some of {', '.join(KINDS)}")
    return dict(value)


def _names(value: Any, form: type[Any]) -> Any:
    is_one = isinstance(value, form) and len(value) <= _MAX_NAMES
    strict_json.require(
        is_one and all(isinstance(name, str) and NAME.fullmatch(name) for name in value),
        "plugins: expected names",
    )
    return value


def _parsed_facts(kind: Kind, value: Any) -> Facts:
    keys = {
        "losses": {"is_crossentropy"},
        "metrics": {"of_classes", "is_mean", "more_is_better"},
    }.get(kind, set())
    is_one = isinstance(value, dict) and value.keys() == keys
    strict_json.require(
        is_one and all(isinstance(fact, bool) for fact in value.values()),
        f"plugins: {kind}: expected {', '.join(sorted(keys)) or 'nothing'}, each true or false",
    )
    return dict(value)


def require_named(records: Sequence[PluginRecord], plugins: Plugins, where: str) -> None:
    """The plugins that are named add all that the recorded config uses.

    Raises:
        CheckpointError: something of it is in none of them; says which plugin had it.
    """
    for record in records:
        missing = [
            f"the {KINDS[kind][1]} '{name}'"
            for kind, name in record.used_names
            if name not in plugins.of_kind(kind)
        ]
        if missing:
            raise CheckpointError(
                f"it needs {', '.join(missing)} of the plugin {record.file} "
                f"(sha256 {record.sha256})",
                where=where,
                hint=f"if you have that file and trust it, name it: --plugin {record.file}; "
                "no plugin is ever loaded from what a checkpoint says",
            )


def changed_files(
    records: Sequence[PluginRecord], plugins: Plugins
) -> Iterator[tuple[PluginRecord, PluginFile]]:
    """The plugins whose names the recorded config uses, where other files have those now."""
    for record in records:
        now = {plugins.file_of(kind, name) for kind, name in record.used_names}
        others = [file for file in now if file is not None and file.sha256 != record.sha256]
        yield from ((record, file) for file in others[:1])
