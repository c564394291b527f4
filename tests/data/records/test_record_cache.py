"""Records come out of the cache as they went in, or are made anew; nothing that is damaged is used."""

import errno
import hashlib
import os
import stat
import subprocess
import sys
from contextlib import suppress

import numpy as np
import pytest

from bmtrain.data.raw.file_rows import FileRows
from bmtrain.data.records import record_cache
from bmtrain.data.records.record_cache import cached_records
from bmtrain.errors import DataError

KEY = "ab" * 32
RECORDS = np.arange(7 * 2 * 3, dtype=np.uint8).reshape(7, 2, 3)


class Source:
    """Makes the records in blocks of 3, and knows how often it was asked."""

    def __init__(self, records=RECORDS):
        self.records = records
        self.times = 0

    def __call__(self):
        self.times += 1
        for start in range(0, len(self.records), 3):
            yield self.records[start : start + 3]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("BMTRAIN_DATA_CACHE", raising=False)
    return tmp_path / "bmtrain" / "data"


def read_file(source, key=KEY):
    return cached_records(key, source.records.shape, source.records.dtype.name, source)


def read(source, key=KEY):
    return read_file(source, key)[:]


def only_file(cache):
    (path,) = cache.iterdir()
    return path


def test_records_are_made_once_and_stay_in_their_file_afterwards(cache):
    source = Source()
    for _ in range(3):
        assert isinstance(read_file(source), FileRows)
        np.testing.assert_array_equal(read(source), RECORDS)
    assert source.times == 1


def test_the_file_is_numpys_own_and_called_by_its_checksum(cache):
    read(Source())
    path = only_file(cache)
    assert path.name == f"{KEY}.{hashlib.sha256(path.read_bytes()).hexdigest()}.npy"
    np.testing.assert_array_equal(np.load(path), RECORDS)


def test_directory_and_file_are_private_to_the_user(cache):
    read(Source())
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert stat.S_IMODE(only_file(cache).stat().st_mode) == 0o600


@pytest.mark.parametrize("place", [0, 60, -1])
def test_a_flipped_bit_anywhere_means_making_them_again(cache, place):
    source = Source()
    read(source)
    path = only_file(cache)
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    np.testing.assert_array_equal(read(source), RECORDS)
    assert source.times == 2
    np.testing.assert_array_equal(np.load(only_file(cache)), RECORDS)


def test_a_truncated_file_means_making_them_again(cache):
    source = Source()
    read(source)
    os.truncate(only_file(cache), 100)
    np.testing.assert_array_equal(read(source), RECORDS)


def test_an_error_of_the_source_leaves_nothing_behind(cache):
    def fails():
        yield RECORDS[:3]
        raise DataError("broken")

    with pytest.raises(DataError, match="broken"):
        cached_records(KEY, RECORDS.shape, "uint8", fails)
    assert list(cache.iterdir()) == []


def test_what_a_killed_process_left_is_removed_and_a_live_ones_is_not(cache):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    cache.mkdir(parents=True)
    left, live = cache / f"writing-{ended.pid}-00", cache / f"writing-{os.getppid()}-00"
    left.write_bytes(b"half")
    live.write_bytes(b"half")
    read(Source())
    assert not left.exists()
    assert live.exists()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EROFS])
@pytest.mark.parametrize("call", ["fsync", "mkdir"])
def test_a_cache_that_cannot_be_written_costs_nothing_but_time(cache, monkeypatch, code, call):
    def fail(*_, **__):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, call, fail)
    source = Source()
    np.testing.assert_array_equal(read(source), RECORDS)
    np.testing.assert_array_equal(read(source), RECORDS)
    with suppress(FileNotFoundError):
        assert list(cache.iterdir()) == []


def test_a_nearly_full_disk_goes_without(cache, monkeypatch):
    monkeypatch.setattr(record_cache, "MIN_FREE_BYTES", 2**60)
    np.testing.assert_array_equal(read(Source()), RECORDS)
    assert list(cache.iterdir()) == []


def test_it_can_be_turned_off(cache, monkeypatch):
    monkeypatch.setenv("BMTRAIN_DATA_CACHE", "0")
    np.testing.assert_array_equal(read(Source()), RECORDS)
    assert not cache.exists()


def test_what_was_not_used_for_longest_is_pruned_first_and_what_is_new_stays(cache, monkeypatch):
    keys = [digit * 64 for digit in "abc"]
    for age, key in enumerate(keys):
        read(Source(), key)
        path = next(cache.glob(f"{key}.*"))
        os.utime(path, (1000 - age, 1000 - age))  # the last one is the oldest
    read(Source(), keys[2])  # used: the youngest now
    size = next(cache.iterdir()).stat().st_size
    monkeypatch.setattr(record_cache, "MAX_BYTES", 2 * size)
    read(Source(), "d" * 64)
    assert {path.name[0] for path in cache.iterdir()} == {"c", "d"}
    monkeypatch.setattr(record_cache, "MAX_BYTES", 1)
    read(Source(), "e" * 64)
    assert {path.name[0] for path in cache.iterdir()} == {"e"}


def test_what_is_in_use_stays_readable_when_another_process_prunes_it(cache):
    found = read_file(Source())
    only_file(cache).unlink()
    np.testing.assert_array_equal(found[:], RECORDS)


def test_other_keys_are_other_records(cache):
    read(Source())
    other = Source(RECORDS + 1)
    np.testing.assert_array_equal(read(other, "cd" * 32), RECORDS + 1)


def test_it_is_flushed_before_it_has_its_name(cache, monkeypatch):
    flushed = []
    fsync = os.fsync

    def record(descriptor):
        flushed.append(any(path.suffix == ".npy" for path in cache.iterdir()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", record)
    read(Source())
    assert flushed == [False, True]
