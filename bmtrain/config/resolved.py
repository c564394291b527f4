"""An ExperimentConfig written out in full, as plain data and as YAML, and read back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bmtrain.config.nodes import Entry, ListNode, MappingNode, Node, ScalarNode
from bmtrain.config.plugin_tables import NO_PLUGINS, Plugins
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.config.source_text import (
    NOT_PRINTABLE,
    SURROGATE,
    Place,
    Problem,
    SourceText,
    sorted_diagnostics,
    summed_up,
)
from bmtrain.config.validation import validate
from bmtrain.config.yaml_reader import MAX_DEPTH, MAX_VALUES
from bmtrain.config.yaml_scalars import BOOLS, MAX_INT, NULLS
from bmtrain.errors import ConfigError

#: Texts that every YAML reader takes for a text without quotes.
_PLAIN_TEXT = re.compile(r"(\.\.?/)*[A-Za-z_/][A-Za-z0-9_./-]*", re.ASCII)
#: These two hold texts, as many as there are columns. Of all else no config has more than
#: some thousands, and each that is wrong costs a kilobyte to tell.
_LONG_LISTS = (("data", "features"), ("expect",))
_MAX_OTHER_VALUES = 20_000
_YAML_1_1_WORDS = frozenset({"y", "n", "yes", "no", "on", "off"})


def plain(experiment: ExperimentConfig) -> dict[str, Any]:
    """The experiment as dicts, lists, strings, numbers, bools and None; every default included."""
    return experiment.model_dump(mode="json")


def experiment_from_plain(
    mapping: Mapping[str, Any], *, source: str = "config", plugins: Plugins = NO_PLUGINS
) -> ExperimentConfig:
    """The experiment that :func:`plain` gave, checked as strictly as a file; strangers' data too.

    No short forms, paths or ``extends`` are resolved.

    Args:
        mapping: what :func:`plain` gave, or claims to be.
        source: what an error says it is about.
        plugins: what it may name beside what is built in.

    Raises:
        ConfigError: anything off; its message is the first finding, its diagnostics are all.
    """
    place = Place(SourceText(source, (), Path()))
    problems: list[Problem] = []
    root = _PlainReader(place, problems).node(mapping, ())
    if not problems:
        checked = validate(root, plugins=plugins)
        if isinstance(checked, ExperimentConfig):
            return checked
        problems = checked
    diagnostics = sorted_diagnostics(problems)
    raise ConfigError(summed_up(diagnostics), where=source, diagnostics=diagnostics)


class _PlainReader:
    """Plain data to nodes, bounded in depth and number."""

    def __init__(self, place: Place, problems: list[Problem]) -> None:
        self._place = place
        self._problems = problems
        self._num_values = 0
        self._num_texts = 0

    def node(self, value: object, key: tuple[str | int, ...]) -> Node:
        if isinstance(value, str) and key[:-1] in _LONG_LISTS:
            self._num_texts += 1
        else:
            self._num_values += 1
        is_large = self._num_texts > MAX_VALUES or self._num_values > _MAX_OTHER_VALUES
        if is_large or len(key) > MAX_DEPTH:
            return self._refused("too large or nested too deeply", key)
        if isinstance(value, Mapping):
            entries = {}
            for name, item in value.items():
                if not isinstance(name, str):
                    return self._refused("a key must be a text", key)
                entries[name] = Entry(self._place, self.node(item, (*key, name)))
            return MappingNode(entries, self._place)
        if isinstance(value, list | tuple):
            items = tuple(self.node(item, (*key, index)) for index, item in enumerate(value))
            return ListNode(items, self._place)
        if isinstance(value, str) and SURROGATE.search(value):
            return self._refused("a text with half a character (a lone surrogate)", key)
        if isinstance(value, int) and abs(value) > MAX_INT:
            return self._refused("an integer out of range (64 bits)", key)
        if value is None or isinstance(value, str | int | float | bool):
            return ScalarNode(value, _written(value), self._place)
        return self._refused("expected a text, number, list or mapping", key)

    def _refused(self, message: str, key: tuple[str | int, ...]) -> ScalarNode:
        if not self._problems:
            self._problems.append(Problem(self._place, message, key[:10]))
        return ScalarNode(None, "", self._place)


def resolved_yaml(experiment: ExperimentConfig) -> str:
    """YAML with every default written out; loading it gives an equal experiment.

    It means the same by YAML 1.1 and 1.2: ``1.0e-07``, quotes around ``"no"``.
    """
    lines: list[str] = []
    for key, value in plain(experiment).items():
        _write(key, value, 0, lines)
    return "\n".join(lines) + "\n"


def _write(key: str, value: Any, indent: int, lines: list[str]) -> None:
    blanks = "  " * indent
    if isinstance(value, dict) and value:
        lines.append(f"{blanks}{flow_text(key)}:")
        for name, item in value.items():
            _write(name, item, indent + 1, lines)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        lines.append(f"{blanks}{flow_text(key)}:")
        lines.extend(f"{blanks}  - {flow_text(item)}" for item in value)
    else:
        lines.append(f"{blanks}{flow_text(key)}: {flow_text(value)}")


def flow_text(value: Any) -> str:
    """A value as YAML in one line; it means the same by YAML 1.1 and 1.2."""
    if isinstance(value, dict):
        entries = [f"{flow_text(key)}: {flow_text(item)}" for key, item in value.items()]
        return "{" + ", ".join(entries) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow_text, value)) + "]"
    return _quoted(value) if isinstance(value, str) else _written(value)


def _written(value: str | float | bool | None) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        # YAML 1.1 takes 1e-07 for a text.
        mantissa, e, exponent = repr(value).partition("e")
        return (
            f"{mantissa}.0e{exponent}" if e and "." not in mantissa else f"{mantissa}{e}{exponent}"
        )
    return str(value)


def _quoted(text: str) -> str:
    """``text`` without quotes where no reader can mistake it, else in double quotes."""
    mistakable = text in NULLS or text in BOOLS or text.lower() in _YAML_1_1_WORDS
    if _PLAIN_TEXT.fullmatch(text) and not mistakable:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    escaped = re.sub("[\t\n\r\x85\u2028\u2029\ufeff]", _escape, escaped)
    return f'"{NOT_PRINTABLE.sub(_escape, escaped)}"'


def _escape(found: re.Match[str]) -> str:
    return f"\\U{ord(found.group()):08X}"
