"""``a.b.0.c=YAML`` arguments, and ``--expect`` texts, as configs to lay over a file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from bmtrain.config.nodes import Entry, ListNode, MappingNode, Node, ScalarNode
from bmtrain.config.source_text import Place, Problem, SourceText
from bmtrain.config.yaml_reader import MAX_DEPTH, read_yaml
from bmtrain.errors import UsageError

_KEY_PART = re.compile(r"[A-Za-z0-9_]{1,100}", re.ASCII)
_MAX_OVERRIDE = 100_000  # characters


def check_overrides(overrides: Sequence[str]) -> None:
    """Raise UsageError for the first argument that is not KEY=VALUE."""
    for number, text in enumerate(overrides, start=1):
        if "=" not in text:
            shown = text if len(text) <= 60 else text[:59] + "…"
            raise UsageError(
                f"expected KEY=VALUE, got {ascii(shown) if not shown.isprintable() else shown!r}",
                where=f"override {number}",
                hint="for example training.epochs=3",
            )


def read_override(text: str, number: int, order: int) -> tuple[Node | None, list[Problem]]:
    """The config that ``KEY=VALUE`` stands for: nested mappings down to the value.

    The value is YAML. An empty one is a problem: a shell variable that was left empty
    must not train with the default. Relative paths start at the current directory.
    """
    source = SourceText.of(f"override {number}", text, Path.cwd(), order)
    dotted_key, _, value_text = text.partition("=")
    parts = tuple(dotted_key.split("."))
    if len(text) > _MAX_OVERRIDE:
        return None, [Problem(Place(source), f"longer than {_MAX_OVERRIDE} characters")]
    problems = _key_problems(parts, source)
    if problems:
        return None, problems
    value, problems = read_yaml(value_text, source, column_offset=len(dotted_key) + 1, key=parts)
    if value is None:
        return None, problems
    if isinstance(value, ScalarNode) and value.value is None and not value.text:
        place = Place(source, 1, len(dotted_key) + 1)
        message = "a value is missing; '=null' restores the default"
        return None, [Problem(place, message, parts)]
    return _nested(parts, value, source), problems


def _key_problems(parts: tuple[str, ...], source: SourceText) -> list[Problem]:
    column = 1
    if len(parts) >= MAX_DEPTH:
        return [Problem(Place(source, 1, 1), f"a key of more than {MAX_DEPTH} parts")]
    for part in parts:
        if not _KEY_PART.fullmatch(part):
            got = "an empty part" if not part else f"{part[:60]!r}"
            message = f"expected a dotted key such as model.layers.0.units, got {got}"
            return [Problem(Place(source, 1, column, max(1, len(part))), message)]
        column += len(part) + 1
    if parts[0] == "extends":
        message = "only a file extends another; it cannot be overridden"
        return [Problem(Place(source, 1, 1, len(parts[0])), message, parts)]
    return []


def _nested(parts: tuple[str, ...], value: Node, source: SourceText) -> Node:
    column = 1 + sum(len(part) + 1 for part in parts)
    for part in reversed(parts):
        column -= len(part) + 1
        place = Place(source, 1, column, len(part))
        value = MappingNode({part: Entry(place, value)}, place, is_path=True)
    return value


def with_expectations(root: MappingNode, expectations: Sequence[str], order: int) -> MappingNode:
    """``root`` with ``--expect`` texts at the end of its ``expect`` list."""
    if not expectations:
        return root
    items: list[Node] = []
    for number, text in enumerate(expectations, start=1):
        source = SourceText.of(
            f"--expect {number}", text, Path.cwd(), order + number, has_keys=False
        )
        items.append(ScalarNode(text, text, Place(source, 1, 1, max(1, len(source.lines[0])))))
    entry = root.entries.get("expect")
    if entry is None or (isinstance(entry.value, ScalarNode) and entry.value.value is None):
        return root.with_entry("expect", Entry(items[0].place, ListNode(tuple(items), root.place)))
    if isinstance(entry.value, ListNode):
        listed = ListNode((*entry.value.items, *items), entry.value.place)
        return root.with_entry("expect", Entry(entry.key_place, listed))
    return root
