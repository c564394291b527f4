"""Damage: bytes and JSON documents with something changed in them, as Hypothesis draws it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

from fuzzing.files import MAX_BYTES, Files

Draw = Callable[[st.SearchStrategy[Any]], Any]
Mutation = Callable[[Draw, bytes, Sequence[bytes]], bytes]

#: Whole numbers at which something changes.
EDGES = (0, 1, 2, 7, 8, 127, 128, 255, 256, 2**15, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**32)
FAR_EDGES = (2**53, 2**62, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**400)
#: Lengths in bytes from a few to nearly all that fits.
LENGTHS = st.one_of(st.integers(0, 16), st.integers(0, 300), st.integers(0, MAX_BYTES))

#: What a compressed file may expand to: 60 kB could hold 60 MB, and no bound on time would be fair.
MAX_EXPANDED = 2_000_000

_SIZES = st.one_of(st.integers(0, 5), st.sampled_from([edge for edge in EDGES if edge < 2**32]))
#: Of arrays, those of the seeds among them.
SHAPES = st.one_of(
    st.sampled_from(((4, 2, 2), (4,), (4, 2), (4, 1), (1,), ())),
    st.lists(_SIZES, max_size=5).map(tuple),
    st.lists(st.sampled_from((0, 1)), max_size=40).map(tuple),
)


def times(unit: bytes | str) -> st.SearchStrategy[int]:
    """How often a unit is repeated: mostly a few times, sometimes as often as fits."""
    most = MAX_BYTES // max(1, len(unit))
    few = st.integers(1, 30)
    return st.one_of(
        few, few, few, st.integers(1, min(500, most)), st.integers(1, most), st.just(most)
    )


def _position(draw: Draw, content: bytes) -> int:
    return int(draw(st.integers(0, len(content))))


def _flip(draw: Draw, content: bytes, words: Sequence[bytes]) -> bytes:
    del words
    at = _position(draw, content)
    bit = 1 << draw(st.integers(0, 7))
    return content[:at] + bytes(byte ^ bit for byte in content[at : at + 1]) + content[at + 1 :]


def _overwrite(draw: Draw, content: bytes, words: Sequence[bytes]) -> bytes:
    at = _position(draw, content)
    new = _piece(draw, words)
    return content[:at] + new + content[at + len(new) :]


def _insert(draw: Draw, content: bytes, words: Sequence[bytes]) -> bytes:
    at = _position(draw, content)
    return content[:at] + _piece(draw, words) + content[at:]


def _delete(draw: Draw, content: bytes, words: Sequence[bytes]) -> bytes:
    del words
    at = _position(draw, content)
    return content[:at] + content[at + draw(LENGTHS) :]


def _repeat(draw: Draw, content: bytes, words: Sequence[bytes]) -> bytes:
    del words
    at = _position(draw, content)
    piece = content[at : at + draw(LENGTHS)]
    times_more = int(draw(st.sampled_from((2, 3, 50, 1000))))
    return content[:at] + piece * times_more + content[at:]


def _cut(draw: Draw, content: bytes, words: Sequence[bytes]) -> bytes:
    del words
    return content[: _position(draw, content)]


def _move(draw: Draw, content: bytes, words: Sequence[bytes]) -> bytes:
    del words
    start, stop, at = (_position(draw, content) for _ in range(3))
    piece = content[min(start, stop) : max(start, stop)]
    return content[:at] + piece + content[at:]


MUTATIONS: tuple[Mutation, ...] = (_flip, _overwrite, _insert, _delete, _repeat, _cut, _move)


def _piece(draw: Draw, words: Sequence[bytes]) -> bytes:
    """A word of the format, a number at an edge in one of its encodings, or a few bytes."""
    kind = draw(st.integers(0, 2 if words else 1))
    if kind == 0:
        return bytes(draw(st.binary(min_size=1, max_size=8)))
    if kind == 1:
        number = draw(st.sampled_from(EDGES))
        size = draw(st.sampled_from([size for size in (1, 2, 4, 8) if number < 256**size]))
        return int(number).to_bytes(size, draw(st.sampled_from(("little", "big"))))
    return bytes(draw(st.sampled_from(words)))


@st.composite
def damaged(draw: Draw, content: bytes, words: Sequence[bytes] = (), most: int = 5) -> bytes:
    """``content`` with up to ``most`` mutations, never longer than an input may be."""
    for _ in range(draw(st.integers(0, most))):
        content = draw(st.sampled_from(MUTATIONS))(draw, content, words)[:MAX_BYTES]
    return content


@st.composite
def damaged_files(draw: Draw, seeds: Sequence[Files], words: Sequence[bytes] = ()) -> Files:
    """One of ``seeds``, in which one file is damaged, missing, or another one's content."""
    files = dict(draw(st.sampled_from(seeds)))
    if not files:
        return files
    name = draw(st.sampled_from(sorted(files)))
    what = draw(st.integers(0, 9))
    if what == 0:
        del files[name]
    elif what == 1:
        files[name] = files[draw(st.sampled_from(sorted(files)))]
    else:
        files[name] = draw(damaged(files[name], words))
    return files


@st.composite
def values(draw: Draw, size: int, most: int) -> bytes:
    """``size`` bytes, as a header promises them, or some other number; ``most`` at most."""
    size = draw(st.sampled_from((size,) * 5 + (size + 1, max(0, size - 1), 0, most)))
    patterns = st.sampled_from((b"\0", b"\1\0", b"\xff", b"\x7f\xc0\0\0", b"\0\0\0\x7f"))
    pattern = draw(patterns | st.binary(min_size=1, max_size=20))
    size = min(size, most)
    return bytes((pattern * (size // len(pattern) + 1))[:size])


def odd_values() -> st.SearchStrategy[Any]:
    """Values that a JSON document may hold and a reader may not expect there."""
    edges = (*EDGES, *FAR_EDGES)
    return st.one_of(
        st.sampled_from((None, True, False, "", [], {}, float("nan"), float("inf"), 1e308, -0.0)),
        st.sampled_from(edges),
        st.sampled_from([-edge for edge in edges]),
        st.integers(),
        st.floats(),
        st.text(max_size=8),
        st.sampled_from(("\ud800", "\x00", "/etc/passwd", "../x", "x" * 5000, "é", "1", "NaN")),
        st.sampled_from(([[]] * 50, [0] * 3000, {"a": {"b": {}}}, nested(50), nested(70))),
        st.lists(st.integers(-1, 5), max_size=40),
    )


def nested(depth: int) -> list[Any]:
    """``[[[…]]]``."""
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@st.composite
def altered(draw: Draw, document: Any, values: st.SearchStrategy[Any]) -> Any:
    """The document, plain data, with one value replaced, taken out or doubled: each as likely."""
    return _altered_at(draw, document, draw(st.sampled_from(_places(document))), values)


def _places(document: Any) -> list[tuple[Any, ...]]:
    """The keys that lead to each value, the document itself among them."""
    children: list[tuple[Any, Any]] = []
    if isinstance(document, dict):
        children = list(document.items())
    elif isinstance(document, list):
        children = list(enumerate(document))[:50]
    return [(), *((key, *rest) for key, child in children for rest in _places(child))]


def _altered_at(
    draw: Draw, document: Any, place: tuple[Any, ...], values: st.SearchStrategy[Any]
) -> Any:
    if not place:
        return draw(values)
    key, *rest = place
    copy = dict(document) if isinstance(document, dict) else dict(enumerate(document))
    what = 2 if rest else draw(st.integers(0, 7))
    if what == 0:
        del copy[key]
    elif what == 1:
        other = draw(st.text(max_size=5)) if isinstance(document, dict) else len(copy)
        copy[other] = copy[key]
    else:
        copy[key] = _altered_at(draw, copy[key], tuple(rest), values)
    return copy if isinstance(document, dict) else list(copy.values())


def as_json(document: Any, indent: int | None = 1) -> bytes:
    """The document as JSON, with what JSON does not know (NaN) as Python writes it."""
    return json.dumps(document, indent=indent).encode()
