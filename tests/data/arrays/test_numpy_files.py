import io
import struct
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from bmtrain.data.arrays.numpy_files import (
    read_npy_directory,
    read_npy_part,
    read_npz,
    read_npz_part,
)
from bmtrain.data.raw.coded_texts import CodedTexts
from bmtrain.errors import DataError

X = np.arange(12, dtype=np.float32).reshape(4, 3)
Y = np.array([0, 1, 0, 1])


def npy_bytes(array, **kwargs) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, **kwargs)
    return buffer.getvalue()


def with_header(header: str, body: bytes = b"") -> bytes:
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + body


@given(
    array=npst.arrays(
        st.sampled_from(["?", "u1", "<i2", ">i4", "<i8", "<f2", ">f4", "<f8", "<U3"]),
        npst.array_shapes(max_dims=4, max_side=5),
    ),
    fortran=st.booleans(),
    version=st.sampled_from([(1, 0), (2, 0), (3, 0)]),
)
@settings(max_examples=80, deadline=None)
def test_what_numpy_writes_is_read(tmp_path_factory, array, fortran, version):
    path = tmp_path_factory.getbasetemp() / "any.npy"
    array = np.asfortranarray(array) if fortran else array
    path.write_bytes(npy_bytes(array, version=version))
    read = read_npy_part(path, labels=False).array
    assert read.dtype == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(read, array)


@given(data=st.data(), stored=st.booleans())
@settings(max_examples=200, deadline=None)
def test_changed_bytes_are_a_data_error_and_nothing_else(tmp_path_factory, data, stored):
    path = tmp_path_factory.getbasetemp() / "mutated.npz"
    (np.savez if stored else np.savez_compressed)(path, x_train=X, y_train=Y)
    content = path.read_bytes()
    mutated = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        mutated[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(mutated[: data.draw(st.integers(len(content) // 2, len(content)))]))
    with suppress(DataError):
        read_npz(path)


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_changed_bytes_of_an_npy_file_are_a_data_error_and_nothing_else(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "mutated.npy"
    mutated = bytearray(npy_bytes(X))
    for _ in range(data.draw(st.integers(1, 4))):
        mutated[data.draw(st.integers(0, 127))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(mutated))
    with suppress(DataError):
        read_npy_part(path, labels=False)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_an_archive_has_train_and_the_splits_that_are_there(tmp_path, save):
    save(tmp_path / "d.npz", x_train=X, y_train=Y, x_test=X[:1], y_test=Y[:1], class_names=Y)
    source = read_npz(tmp_path / "d.npz")
    assert list(source.parts) == ["train", "test"]
    np.testing.assert_array_equal(source.parts["train"].array, X)
    np.testing.assert_array_equal(source.parts["test"].labels, Y[:1])


def test_a_directory_of_npy_files_is_read_the_same_way(tmp_path):
    for name, array in {"x_train": X, "y_train": Y, "x_validation": X, "y_validation": Y}.items():
        np.save(tmp_path / f"{name}.npy", array)
    source = read_npy_directory(tmp_path)
    assert list(source.parts) == ["train", "validation"]
    np.testing.assert_array_equal(source.parts["validation"].array, X)


def test_texts_are_labels(tmp_path):
    np.savez(tmp_path / "d.npz", x_train=X, y_train=np.array(["a", "b", "a", "b"]))
    labels = read_npz(tmp_path / "d.npz").parts["train"].labels
    assert isinstance(labels, CodedTexts)
    assert list(labels) == ["a", "b", "a", "b"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["y_train"], "the array x_train is missing; the arrays here are: y_train"),
        (["x_train"], "x_train is there, y_train is missing"),
        (["x_train", "y_train", "y_test"], "y_test is there, x_test is missing"),
        (["x_train", "y_train", "x_test"], "x_test is there, y_test is missing"),
        (["x_train", "y_train", "x_val"], "unknown array 'x_val'.*did you mean 'x_validation'"),
        (["x_train", "y_train", "x_qqqqqqqqqqqqqq"], "unknown array"),
        ([], "the arrays here are: none"),
    ],
)
def test_missing_and_misspelt_arrays_are_named(tmp_path, names, message):
    np.savez(tmp_path / "d.npz", allow_pickle=False, **dict.fromkeys(names, X))
    with pytest.raises(DataError, match=message):
        read_npz(tmp_path / "d.npz")
    for name in names:
        np.save(tmp_path / f"{name}.npy", X)
    with pytest.raises(DataError, match=message):
        read_npy_directory(tmp_path)


def test_object_arrays_are_refused_without_being_unpickled(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("unpickled",))

    objects = np.array([Bomb(), 1], dtype=object)
    np.savez(tmp_path / "d.npz", x_train=objects, y_train=Y)
    with pytest.raises(DataError, match="Python objects, which only pickle can read"):
        read_npz(tmp_path / "d.npz")
    (tmp_path / "a.npy").write_bytes(npy_bytes(objects))
    with pytest.raises(DataError, match="Python objects"):
        read_npy_part(tmp_path / "a.npy", labels=False)
    (tmp_path / "a.npy").write_bytes(b"\x80\x04K\x01.")
    with pytest.raises(DataError, match="wrong magic number"):
        read_npy_part(tmp_path / "a.npy", labels=False)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\x93NUM", "wrong magic number"),
        (b"\x93NUMPY\x09\x00..", "wrong magic number"),
        (b"\x93NUMPY\x01\x00\x10", "length is wrong"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\x7f", "length is wrong"),
        (with_header("{'descr': '<f4'}"), "not of one plain array"),
        (with_header("[" * 30000), "not of one plain array"),
        (with_header("__import__('os').abort()"), "not of one plain array"),
        (with_header("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }"), "type '<c8'"),
        (with_header("{'descr': '<f3', 'fortran_order': False, 'shape': (1,), }"), "type '<f3'"),
        # NumPy has texts of no characters; nothing can be viewed as them.
        (with_header("{'descr': '<U0', 'fortran_order': False, 'shape': (1,), }"), "type '<U0'"),
        (with_header("{'descr': '<M8[s]', 'fortran_order': False, 'shape': (1,), }"), "type"),
        (
            with_header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }"),
            "not of one plain array",
        ),
        (
            with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }", bytes(12)),
            r"truncated: its header declares float32 values of shape \(4,\), 16 bytes; 12 are",
        ),
        (
            with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }", bytes(20)),
            "too long",
        ),
        (
            with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999, 99), }"),
            "truncated",
        ),
        (
            with_header(
                "{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999, 999999999), }"
            ),
            "impossible shape",
        ),
    ],
)
def test_damaged_npy_files_are_refused(tmp_path, content, message):
    path = tmp_path / "a.npy"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_npy_part(path, labels=False)
    assert caught.value.where == str(path)


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        ({"x": X}, X),
        ({"x": X, "x_test": X + 1, "x_train": X + 2}, X),
        ({"x_test": X + 1, "x_train": X + 2}, X + 1),
        ({"x_train": X + 2}, X + 2),
    ],
)
def test_a_part_is_x_else_test_else_train(tmp_path, arrays, expected):
    np.savez(tmp_path / "d.npz", **arrays)
    np.testing.assert_array_equal(read_npz_part(tmp_path / "d.npz", labels=False).array, expected)
    for name, array in arrays.items():
        np.save(tmp_path / f"{name}.npy", array)
    np.testing.assert_array_equal(read_npy_part(tmp_path, labels=False).array, expected)
    with pytest.raises(DataError, match=r"y.* is missing"):
        read_npz_part(tmp_path / "d.npz", labels=True)


def test_a_part_without_x_says_what_is_there(tmp_path):
    np.savez(tmp_path / "d.npz", images=X)
    with pytest.raises(DataError, match="expected an array x, x_test or x_train, got: images"):
        read_npz_part(tmp_path / "d.npz", labels=False)


def test_labels_that_are_not_asked_for_are_not_looked_at(tmp_path):
    np.savez(tmp_path / "d.npz", x=X, y=np.array([object()] * 4))
    assert read_npz_part(tmp_path / "d.npz", labels=False).labels is None


def test_a_member_that_claims_a_name_as_long_as_the_file_is_not_shown_whole(tmp_path):
    path = tmp_path / "d.npz"
    np.savez(path, x_train=np.zeros((4, 10_000), np.uint8), y_train=Y)
    content = bytearray(path.read_bytes())
    content[26:28] = (30_000).to_bytes(2, "little")  # of the first member: the name's length
    path.write_bytes(content)
    with pytest.raises(DataError, match="not an intact zip archive: File name in") as caught:
        read_npz(path)
    assert len(caught.value.message) < 200
