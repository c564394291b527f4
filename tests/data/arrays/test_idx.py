import gzip
import os
import struct
import tracemalloc
import zlib
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from bmtrain.data.arrays import idx
from bmtrain.data.arrays.idx import read_idx, read_idx_directory, read_idx_part
from bmtrain.data.raw import memory
from bmtrain.errors import DataError

DTYPES = ["u1", "<i1", "<i2", "<i4", "<f4", "<f8"]
IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
LABELS = np.array([1, 0], np.uint8)


@given(
    array=st.sampled_from(DTYPES).flatmap(
        lambda dtype: npst.arrays(dtype, npst.array_shapes(max_dims=4, max_side=5))
    ),
    compress=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read(tmp_path_factory, idx_bytes, array, compress):
    path = tmp_path_factory.getbasetemp() / "any-idx"
    content = idx_bytes(array)
    path.write_bytes(gzip.compress(content, mtime=0) if compress else content)
    read = read_idx(path)
    assert read.dtype == array.dtype
    assert read.dtype.isnative
    np.testing.assert_array_equal(read, array)


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_changed_bytes_are_a_data_error_or_other_values_and_nothing_else(
    tmp_path_factory, idx_bytes, data
):
    path = tmp_path_factory.getbasetemp() / "mutated-idx"
    content = idx_bytes(IMAGES)
    if data.draw(st.booleans()):
        content = gzip.compress(content, mtime=0)
    mutated = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        mutated[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(mutated[: data.draw(st.integers(0, len(content)))]))
    with suppress(DataError):
        read_idx(path)


@pytest.mark.parametrize("compress", [False, True])
def test_every_truncation_is_noticed(tmp_path, idx_bytes, compress):
    content = idx_bytes(IMAGES)
    content = gzip.compress(content, mtime=0) if compress else content
    path = tmp_path / "images"
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(DataError, match=r"truncated|empty|damaged"):
            read_idx(path)


@pytest.mark.parametrize("compress", [False, True])
def test_a_file_that_goes_on_is_too_long(tmp_path, idx_bytes, compress):
    content = idx_bytes(IMAGES) + b"\0"
    path = tmp_path / "images"
    path.write_bytes(gzip.compress(content, mtime=0) if compress else content)
    with pytest.raises(DataError, match=r"too long.*24 bytes.*\(2, 3, 4\)"):
        read_idx(path)


@pytest.mark.parametrize("magic", ["00000704", "00010803", "00000800", "89504e47"])
def test_a_wrong_magic_number_is_shown(tmp_path, magic):
    path = tmp_path / "images"
    path.write_bytes(bytes.fromhex(magic) + bytes(20))
    with pytest.raises(DataError, match=f"wrong magic number.*got {bytes.fromhex(magic).hex(' ')}"):
        read_idx(path)


def test_a_header_that_claims_more_than_the_file_can_hold_allocates_nothing(tmp_path):
    header = struct.pack(">HBB3I", 0, 8, 3, 60_000, 28, 28)
    path = tmp_path / "images"
    path.write_bytes(header)
    with pytest.raises(DataError, match=r"truncated.*47,040,000 bytes"):
        read_idx(path)
    path.write_bytes(gzip.compress(header, mtime=0))
    with pytest.raises(DataError, match=r"truncated.*too small to hold"):
        read_idx(path)


def test_an_impossible_shape_is_refused(tmp_path):
    path = tmp_path / "images"
    path.write_bytes(struct.pack(">HBB4I", 0, 8, 4, *[2**32 - 1] * 4))
    with pytest.raises(DataError, match="impossible shape"):
        read_idx(path)
    path.write_bytes(bytes([0, 0, 8, 200]) + bytes(800))
    with pytest.raises(DataError, match="impossible shape"):
        read_idx(path)


def test_a_gzip_bomb_is_read_no_further_than_its_header_says(tmp_path, idx_bytes):
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(idx_bytes(LABELS) + bytes(50_000_000), 9))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="too long"):
            read_idx(path)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_a_gzip_bomb_beside_few_images_is_told_from_its_header(
    tmp_path, write_idx_directory, monkeypatch
):
    write_idx_directory(tmp_path, train_images=np.zeros((60, 3, 4), np.uint8))
    bomb = tmp_path / "train-labels-idx1-ubyte.gz"
    with gzip.open(bomb, "wb", compresslevel=1) as file:
        file.write(struct.pack(">HBBI", 0, 8, 1, 300_000_000))
        for _ in range(30):
            file.write(bytes(10_000_000))
    monkeypatch.setattr(idx, "_read_rows", lambda *_: pytest.fail("values were read"))
    for read in (read_idx_directory, lambda path: read_idx_part(path, labels=True)):
        with pytest.raises(DataError, match="60 examples, 300,000,000 labels") as caught:
            read(tmp_path)
        assert caught.value.where == str(bomb)
    (tmp_path / "train-images-idx3-ubyte").unlink()
    bomb.rename(tmp_path / "train-images-idx3-ubyte.gz")
    write_idx_directory(tmp_path, train_labels=LABELS)
    with pytest.raises(DataError, match="300,000,000 examples, 2 labels"):
        read_idx_directory(tmp_path)


def test_more_than_the_available_memory_is_refused(tmp_path, idx_bytes, monkeypatch):
    path = tmp_path / "images"
    path.write_bytes(idx_bytes(IMAGES))
    monkeypatch.setattr(memory, "available_memory", lambda: 20)
    with pytest.raises(DataError, match="needs 24 bytes of memory; 20 bytes are available"):
        read_idx(path)


def test_a_corrupt_gzip_checksum_is_noticed(tmp_path, idx_bytes):
    content = bytearray(gzip.compress(idx_bytes(IMAGES)))
    content[-6] ^= 1
    path = tmp_path / "images.gz"
    path.write_bytes(bytes(content))
    with pytest.raises(DataError, match="compressed data is damaged"):
        read_idx(path)


def test_corrupt_deflate_data_is_noticed(tmp_path):
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(b"", mtime=0)[:10] + b"\xff" * 20)
    with pytest.raises(DataError, match="compressed data is damaged"):
        read_idx(path)
    path.write_bytes(zlib.compress(b"hello"))
    with pytest.raises(DataError, match="compressed data is damaged: Not a gzipped file"):
        read_idx(path)


def test_a_missing_file_a_directory_and_a_pipe_are_data_errors(tmp_path):
    with pytest.raises(DataError, match="no such file or directory"):
        read_idx(tmp_path / "none")
    with pytest.raises(DataError, match="expected a file"):
        read_idx(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="expected a file"):
        read_idx(tmp_path / "pipe")


@pytest.mark.parametrize("compress", [False, True])
def test_a_directory_has_train_and_if_there_test(tmp_path, write_idx_directory, compress):
    arrays = {"train_images": IMAGES, "train_labels": LABELS}
    source = read_idx_directory(write_idx_directory(tmp_path / "a", compress=compress, **arrays))
    assert list(source.parts) == ["train"]
    arrays |= {"t10k_images": IMAGES[:1], "t10k_labels": LABELS[:1]}
    source = read_idx_directory(write_idx_directory(tmp_path / "b", compress=compress, **arrays))
    assert list(source.parts) == ["train", "test"]
    np.testing.assert_array_equal(source.parts["test"].array, IMAGES[:1])
    np.testing.assert_array_equal(source.parts["train"].labels, LABELS)


def test_a_plain_file_wins_over_a_compressed_one(tmp_path, write_idx_directory):
    write_idx_directory(tmp_path, train_images=IMAGES, train_labels=LABELS)
    write_idx_directory(tmp_path, compress=True, train_images=IMAGES + 1)
    np.testing.assert_array_equal(read_idx_directory(tmp_path).parts["train"].array, IMAGES)


def test_the_spelling_with_a_dot_is_read_too(tmp_path, idx_bytes):
    (tmp_path / "train-images.idx3-ubyte").write_bytes(idx_bytes(IMAGES))
    (tmp_path / "train-labels.idx1-ubyte").write_bytes(idx_bytes(LABELS))
    assert read_idx_directory(tmp_path).parts["train"].array.shape == (2, 3, 4)


@pytest.mark.parametrize("kind", ["train_images", "train_labels", "t10k_images", "t10k_labels"])
def test_a_missing_file_of_a_directory_is_named(tmp_path, write_idx_directory, kind):
    arrays = {"train_images": IMAGES, "train_labels": LABELS}
    arrays |= {"t10k_images": IMAGES, "t10k_labels": LABELS}
    del arrays[kind]
    write_idx_directory(tmp_path, **arrays)
    with pytest.raises(DataError, match=f"{kind.replace('_', '-')}-idx.-ubyte is missing"):
        read_idx_directory(tmp_path)


def test_a_part_is_test_before_train_and_may_go_without_labels(tmp_path, write_idx_directory):
    write_idx_directory(tmp_path, train_images=IMAGES, train_labels=LABELS)
    part = read_idx_part(tmp_path, labels=True)
    np.testing.assert_array_equal(part.labels, LABELS)
    write_idx_directory(tmp_path, t10k_images=IMAGES[1:])
    part = read_idx_part(tmp_path, labels=False)
    assert part.labels is None
    np.testing.assert_array_equal(part.array, IMAGES[1:])
    alone = read_idx_part(tmp_path / "train-images-idx3-ubyte", labels=True)
    assert alone.labels is None
