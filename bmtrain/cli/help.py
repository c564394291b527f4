"""What --help shows: lines that fit the terminal."""

from __future__ import annotations

import re
from typing import Any, Final

from typer.core import TyperCommand, TyperGroup

from bmtrain.cli.console import Screen
from bmtrain.cli.typesetting import NARROWEST, wrapped
from bmtrain.program import program

#: RUN is what a training prints last.
_FIRST_STEPS: Final = (
    "init --data mine.csv",
    "check config.yaml",
    "train config.yaml",
    "compare RUN RUN",
    "export RUN --to onnx",
    "predict RUN new.csv -o predictions.csv",
)
#: Longer lines are harder to read, however wide the terminal is.
_WIDEST: Final = 100
#: Typer's own lines are broken by us.
_UNBROKEN: Final = 100_000
_USAGE: Final = "Usage: "
#: What the parser writes around an argument that must be given, and its types in Python's words.
_BRACES = re.compile(r"\{([A-Z]+)\}")
_ARGUMENT = re.compile(r"( +\S+)(?: <[^>]*>)?( +)(.*)")
_NUMBERS: Final = ("<float range>", "<int range>")
_ROW = re.compile(r"( {0,8})(\S+(?: \S+)*) {2,}(\S.*)")


def first_steps() -> str:
    """From a table to a model in use, as the middle of the help of all commands."""
    rows = [f"  {program()} {step}" for step in _FIRST_STEPS]
    return "\b\n" + "\n".join(["From a CSV file of your own:", *rows])


def in_users_words(text: str) -> str:
    """Help without the parser's braces and the names of Python's types."""
    for number in _NUMBERS:
        text = text.replace(number, f"{'NUMBER':<{len(number)}}")
    before, heading, rest = text.partition("\nArguments:\n")
    before = _BRACES.sub(r"\1", before)
    if not heading:
        return before
    block, gap, after = rest.partition("\n\n")
    rows = [row.groups() for line in block.splitlines() if (row := _ARGUMENT.fullmatch(line))]
    room = max(len(name) for name, *_ in rows)
    block = "\n".join(f"{name:<{room}}  {told}" for name, _, told in rows)
    return before + heading + block + gap + after


def laid_out(text: str, width: int) -> str:
    """Help whose lines may have any length in lines of ``width`` columns, broken at blanks.

    Descriptions hang beside what they describe, or stand under it where it is narrow.
    """
    return "\n".join(part for line in text.splitlines() for part in _laid_out(line, width))


def _laid_out(line: str, width: int) -> list[str]:
    indent = len(line) - len(line.lstrip())
    if line.startswith(_USAGE):
        return _hung(line, width, 0, len(_USAGE) if width >= 2 * NARROWEST else 4)
    if (row := _ROW.fullmatch(line)) is None:
        hang = indent if indent + NARROWEST <= width else 4
        return _hung(line.strip(), width, min(indent, hang), hang)
    beside = row.start(3)
    if beside + max(NARROWEST, *map(len, row[3].split())) <= width:
        return _hung(line.lstrip(), width, indent, beside)
    under = indent + 4
    return _hung(row[2], width, indent, under) + _hung(row[3], width, under, under)


def _hung(text: str, width: int, begins: int, hang: int) -> list[str]:
    first, *others = wrapped(text, width, begins=begins, hang=hang)
    return [(" " * begins + first).rstrip(), *(" " * hang + other for other in others)]


def _help(context: Any, text: str) -> str:
    screen = context.find_object(Screen)
    text = in_users_words(text)
    if screen is None:
        return text
    return laid_out(screen.out.printable(text), min(screen.out.width, _WIDEST))


class Command(TyperCommand):
    """A command whose help fits."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As ever; what is wrong knows its command, also where the parser does not say it."""
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            if getattr(error, "ctx", ctx) is None:
                error.ctx = ctx  # type: ignore[attr-defined]
            raise

    def get_help(self, ctx: Any) -> str:
        """The help, as wide as the terminal and no wider."""
        ctx.terminal_width = _UNBROKEN
        return _help(ctx, super().get_help(ctx))


class Group(TyperGroup):
    """All commands together, whose help fits."""

    def get_help(self, ctx: Any) -> str:
        """The help, as wide as the terminal and no wider."""
        ctx.terminal_width = _UNBROKEN
        return _help(ctx, super().get_help(ctx))
