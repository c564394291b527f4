import struct
import zipfile

import numpy as np
import pytest

from bmtrain.data import memory
from bmtrain.data.numpy_files import read_npz, read_npz_part
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
    np.savez_compressed(path, x_train=np.zeros((1000, 1000), np.uint8), y_train=Y)
    monkeypatch.setattr(memory, "available_memory", lambda: 999_999)
    with pytest.raises(DataError, match="needs 1 MB of memory; 999,999 bytes are available"):
        read_npz(path)


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
