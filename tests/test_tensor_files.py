"""A safetensors file may promise anything; what is false is refused before memory is taken."""

from __future__ import annotations

import json
import os
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from bmtrain import tensor_files


def file_of(header: Any, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def read(path: Path) -> dict[str, tensor_files.Array]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(descriptor).st_size
        places = tensor_files.read_places(descriptor, size)
        content = tensor_files.read_content(descriptor, size)
    finally:
        os.close(descriptor)
    return tensor_files.TensorFile(content, places).tensors()


def entry(shape: Any, begin: Any, end: Any, dtype: Any = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def test_what_the_package_writes_is_read(tmp_path: Path) -> None:
    tensors: dict[str, tensor_files.Array] = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3),
        "b": np.array(7, np.int64),
        "c": np.zeros((0, 4), np.uint8),
    }
    safetensors.numpy.save_file(tensors, tmp_path / "x", metadata={"note": "ignored"})
    found = read(tmp_path / "x")
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(found[name], tensor)
        assert found[name].dtype == tensor.dtype


def test_tensors_that_are_not_aligned_are_copied(tmp_path: Path) -> None:
    header = {"b": entry([1], 0, 1, "U8"), "a": entry([1], 1, 5)}
    (tmp_path / "x").write_bytes(file_of(header, b"\x07" + np.float32(2.5).tobytes()))
    found = read(tmp_path / "x")
    assert found["a"].flags.aligned
    assert found["a"][0] == 2.5


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "0 bytes are too few"),
        (b"\x01\x00\x00", "3 bytes are too few"),
        (b"\xff" * 8 + b"{}", "promises 18446744073709551615 bytes, the file has 10"),
        ((9).to_bytes(8, "little") + b"{}", "promises 9 bytes"),
        (file_of(b"{"), "not JSON"),
        (file_of([]), "not a mapping"),
        (file_of(b'{"a":{},"a":{}}'), "the key 'a' is there twice"),
        (file_of({"../a": entry([1], 0, 4)}, b"1234"), "'../a' is not a name"),
        (file_of({"a\n": entry([1], 0, 4)}, b"1234"), "is not a name"),
        (file_of({"": entry([1], 0, 4)}, b"1234"), "'' is not a name"),
        (file_of({"a": 3}), "tensor a: expected dtype, shape and data_offsets"),
        (file_of({"a": {"dtype": "F32"}}), "tensor a: expected dtype, shape and data_offsets"),
        (file_of({"a": entry([1], 0, 4, "F31")}, b"1234"), "dtype 'F31' is not known"),
        (file_of({"a": entry([1], 0, 4, ["F32"])}, b"1234"), r"dtype \['F32'\] is not known"),
        (file_of({"a": entry([1], 0, 2, "BF16")}, b"12"), "dtype 'BF16' is not known"),
        (file_of({"a": entry("1", 0, 4)}, b"1234"), "shape is not a list of sizes"),
        (file_of({"a": entry([1.0], 0, 4)}, b"1234"), "shape is not a list of sizes"),
        (file_of({"a": entry([True], 0, 4)}, b"1234"), "shape is not a list of sizes"),
        (file_of({"a": entry([-1], 0, 4)}, b"1234"), "shape is not a list of sizes"),
        (file_of({"a": entry([1] * 33, 0, 4)}, b"1234"), "shape is not a list of sizes"),
        (file_of({"a": entry([2**48, 2**48, 0], 0, 0)}), "shape is not a list of sizes"),
        (file_of({"a": entry([2**63], 0, 4)}, b"1234"), "shape is not a list of sizes"),
        (file_of({"a": entry([1], "0", 4)}, b"1234"), "data_offsets is not a pair"),
        (file_of({"a": entry([1], -4, 0)}, b"1234"), "data_offsets is not a pair"),
        (
            file_of({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4, 8]}}, b"1234"),
            "data_offsets is not a pair",
        ),
        (file_of({"a": entry([2**40], 0, 2**42)}), r"tensors end at byte \d+, the file at byte"),
        (file_of({"a": entry([2], 0, 4)}, b"1234"), r"shape \(2,\) does not fit"),
        (file_of({"a": entry([1], 4, 0)}, b"1234"), r"shape \(1,\) does not fit"),
        (
            file_of({"a": entry([1], 0, 4), "b": entry([1], 0, 4)}, b"1234"),
            "tensor b: its bytes overlap",
        ),
        (
            file_of({"a": entry([2], 0, 8), "b": entry([1], 4, 8)}, b"12345678"),
            "tensor b: its bytes overlap",
        ),
        (file_of({"a": entry([1], 4, 8)}, b"12345678"), "tensor a: its bytes overlap or leave|gap"),
        (file_of({"a": entry([1], 0, 4)}, b"12345"), "tensors end at byte"),
        (file_of({}, b"1"), "tensors end at byte"),
    ],
)
def test_a_false_promise_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "x").write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=words):
            read(tmp_path / "x")
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_a_huge_header_in_a_huge_file_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "x").open("wb") as file:
        file.write((2**40).to_bytes(8, "little"))
        file.truncate(2**41)  # a sparse file: terabytes that take no room
    with pytest.raises(ValueError, match="promises 1099511627776 bytes"):
        read(tmp_path / "x")


@settings(deadline=None)
@given(st.data())
def test_any_change_of_a_file_gives_tensors_or_a_value_error(data: st.DataObject) -> None:
    tensors = {"a": np.arange(3, dtype=np.float32), "b": np.array([True])}
    content = bytearray(tensor_files.encode(tensors))
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(content) - 1))
        content[position] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    changed = bytes(content[:cut]) if data.draw(st.booleans()) else bytes(content)
    try:
        places = tensor_files.places_in(changed)
    except ValueError:
        return
    file = tensor_files.TensorFile(np.frombuffer(changed, np.uint8), places)
    assert sum(tensor.nbytes for tensor in file.tensors().values()) < len(changed)


def test_a_file_that_shrinks_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"1234")
    descriptor = os.open(tmp_path / "x", os.O_RDONLY)
    try:
        with pytest.raises(ValueError, match="ends at byte 4, expected 5"):
            tensor_files.read_content(descriptor, 5)
        (tmp_path / "x").write_bytes((100).to_bytes(8, "little") + b"{}")
        with pytest.raises(ValueError, match="ends inside its header"):
            tensor_files.read_places(descriptor, 1000)
    finally:
        os.close(descriptor)
