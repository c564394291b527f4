"""Choices as the text of a config: each setting under a comment that gives its reason."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby

from bmtrain.config.resolved import flow_text
from bmtrain.data.profiles.label_guess import are_classes
from bmtrain.data.tables.table_profile import Column
from bmtrain.data.wording.quoting import listed_and_more, quoted
from bmtrain.figures import count
from bmtrain.figures import shape as shape_text
from bmtrain.workflows.starter.choosing import Choice
from bmtrain.workflows.starter.looking import Seen
from bmtrain.workflows.starter.schema_file import SCHEMA_LINE

_WIDTH = 92
_MAX_COLUMNS_SHOWN = 40
_MAX_VALUES_SHOWN = 3


def config_text(seen: Seen, choices: Sequence[Choice], commands: Sequence[str]) -> str:
    """The commented config; ``commands`` are those to type next."""
    lines = [SCHEMA_LINE, *_header(seen, commands)]
    for section, group in groupby(choices, key=lambda choice: choice.key.split(".")[0]):
        entries = list(group)
        if section != "seed":
            lines.append("")
        if "." not in entries[0].key:
            lines.extend(_entry(section, entries[0], ""))
            continue
        lines.append(f"{section}:")
        for choice in entries:
            lines.extend(_entry(choice.key.split(".")[1], choice, "  "))
    return "\n".join(lines) + "\n"


def _header(seen: Seen, commands: Sequence[str]) -> Iterator[str]:
    yield "#"
    yield from _comment(f"A first config for {quoted(seen.path.name)}: {summary(seen)}.", "")
    yield "#"
    yield from (f"#   {command}" for command in commands)
    if not seen.columns:
        return
    yield "#"
    yield "# The columns:"
    for column in seen.columns[:_MAX_COLUMNS_SHOWN]:
        yield from _comment(f"{quoted(column.name)}: {column_summary(column)}", "", "  ")
    if len(seen.columns) > _MAX_COLUMNS_SHOWN:
        yield f"#   and {len(seen.columns) - _MAX_COLUMNS_SHOWN:,} more"


def summary(seen: Seen) -> str:
    """``150 examples, 5 columns``, of each split that is published."""
    sizes = [f"{split.num_examples:,} {name}" for name, split in seen.splits.items()]
    train = count(seen.train.num_examples, "example")
    examples = f"{', '.join(sizes)} examples" if len(sizes) > 1 else train
    if seen.columns and seen.image is None:
        return f"{examples}, {count(len(seen.columns), 'column')}"
    features = seen.train.features
    return f"{examples}, each {shape_text(features.shape[1:])} of {features.dtype}"


def column_summary(column: Column) -> str:
    """``numbers from 4.3 to 7.9, 35 different``; classes with their counts."""
    if column.unread:
        return f"{column.unread}, which is not read"
    if column.kind == "nothing":
        return "empty"
    kind = "whole numbers" if column.kind == "integers" else column.kind
    if column.counts and (column.kind == "texts" or are_classes(column)):
        shown = [f"{quoted(text)} {number:,}" for text, number in column.counts]
        what = f"{kind}, {listed_and_more(shown, _MAX_VALUES_SHOWN)}"
    elif column.kind == "texts":
        what = f"texts, {column.num_distinct:,} different"
    else:
        what = (
            f"{kind} from {column.low:.6g} to {column.high:.6g}, {column.num_distinct:,} different"
        )
    missing = f", {column.num_missing:,} missing" if column.num_missing else ""
    wrong = f", {column.num_wrong:,} no numbers" if column.num_wrong else ""
    return what + missing + wrong


def _entry(key: str, choice: Choice, indent: str) -> Iterator[str]:
    """The reason as a comment above, and the setting, itself a comment where it is not active."""
    for line in choice.reason.splitlines():
        end = "" if line.endswith(":") else "."
        hang = "  " if line.startswith("- ") else ""
        yield from _comment(line[:1].upper() + line[1:] + end, indent, hang=hang)
    hidden = "" if choice.is_active else "# "
    text = f"{indent}{hidden}{key}: {flow_text(choice.value)}"
    if len(text) <= _WIDTH or not isinstance(choice.value, list) or not choice.is_active:
        yield text
        return
    yield f"{indent}{key}:"
    for value in choice.value:
        yield f"{indent}  - {flow_text(value)}"


def _comment(text: str, indent: str, inner: str = "", hang: str = "") -> Iterator[str]:
    """Text as comments that fit; it must hold no line end."""
    start = f"{indent}# {inner}"
    yield from textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=start,
        subsequent_indent=start + (hang or inner),
        break_long_words=False,
        break_on_hyphens=False,
    )
