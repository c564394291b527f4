"""JSON with nothing let in that JSON does not have."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmtrain import strict_json

documents = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(documents, st.sampled_from([None, 1]))
def test_what_is_encoded_decodes_to_the_same(document: Any, indent: int | None) -> None:
    content = strict_json.encode(document, indent=indent)
    assert content.isascii()
    assert strict_json.decode(content) == document == json.loads(content)


@given(st.binary())
def test_any_bytes_give_a_document_or_a_value_error(content: bytes) -> None:
    try:
        document = strict_json.decode(content)
    except ValueError:
        return
    assert document == json.loads(content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not JSON"),
        (b'{"a": NaN}', "NaN is not a number"),
        (b"[Infinity]", "Infinity is not a number"),
        (b"[-Infinity]", "-Infinity is not a number"),
        (b"[1e999]", "too large"),
        (b"[-1e999]", "too large"),
        (b'{"a": 1, "b": 2, "a": 3}', "the key 'a' is there twice"),
        (b'{"x": {"\\u0061": 1, "a": 3}}', "the key 'a' is there twice"),
        (b"[" * 100_000, "nested deeper"),
        (b"[" * 65 + b"]" * 65, "nested deeper than 64"),
        (b'{"a":' * 500 + b"1" + b"}" * 500, "nested deeper than 64"),
        (b"9" * 5000, "digit"),
        (b"\xef\xbb\xbf{}", "not ASCII at 0"),
        ('["ü"]'.encode(), "not ASCII at 2"),
        (b"{} {}", "not JSON"),
        (b"[1,]", "not JSON"),
        (b'"' + b"a" * strict_json.MAX_BYTES + b'"', "at most 8388608 are read"),
        (b"[" + b"[]," * strict_json.MAX_VALUES + b"[]]", "more than 200000 values"),
    ],
)
def test_what_json_does_not_have_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        strict_json.decode(content)


def test_sixty_four_levels_are_read() -> None:
    assert json.dumps(strict_json.decode(b"[" * 64 + b"]" * 64)) == "[" * 64 + "]" * 64


@pytest.mark.parametrize("document", [float("nan"), {"a": [float("inf")]}])
def test_what_is_not_finite_is_not_written(document: Any) -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        strict_json.encode(document)


def test_what_could_not_be_read_again_is_not_written() -> None:
    deep: list[Any] = []
    for _ in range(70):
        deep = [deep]
    with pytest.raises(ValueError, match="nested deeper"):
        strict_json.encode(deep)
    with pytest.raises(ValueError, match="more than 200000 values"):
        strict_json.encode([0] * (strict_json.MAX_VALUES + 1))


@pytest.mark.parametrize("value", [b"[]", b"{}", b'{"":1}', b'"\\ud83d\\ude00"', b"1.5"])
def test_the_largest_document_needs_bounded_memory(value: bytes) -> None:
    content = b"[" + b",".join([value] * (strict_json.MAX_VALUES // 3)) + b"]"
    tracemalloc.start()
    try:
        strict_json.decode(content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * len(content) + 64 * 2**20


def test_require_raises_only_when_the_condition_fails() -> None:
    strict_json.require(True, "never said")
    with pytest.raises(ValueError, match="said"):
        strict_json.require(False, "said")
