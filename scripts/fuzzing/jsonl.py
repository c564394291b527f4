"""JSON Lines to damage."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from hypothesis import strategies as st

from fuzzing.files import Files, fitted
from fuzzing.mutations import Draw, altered, as_json, damaged_files, odd_values, times

NAME = "data.jsonl"
_WORDS = (
    *(b'"', b"\\", b"{", b"}", b"[", b"]", b":", b",", b"\n", b"\r\n", b"\r", b"\n\n", b"null"),
    *(b"true", b"NaN", b"Infinity", b"-0", b"1e400", b"1e39", b"01", b'"kind"', b'"":', b"{}\n"),
    *(b"\\ud800", b"\\u0000", b"\xff", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"\0", b"9" * 5000),
)
_UNITS = (
    *("[", '{"a":', '{"a": 1, "kind": "x"}\n', "\n", " ", "{}\n", "9", '"', "\\u00e9"),
    *('"k{n}": {n}, ', "null\n", "[]\n", '{"k{n}": {n}}\n', "\\ud83d"),
)
_BEFORE = ("", '{"a": 1, "kind": "x"}\n', '{"a": ', '{"kind": "', "{", "\ufeff", '{"a": 1}\n{"a": ')
_AFTER = ("", "\n", "}\n", '"}\n', '"kind": 1}\n', "]}\n")


@cache
def seeds() -> Sequence[Files]:
    """Numbers and texts; gaps, nested values and an order of its own; a long one and a wide one."""
    small = [{"a": a, "b": a / 2, "kind": kind} for a, kind in enumerate("xyxy")]
    numbers = [{"w": 1, "g": row // 2, "f": row**0.5, "target": 3.5 * row} for row in range(40)]
    odd = [
        {"kind": "x", "a": None, "b": [1, {"c": 2}]},
        {"b": True, "a": "1", "kind": "😀"},
        {"a": 1, "b": "", "kind": "x", "more": {}},
    ]
    long = [{"a": row, "kind": row % 7} for row in range(2000)]
    wide = [{f"{column:x}": column for column in range(2000)}] * 2
    tables: tuple[Sequence[Any], ...] = (small, numbers, odd, long, wide)
    return tuple({NAME: _lines(rows)} for rows in tables)


def inputs(found: Sequence[Files]) -> st.SearchStrategy[Files]:
    """Damaged files, lines of odd values, and long repetitions."""
    drawn = st.one_of(_tables(), _repetitions()).map(lambda content: {NAME: content})
    return st.one_of(damaged_files(found, _WORDS), drawn).map(fitted)


def _lines(rows: Sequence[Any]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


@st.composite
def _tables(draw: Draw) -> bytes:
    """Lines of mostly the same keys; some with something else in them."""
    names = draw(st.lists(st.sampled_from(("a", "b", "kind", "", "é")), min_size=1, unique=True))
    usual = st.sampled_from((0, 1, 2.5, "x", "y", "1"))
    value = draw(st.sampled_from((usual, usual, st.one_of(usual, odd_values()))))
    rows: Any = [
        {name: draw(value) for name in draw(st.permutations(names))}
        for _ in range(draw(st.integers(1, 8)))
    ]
    if draw(st.booleans()):
        rows = draw(altered(rows, odd_values()))
    lines = rows if isinstance(rows, list) else [rows]
    line_end = draw(st.sampled_from((b"\n", b"\n", b"\r\n", b"\r", b"\n\n")))
    return bytes(line_end.join(as_json(line, None) for line in lines))


@st.composite
def _repetitions(draw: Draw) -> bytes:
    """Very many brackets, keys, lines, digits."""
    unit = draw(st.sampled_from(_UNITS))
    middle = "".join(unit.replace("{n}", str(number)) for number in range(draw(times(unit))))
    before, after = draw(st.sampled_from(_BEFORE)), draw(st.sampled_from(_AFTER))
    return bytes((before + middle + after).encode())
