"""Sections as Markdown: what comes from data or a config can neither format nor link anything."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import yaml

from bmtrain.config.resolved import flow_text
from bmtrain.pages.content import Block, Code, Facts, Listing, Section, Table, Words

#: Signs that mean something to some reader of Markdown, wherever they stand.
_SIGNS: Final = re.compile(r"([\\`*_\[\]<>|~$&^])")
#: These do at the beginning of a line: headings, lists, rules.
_AT_BEGIN: Final = re.compile(r"^(#+|[-+=]+|\d{1,9}(?=[.)](?:\s|$)))")
_BLANK: Final = re.compile(r"\s+")


class _Dumper(yaml.SafeDumper):
    """Texts that YAML 1.2 would take for numbers are quoted, too: readers use either version."""


def _represented(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if flow_text(text) == text else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represented)


def escaped(text: str) -> str:
    """The text in one line, every sign of Markdown and HTML in it escaped."""
    line = _SIGNS.sub(r"\\\1", _BLANK.sub(" ", text).strip())
    if begin := _AT_BEGIN.match(line):
        sign = begin[1]
        return f"{sign}\\{line[len(sign) :]}" if sign.isdigit() else f"\\{line}"
    return line


def document(header: dict[str, Any], title: str, sections: Sequence[Section]) -> str:
    """A model card: ``header`` in YAML between two lines of dashes, then the sections."""
    front = yaml.dump(header, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)
    parts = [f"---\n{front}---\n", f"# {escaped(title)}\n"]
    for section in sections:
        parts.append(f"## {escaped(section.title)}\n")
        parts += [text for block in section.blocks for text in _block(block)]
    return "\n".join(parts)


def _block(block: Block) -> Iterator[str]:
    match block:
        case Words():
            yield f"{escaped(block.text)}\n"
        case Listing():
            yield "".join(f"- {escaped(point)}\n" for point in block.points)
        case Facts():
            yield "".join(
                f"- {escaped(fact.name)}: **{escaped(fact.value)}** {escaped(fact.detail)}".rstrip()
                + "\n"
                for fact in block.facts
            )
        case Table():
            yield from _table(block)
        case Code():
            yield f"{escaped(block.caption)}\n"
            yield _fenced(block.text)
        case _:
            raise TypeError(f"a card has no place for {block.kind}")


def _table(table: Table) -> Iterator[str]:
    rule = ["---:" if number in table.numbers else "---" for number in range(len(table.header))]
    rows = [
        _row(list(map(escaped, table.header))),
        _row(rule),
        *(_row(list(map(escaped, row))) for row in table.rows),
    ]
    yield f"{escaped(table.caption)}:\n"
    yield "".join(rows)
    if table.note:
        yield f"{escaped(table.note)}\n"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |\n"


def _fenced(text: str) -> str:
    """A block of code whose fence is longer than any run of backticks in it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text.rstrip()}\n{fence}\n"
