"""JSON as it should be: no NaN, no duplicate keys, bounded, and nothing else let in.

``json.loads`` alone accepts NaN, Infinity and duplicate keys, turns ``1e999`` into
inf, and needs 25 times the text's size for ``[[],[],…``. Files of strangers are read
through here.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

MAX_BYTES = 8 * 2**20
#: Values in one document; each costs Python up to about 280 bytes while it is read.
MAX_VALUES = 200_000
MAX_DEPTH = 64

#: What JSON can say. A recursive alias would not help: mypy narrows it no further.
Json = Any


def decode(content: bytes) -> Json:
    """Reads one document of ASCII JSON (other characters are escaped, as ``encode`` does).

    Raises:
        ValueError: it is not that; the message says what was found.
    """
    _check_size(content)
    try:
        document = json.loads(
            content.decode("ascii"),
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
    except UnicodeDecodeError as error:
        raise ValueError(f"a byte that is not ASCII at {error.start}") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at byte {error.pos}") from None
    except RecursionError:
        raise ValueError(f"nested deeper than {MAX_DEPTH}") from None
    _check_depth(document)
    return document


def encode(document: Json, *, indent: int | None = 1) -> bytes:
    """The document as ASCII JSON, in the order given, within the bounds of ``decode``.

    Raises:
        ValueError: a number is not finite, or the document exceeds the bounds.
    """
    separators = (",", ":") if indent is None else None
    text = json.dumps(document, indent=indent, separators=separators, allow_nan=False)
    content = text.encode("ascii")
    _check_size(content)
    _check_depth(document)
    return content


def require(condition: bool, message: str) -> None:
    """``ValueError`` unless the condition holds: for checking what was read, value by value."""
    if not condition:
        raise ValueError(message)


def _check_size(content: bytes) -> None:
    if len(content) > MAX_BYTES:
        raise ValueError(f"{len(content)} bytes; at most {MAX_BYTES} are read")
    num_values = content.count(b",") + content.count(b"[") + content.count(b"{")
    if num_values > MAX_VALUES:
        raise ValueError(f"more than {MAX_VALUES} values")


def _check_depth(document: Json) -> None:
    level = [document]
    for _ in range(MAX_DEPTH):
        level = [child for value in level for child in _children(value)]
        if not level:
            return
    raise ValueError(f"nested deeper than {MAX_DEPTH}")


def _children(value: Json) -> list[Json]:
    if value is None or isinstance(value, str | int | float):
        return []  # most are, and the questions below take longer
    if isinstance(value, Mapping):
        return list(value.values())
    if isinstance(value, Sequence):
        return list(value)
    return []


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        counts = Counter(key for key, _ in pairs)
        raise ValueError(f"the key {counts.most_common(1)[0][0]!a:.80} is there twice")
    return mapping


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number is too large")
    return number
