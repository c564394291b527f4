"""The part of a message that says what to do: the name meant, the quotes to remove."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from bmtrain.config.kinds import Kind
from bmtrain.config.nodes import KeyPath, MappingNode, Node, ScalarNode
from bmtrain.config.sections.base import Section
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.config.suggestions import did_you_mean, is_misspelt, nearest
from bmtrain.config.yaml_scalars import OutOfRange, resolve_plain

_PLUGIN_KEYS = frozenset({"plugin", "plugins"})
#: Where a plugin adds names, as a key begins and ends, the positions in lists left out.
_ADDED_TO = (
    (("model", "layers"), "type"),
    (("training", "augmentation"), "type"),
    (("loss",), "loss"),
    (("loss",), "name"),
    (("metrics",), "metrics"),
    (("data",), "format"),
)
_BOOLEAN_WORDS = {"yes": "true", "on": "true", "no": "false", "off": "false"}


def misplaced_key(name: str, section: type[Section], parent: KeyPath) -> str:
    """For an unknown key: the near one of its own section, or the same one of another section."""
    if not parent and name in _PLUGIN_KEYS:
        return "; a plugin is named on the command line, and nowhere else: --plugin FILE"
    own = did_you_mean(name, section.model_fields)
    if own:
        return own
    for other in ("training", "data", "regularization"):
        kind = Kind.of_field(ExperimentConfig, other)
        if parent == (other,) or kind is None or kind.section is None:
            continue
        if name in kind.section.model_fields:
            return f"; did you mean '{other}.{name}'?"
    if not parent and (found := nearest(name, ("learning_rate", "l2_lambda"))):
        where = "optimizer" if found[0] == "learning_rate" else "regularization"
        return f"; did you mean '{where}.{found[0]}'?"
    known = [field for field in section.model_fields if field not in ("name", "type")]
    if issubclass(section, ExperimentConfig) or len(known) > 12:
        return ""
    return f"; expected one of {', '.join(known)}" if known else "; there are no options here"


def comma_hint(name: str, siblings: Node | None, section: type[Section]) -> str:
    """For an unknown key that is the rest of a number: ``{learning_rate: 1,5}``; or ""."""
    if not isinstance(siblings, MappingNode) or not re.fullmatch(
        r"\d+([eE][-+]?\d+)?", name, re.ASCII
    ):
        return ""
    names = list(siblings.entries)
    before = names[max(names.index(name) - 1, 0)]
    value, place = siblings.entries[before].value, siblings.entries[name].key_place
    kind = Kind.of_field(section, before)
    if kind is None or not isinstance(value, ScalarNode) or not isinstance(value.value, int):
        return ""
    end = replace(value.place, column=value.place.column + value.place.length + 1, length=0)
    if end != replace(place, length=0):
        return ""
    wanted = {branch.annotation for branch in kind.branches or (kind,)}
    if float in wanted:
        return f"; a decimal point is written {value.text}.{name}"
    return f"; write {value.text}{name}" if int in wanted and len(name) == 3 else ""


def plugin_hint(key: KeyPath, written: str, choices: Sequence[str], said: str) -> str:
    """After what is ``said`` of an unknown name where a plugin may add some; "": it is misspelt."""
    names = tuple(name for name in key if isinstance(name, str))
    adds = any(names[: len(begin)] == begin and names[-1] == end for begin, end in _ADDED_TO)
    is_unknown = bool(choices) and written not in choices
    if not (adds and is_unknown and written.isidentifier()) or is_misspelt(written, choices):
        return ""
    return f"{' Or' if said else '; or'} name the plugin that adds it: --plugin FILE"


def scalar_hint(node: Node, kind: Kind) -> str:
    """What to do about a text that is not what was expected: a nearer name, no quotes; or ""."""
    if not isinstance(node, ScalarNode) or not isinstance(node.value, str):
        return ""
    if kind.choices and (suggestion := did_you_mean(node.value, kind.choices)):
        return suggestion
    wanted = {branch.annotation for branch in kind.branches or (kind,)}
    if bool in wanted and node.value.lower() in _BOOLEAN_WORDS:
        return f"; write {_BOOLEAN_WORDS[node.value.lower()]}"
    if wanted & {int, float}:
        return _number_hint(node.value, takes_decimals=float in wanted)
    if bool in wanted and node.value.lower() in ("true", "false"):
        return "; remove the quotes"
    return ""


def _number_hint(text: str, *, takes_decimals: bool) -> str:
    if _is_number(text.strip()):
        return "; remove the quotes"
    if re.fullmatch(r"[1-9][0-9]*([_,' ][0-9]{3})+", text):
        return f"; write {re.sub('[^0-9]', '', text)}"
    if text.endswith("%") and _is_number(text[:-1].strip()):
        return f"; write {float(text[:-1]) / 100:g}"
    if takes_decimals and re.fullmatch(r"[-+]?\d+,\d+([eE][-+]?\d+)?", text, re.ASCII):
        return f"; a decimal point is written {text.replace(',', '.')}"
    return ""


def _is_number(text: str) -> bool:
    try:
        value = resolve_plain(text)
    except OutOfRange:
        return False
    return isinstance(value, int | float) and not isinstance(value, bool)
