import struct
import zipfile

import numpy as np
import pytest

from bmtrain.data.arrays import array_files
from bmtrain.data.arrays.numpy_files import (
    read_npy_directory,
    read_npy_part,
    read_npz,
    read_npz_part,
)
from bmtrain.data.raw import memory
from bmtrain.errors import DataError

X = np.arange(12, dtype=np.float32).reshape(4, 3)
Y = np.array([0, 1, 0, 1])


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.95])
def test_a_truncated_archive_is_told_to_be_one(tmp_path, save, kept):
    path = tmp_path / "d.npz"
    save(path, x_train=X, y_train=Y)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(DataError, match="the archive is truncated: its list of arrays") as caught:
        read_npz(path)
    assert caught.value.where == str(path)
    assert caught.value.hint == "copy, download or save it again"


def test_a_file_that_is_no_archive_is_told_by_its_first_bytes(tmp_path):
    np.save(tmp_path / "a.npy", X)
    path = (tmp_path / "a.npy").rename(tmp_path / "a.npz")
    for read in (read_npz, lambda path: read_npz_part(path, labels=False)):
        with pytest.raises(DataError, match="begin with 50 4b 03 04, got 93 4e 55 4d") as caught:
            read(path)
        assert caught.value.hint == "numpy.savez(PATH, x_train=…, y_train=…) writes one"
    path.write_bytes(b"no")
    with pytest.raises(DataError, match=r"this is not an \.npz file: .* got 6e 6f"):
        read_npz(path)


def test_a_zip_member_cannot_claim_more_than_deflate_can_hold(tmp_path):
    path = tmp_path / "d.npz"
    np.savez_compressed(path, x_train=X, y_train=Y)
    content = bytearray(path.read_bytes())
    entry = content.index(b"PK\x01\x02")
    struct.pack_into("<I", content, entry + 24, 2**31)
    path.write_bytes(bytes(content))
    with pytest.raises(DataError, match="declares 2,147,483,648 bytes, more than its"):
        read_npz(path)


def test_a_zip_bomb_is_stopped_by_the_memory_there_is(tmp_path, monkeypatch):
    path = tmp_path / "d.npz"
    np.savez_compressed(path, x_train=np.zeros((1000, 1000), np.uint8), y_train=np.ones(1000))
    monkeypatch.setattr(memory, "available_memory", lambda: 999_999)
    with pytest.raises(DataError, match="needs 1 MB of memory; 999,999 bytes are available"):
        read_npz(path)


NPY_BOMB = (
    b"\x93NUMPY\x01\x00\x46\x00"
    b"{'descr': '|u1', 'fortran_order': False, 'shape': (300000000,), }    \n"
)


@pytest.fixture
def no_values(monkeypatch):
    """No values of an array may be read."""
    monkeypatch.setattr(array_files, "read_array", lambda *_: pytest.fail("values were read"))


@pytest.mark.parametrize("name", ["x_train", "y_train"])
def test_a_zip_bomb_beside_few_examples_is_told_from_its_header(tmp_path, no_values, name):
    other = "y_train" if name == "x_train" else "x_train"
    path = tmp_path / "d.npz"
    np.savez(path, **{other: np.zeros(60)})  # type: ignore[arg-type]  # numpy knows allow_pickle alone
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(f"{name}.npy", "w") as member,
    ):
        member.write(NPY_BOMB)
        for _ in range(30):
            member.write(bytes(10_000_000))
    counts = {"x_train": "300,000,000 examples, 60 labels"}
    message = counts.get(name, "60 examples, 300,000,000 labels")
    with pytest.raises(DataError, match=message) as caught:
        read_npz(path)
    assert caught.value.where == f"{path}: y_train"


def test_a_hole_of_a_file_beside_few_examples_is_told_from_its_header(tmp_path, no_values):
    np.save(tmp_path / "x_train.npy", np.zeros(60))
    with (tmp_path / "y_train.npy").open("wb") as file:
        file.write(NPY_BOMB)
        file.truncate(len(NPY_BOMB) + 300_000_000)
    with pytest.raises(DataError, match="60 examples, 300,000,000 labels") as caught:
        read_npy_directory(tmp_path)
    assert caught.value.where == str(tmp_path / "y_train.npy")


@pytest.mark.parametrize("name", ["x_train", "y_train"])
def test_a_single_number_is_no_array_of_examples(tmp_path, name):
    arrays = {"x_train": np.zeros(60), "y_train": np.zeros(60)} | {name: np.array(7.0)}
    np.savez(tmp_path / "d.npz", **arrays)
    with pytest.raises(DataError, match="one entry per example, got a single number") as caught:
        read_npz(tmp_path / "d.npz")
    assert caught.value.where == f"{tmp_path / 'd.npz'}: {name}"
    np.save(tmp_path / "a.npy", np.array(7.0))
    with pytest.raises(DataError, match="one entry per example, got a single number"):
        read_npy_part(tmp_path / "a.npy", labels=False)


def test_members_of_other_compressions_are_refused(tmp_path):
    path = tmp_path / "d.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("x_train.npy", X.tobytes())
        archive.writestr("y_train.npy", Y.tobytes())
    with pytest.raises(DataError, match="expected a stored or deflated zip member"):
        read_npz(path)


def test_a_flipped_bit_in_a_stored_member_is_noticed(tmp_path):
    path = tmp_path / "d.npz"
    np.savez(path, x_train=X, y_train=Y)
    content = path.read_bytes()
    at = content.index(X.tobytes())
    path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    with pytest.raises(DataError, match="Bad CRC-32"):
        read_npz(path)
