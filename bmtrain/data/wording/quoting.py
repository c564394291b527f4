"""Names and cells of the data as messages quote them: a cell can be as long as its file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

_MAX_SHOWN_LETTERS = 80


def short(text: str) -> str:
    """The text, cut where it is long."""
    return text if len(text) <= _MAX_SHOWN_LETTERS else f"{text[: _MAX_SHOWN_LETTERS - 1]}…"


def short_path(path: Path) -> str:
    """The path; of a long one the end, which tells files apart."""
    text = str(path)
    return text if len(text) <= _MAX_SHOWN_LETTERS else f"…{text[1 - _MAX_SHOWN_LETTERS :]}"


def quoted(text: str) -> str:
    """The text in quotes, cut where it is long."""
    return repr(short(text))


def listed(names: Sequence[str], most: int = 20) -> str:
    """The first names, each cut where it is long, and … where there are more."""
    return ", ".join(map(short, names[:most])) + (", …" if len(names) > most else "")


def listed_and_more(texts: Sequence[str], most: int = 5) -> str:
    """The first texts as they are, and how many more there are."""
    more = f" and {len(texts) - most:,} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more
