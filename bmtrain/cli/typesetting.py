"""Text for a screen: no control characters, plain letters where it must be, lines that fit."""

from __future__ import annotations

import re
import unicodedata

from bmtrain.cli.exit_codes import COMMANDS
from bmtrain.program import program

_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if code != 10}
#: What messages are written with beyond ASCII.
_PLAIN = str.maketrans(
    {
        "×": "x",
        "·": "*",
        "−": "-",
        "–": "-",
        "—": "-",
        "…": "...",
        "→": "->",
        "≤": "<=",
        "≥": ">=",
        "²": "^2",
        "½": "1/2",
        "α": "alpha",
        "λ": "lambda",
        "Σ": "sum ",
        "✔": "[ok]",
        "⚠": "[!]",
        "✘": "[x]",
    }
)
#: Text in fewer columns than this is harder to read than text under its heading.
NARROWEST = 16
#: How much text under its heading is indented.
_INDENT = 2
_COLOR = re.compile(r"\x1b\[[0-9;]*m")
_COMMANDS = "|".join(name for name in COMMANDS if name)
#: Stands for a blank at which no line is broken; no printable text has it.
_JOINT = "\0"


def printable(text: str, *, plain: bool = False) -> str:
    r"""The text with control characters written out (``\x1b``); new lines stay, tabs are blanks.

    Args:
        text: anything.
        plain: write ``28x28`` for 28×28: the reader shows ASCII only.
    """
    text = text.replace("\t", "    ").translate(_CONTROL)
    return text.translate(_PLAIN) if plain else text


def columns(text: str) -> int:
    """Terminal columns of printable text, colours left out; wide characters take two."""
    if text.isascii() and "\x1b" not in text:
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in _COLOR.sub("", text)
    )


def hang_of(text: str, width: int, beside: int) -> int:
    """Where the text's further lines begin: ``beside`` if it can be read there, else at the left.

    It cannot where too few columns are left, or too few for a word that fits at the left.
    """
    longest = max(columns(word) for word in text.split(" "))
    fits_at_the_left_only = width - beside < longest <= width - _INDENT
    return _INDENT if width - beside < NARROWEST or fits_at_the_left_only else beside


def wrapped(text: str, width: int, *, begins: int = 0, hang: int = 0) -> list[str]:
    """One line of text as lines of at most ``width`` columns, broken at blanks only.

    A longer word stays whole: the terminal breaks it, and gives it back in one piece.

    Args:
        text: printable, without line ends.
        width: columns that there are.
        begins: columns before the first line that are taken.
        hang: columns before each other line, to be left blank.
    """
    lines: list[str] = []
    line, gap, used = "", "", begins if begins <= width else begins % width
    for token in re.findall(r" +|[^ ]+", text):
        if token.startswith(" "):
            gap = token
            continue
        needed = columns(token)
        would_fit_alone = hang + needed <= width
        if used + len(gap) + needed > width and (line or (would_fit_alone and used > hang)):
            lines.append(line)
            line, gap, used = "", "", hang
        line += gap + token
        used += len(gap) + needed
        gap = ""
    return [part.replace(_JOINT, " ") for part in (*lines, line + gap)]


def with_whole_commands(text: str) -> str:
    """The text for :func:`wrapped`, in which commands to be copied are words: not to be broken."""
    command = rf"(?<![^\s`]){re.escape(program())} (?:{_COMMANDS})\b[^`;,]*"
    return re.sub(command, lambda found: found.group().rstrip().replace(" ", _JOINT), text)
