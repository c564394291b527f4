"""Plain scalars by YAML 1.2's core schema: ``1e-3`` is a number, ``no`` is a string, 012 is 12."""

from __future__ import annotations

import re

NULLS = frozenset({"", "~", "null", "Null", "NULL"})
BOOLS = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", re.ASCII)
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
SPECIAL_FLOAT = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")

#: How every number begins.
_STARTS = frozenset("+-.0123456789")

#: Integers of a larger magnitude are refused: no setting needs them.
MAX_INT = 2**64 - 1
_MAX_INT_CHARACTERS = 70


class OutOfRange(ValueError):
    """An integer beyond 64 bits."""


def resolve_plain(text: str) -> str | int | float | bool | None:
    """The value of an unquoted scalar.

    Raises:
        OutOfRange: an integer whose magnitude is above 2⁶⁴ − 1, however many digits it has.
    """
    if text in NULLS:
        return None
    if text in BOOLS:
        return BOOLS[text]
    if text[0] not in _STARTS:
        return text  # most texts, in a third of the time
    if INT.fullmatch(text):
        return _integer(text)
    if FLOAT.fullmatch(text):
        return float(text)
    if SPECIAL_FLOAT.fullmatch(text):
        return float(text.replace(".", "").lower())
    return text


def _integer(text: str) -> int:
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    digits = text[2:] if base != 10 else text.lstrip("+-")
    digits = digits.lstrip("0") or "0"
    # int() itself refuses some thousand digits, and takes long before that.
    if len(digits) > _MAX_INT_CHARACTERS or int(digits, base) > MAX_INT:
        raise OutOfRange
    return -int(digits, base) if text.startswith("-") else int(digits, base)
