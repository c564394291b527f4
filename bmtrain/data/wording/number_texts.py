"""Texts that are numbers, that people mean as numbers, or that stand for a missing one."""

from __future__ import annotations

import re
from typing import Final

#: What stands for "no value" in tables of all kinds; compared in lower case.
MISSING_MARKS: Final = frozenset(
    {"na", "n/a", "nan", "null", "none", "missing", "?", "-", "--", ".", "#n/a"}
)

# $373,706.50   373.706,50 €   12 345   -£5   1,5   12 %
_WRITTEN_FOR_PEOPLE: Final = re.compile(
    r"""(?P<sign>[+-]?) (?:[$€£¥₹]\s?)?
        (?: (?P<thousands>\d{1,3} (?P<mark>[,.'’\s]) \d{3} (?: (?P=mark) \d{3} )*) | (?P<whole>\d+) )
        (?: (?P<point>[.,]) (?P<decimals>\d+) )?
        (?: \s?[$€£¥₹%] )?""",
    re.VERBOSE,
)


def is_number(text: str) -> bool:
    """Whether Python reads it as a number; NaN and infinity are."""
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text  # Python's grammar for source code, nobody's for data


def plain_number(text: str) -> str | None:
    """``$373,706`` → 373706, ``1.234,5 €`` → 1234.5, ``12 %`` → 12; None for all else.

    A number that needs no rewriting is None, too.
    """
    match = None if is_number(text) else _WRITTEN_FOR_PEOPLE.fullmatch(text)
    if match is None or (match["mark"] is not None and match["mark"] == match["point"]):
        return None
    digits = re.sub(r"\D", "", match["thousands"] or match["whole"])
    decimals = f".{match['decimals']}" if match["decimals"] else ""
    return match["sign"] + digits + decimals
