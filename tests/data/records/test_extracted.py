"""Archives and compressed files, streamed: read where they lie, or extracted once, to the same bits."""

import gzip
import shutil
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest

from bmtrain.data.arrays import array_files, idx
from bmtrain.data.load import load_dataset
from bmtrain.data.records import record_cache
from bmtrain.data.records.conversion import written_whole
from bmtrain.data.sources import convert_into
from bmtrain.errors import DataError, EnvironmentFault

LABELS = np.arange(60) % 3


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """A cache of the test's own; several blocks of everything."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(array_files, "_BLOCK_BYTES", 200)
    monkeypatch.setattr(idx, "_BLOCK_BYTES", 200)
    return tmp_path / "cache" / "bmtrain" / "data"


@pytest.fixture
def load(section):
    def read(path, wanted, **keys):
        return load_dataset(section(path, storage=wanted, **keys), task="classification", seed=3)

    return read


@pytest.fixture
def archive(tmp_path, numbers):
    """(kind, values …) -> an archive; kinds are stored, deflated, and a directory of .idx.gz."""

    def write(kind, values=None):
        if values is None:
            values = numbers.integers(0, 255, (60, 3, 5)).astype(np.uint8)
        if kind == "gz":
            directory = tmp_path / "idx"
            directory.mkdir()
            for name, array in (("images-idx3", values), ("labels-idx1", LABELS.astype(np.uint8))):
                header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
                path = directory / f"train-{name}-ubyte.gz"
                path.write_bytes(gzip.compress(header + array.tobytes(), mtime=0))
            return directory
        path = tmp_path / "a.npz"
        save = np.savez if kind == "stored" else np.savez_compressed
        save(path, x_train=values, y_train=LABELS, x_test=values[:7], y_test=LABELS[:7])
        return path

    return write


def same(one, other):
    assert one.facts == other.facts
    for name, split in one.splits.items():
        twin = other.splits[name]
        assert split.features[:].tobytes() == twin.features[:].tobytes()
        rows = np.array([3, 0, 3])
        assert split.features[rows].tobytes() == twin.features[rows].tobytes()
    return True


@pytest.mark.parametrize("kind", ["stored", "deflated", "gz"])
def test_streamed_it_is_what_it_is_when_it_is_held(archive, load, cache, kind):
    path = archive(kind)
    held, streamed = load(path, "resident"), load(path, "stream")
    assert streamed.splits["train"].is_streamed
    assert same(held, streamed)
    kept = sorted(cache.glob("*.npy"))
    assert len(kept) == {"stored": 0, "deflated": 2, "gz": 1}[kind]
    times = [file.stat().st_mtime_ns for file in kept]
    assert same(held, load(path, "stream"))
    assert sorted(cache.glob("*.npy")) == kept
    assert all(
        new >= old for new, old in zip((f.stat().st_mtime_ns for f in kept), times, strict=True)
    )


@pytest.mark.parametrize("dtype", [">f8", "<f4", "<i2", "?"])
@pytest.mark.parametrize("kind", ["stored", "deflated"])
def test_values_of_any_kind_are_those_of_the_archive(archive, load, numbers, kind, dtype):
    path = archive(kind, numbers.integers(0, 2, (60, 7)).astype(dtype))
    assert same(load(path, "resident"), load(path, "stream"))


def test_a_changed_archive_is_extracted_again(archive, load):
    path = archive("deflated")
    before = load(path, "stream").facts.fingerprint
    path.unlink()
    archive("deflated", np.zeros((60, 3, 5), np.uint8))
    after = load(path, "stream")
    assert after.facts.fingerprint != before
    assert same(load(path, "resident"), after)


def test_a_stored_member_is_read_wherever_it_lies(tmp_path, load):
    """Its header in the archive has a longer extra field than the list at the end says."""
    path = tmp_path / "a.npz"
    values = np.arange(180, dtype=np.float64).reshape(60, 3)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, array in (("y_train", LABELS), ("x_train", values)):
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.save(member, array)
    assert same(load(path, "resident"), load(path, "stream"))


@pytest.mark.parametrize("kind", ["stored", "deflated", "gz"])
def test_damage_is_found_before_anything_is_trained_on(archive, load, cache, numbers, kind):
    """Of a stored member beyond what is read with its header."""
    path = archive(kind, numbers.integers(0, 255, (60, 300)).astype(np.uint8))
    file = path if path.is_file() else path / "train-images-idx3-ubyte.gz"
    content = bytearray(file.read_bytes())
    place = content.index(b"x_train.npy") + 15_000 if kind != "gz" else len(content) - 30
    content[place] ^= 0x10
    file.write_bytes(content)
    with pytest.raises(DataError):
        load(path, "stream")
    assert list(cache.glob("*")) == [] or kind == "stored"


@pytest.mark.parametrize("kind", ["deflated", "gz"])
def test_without_room_it_is_told_and_nothing_is_left(archive, load, cache, monkeypatch, kind):
    path = archive(kind)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2**30))
    with pytest.raises(EnvironmentFault, match="the disk is full"):
        load(path, "stream")
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("kind", ["deflated", "gz"])
def test_a_disk_that_fills_up_meanwhile_leaves_nothing(archive, load, cache, monkeypatch, kind):
    path = archive(kind)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(record_cache, "write_records", full)
    with pytest.raises(EnvironmentFault, match="the disk is full"):
        load(path, "stream")
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("kind", ["deflated", "gz"])
def test_without_a_cache_it_is_told(archive, load, monkeypatch, kind):
    monkeypatch.setenv("BMTRAIN_DATA_CACHE", "0")
    with pytest.raises(DataError, match="it must be extracted, and there is no cache"):
        load(archive(kind), "stream")


@pytest.mark.parametrize("kind", ["stored", "deflated"])
def test_fortrans_order_is_refused_in_an_archive_too(archive, load, section, tmp_path, kind):
    path = archive(kind, np.asfortranarray(np.arange(180.0).reshape(60, 3)))
    with pytest.raises(DataError, match="Fortran's order"):
        load(path, "stream")
    with written_whole(tmp_path / "a.set") as empty:
        convert_into(empty, section(path))
    assert same(load(path, "resident"), load(tmp_path / "a.set", "stream"))
