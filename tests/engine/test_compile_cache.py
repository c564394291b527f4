"""The cache of compiled code: verified, private, bounded, and never a reason to fail."""

import dataclasses
import hashlib
import os
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest

from bmtrain.engine import compile_cache
from bmtrain.engine.compile_cache import describe_compile_cache, open_compile_cache
from bmtrain.errors import EnvironmentFault

NAME = "xla_compile_cache__1__2__XLA_CPU_JIT.pb"


@pytest.fixture
def notes():
    return []


@pytest.fixture
def opened(monkeypatch, tmp_path, notes):
    """Opens the cache below ``tmp_path``; what it said is in ``notes``."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("BMTRAIN_XLA_CACHE", raising=False)

    def run():
        notes.clear()
        return open_compile_cache(notes.append)

    return run


@pytest.fixture
def filled(opened):
    """A store with one entry; returns the entry's path in the store."""
    cache = opened()
    (cache.private / NAME).write_bytes(b"machine code" * 100)
    cache.publish()
    cache.close()
    (file,) = cache._store.iterdir()
    return file


def test_what_one_process_compiled_the_next_one_finds(filled, opened, notes):
    cache = opened()
    assert (cache.private / NAME).read_bytes() == b"machine code" * 100
    assert [note for note in notes if "1 entries" in note]
    cache.close()
    assert not cache.private.exists()


def test_code_for_another_gpu_or_driver_is_not_found(filled, opened, notes, monkeypatch):
    monkeypatch.setattr(compile_cache, "gpu_facts", lambda: ("Model: H100",))
    cache = opened()
    assert [note for note in notes if "0 entries" in note]
    cache.close()


def test_directories_are_private_to_the_user(filled, opened):
    cache = opened()
    for directory in (cache.private, filled.parent, filled.parent.parent):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_what_happens_in_the_private_directory_does_not_reach_the_store(filled, opened):
    cache = opened()
    (cache.private / NAME).unlink()
    (cache.private / NAME).write_bytes(b"something else")
    cache.publish()
    cache.close()
    assert filled.read_bytes() == b"machine code" * 100


def _truncate(path):
    path.write_bytes(path.read_bytes()[:-1])


def _empty(path):
    path.write_bytes(b"")


def _flip(path):
    content = bytearray(path.read_bytes())
    content[500] ^= 1
    path.write_bytes(content)


def _rename(path):
    path.rename(path.with_name(NAME))


@pytest.mark.parametrize("damage", [_truncate, _empty, _flip, _rename])
def test_a_damaged_or_unknown_file_is_deleted_and_named(filled, opened, notes, damage):
    damage(filled)
    (damaged,) = filled.parent.iterdir()
    cache = opened()
    assert list(cache.private.iterdir()) == []
    assert not damaged.exists()
    assert f"compilation cache: {damaged.name} is damaged or unknown; deleted" in notes


def test_a_strangers_file_is_deleted(filled, opened, notes):
    stranger = filled.with_name("stranger.pb")
    stranger.write_bytes(b"code")
    cache = opened()
    assert not stranger.exists()
    assert [file.name for file in cache.private.iterdir()] == [NAME]
    assert any("stranger.pb" in note for note in notes)


def test_the_variable_turns_it_off_and_nothing_is_made(monkeypatch, opened, notes, tmp_path):
    monkeypatch.setenv("BMTRAIN_XLA_CACHE", "0")
    assert opened() is None
    assert notes == ["compilation cache: off (BMTRAIN_XLA_CACHE=0)"]
    assert list(tmp_path.iterdir()) == []


def test_a_nearly_full_disk_goes_without(monkeypatch, opened, notes):
    usage = shutil.disk_usage("/")._replace(free=199 * 2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    assert opened() is None
    assert "off, 199 MB free" in notes[0]


def test_a_path_that_cannot_be_made_goes_without(monkeypatch, opened, notes, tmp_path):
    (tmp_path / "bmtrain").write_text("a file where a directory belongs")
    assert opened() is None
    assert notes[0].startswith("compilation cache: off, ")


def test_a_directory_that_cannot_be_written_goes_without(monkeypatch, filled, opened, notes):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    assert opened() is None
    assert "Permission denied" in notes[0]


def test_a_disk_that_fills_up_while_publishing_costs_the_entry_alone_and_is_noted(
    monkeypatch, opened, notes
):
    cache = opened()
    (cache.private / NAME).write_bytes(b"code")

    def write_half(path, content):
        with path.open("wb") as file:
            file.write(content[:2])
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_bytes", write_half)
    cache.publish()
    assert list(cache._store.iterdir()) == []
    assert {path.name for path in cache._store.parent.iterdir()} == {"store", cache.private.name}
    assert notes[-1].startswith("compilation cache: nothing is stored, [Errno 28] No space left")


def test_a_publishing_that_fails_where_the_log_is_full_too_fails_nothing(monkeypatch, opened):
    cache = opened()
    (cache.private / NAME).write_bytes(b"code")
    shutil.rmtree(cache._store)

    def full(_text):
        raise EnvironmentFault("cannot write the log: the disk is full")

    dataclasses.replace(cache, _note=full).publish()


def test_what_xla_has_not_written_to_its_end_is_not_published(opened):
    cache = opened()
    (cache.private / f"{NAME}host-1234.tmp").write_bytes(b"half")
    cache.publish()
    assert list(cache._store.iterdir()) == []


def test_what_two_processes_published_at_once_is_there_for_a_third(filled, opened, notes):
    """XLA may write the same code in another order: both are whole, one is linked."""
    other = b"code machine" * 100
    filled.with_name(f"{NAME}.{hashlib.sha256(other).hexdigest()}").write_bytes(other)
    third = opened()
    assert (third.private / NAME).read_bytes() in {filled.read_bytes(), other}
    assert notes[-1].startswith("compilation cache: 1 entries")


def test_when_xla_cannot_write_a_link_takes_the_directorys_place(opened, notes):
    cache = opened()
    (cache.private / "half.tmp").touch()
    assert cache.move_elsewhere("the disk is full")
    elsewhere = cache.private.readlink()
    assert notes[-1] == f"compilation cache: moved to {elsewhere}, the disk is full"
    (cache.private / NAME).write_bytes(b"code")
    assert (elsewhere / NAME).exists()
    cache.publish()
    assert len(list(cache._store.iterdir())) == 1
    cache.close()
    assert not elsewhere.exists()
    assert not cache.private.is_symlink()


def test_with_no_room_elsewhere_either_nothing_is_moved(monkeypatch, opened):
    cache = opened()
    usage = shutil.disk_usage("/")._replace(free=2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    assert not cache.move_elsewhere("the disk is full")
    assert cache.private.is_dir()


def test_the_oldest_entries_go_first_when_the_store_grows_too_large(monkeypatch, opened):
    cache = opened()
    for age, name in enumerate(["newest.pb", "middle.pb", "oldest.pb"]):
        file = cache.private / name
        file.write_bytes(bytes(1000))
        cache.publish()
        (part,) = cache._store.glob(f"{name}.*")
        os.utime(part, (1e9 - age, 1e9 - age))
    monkeypatch.setattr(compile_cache, "MAX_BYTES", 2500)
    cache.publish()
    names = {file.stem for file in cache._store.iterdir()}
    assert names == {"newest.pb", "middle.pb"}


def test_the_bound_is_500_megabytes():
    assert compile_cache.MAX_BYTES == 500 * 2**20
    assert compile_cache.MIN_FREE_BYTES == 200 * 2**20


def test_what_dead_processes_left_is_removed_and_what_living_ones_have_is_kept(
    filled, opened, tmp_path
):
    root = filled.parent.parent
    ended = subprocess.Popen(["true"])
    ended.wait()
    dead = root / f"process-{ended.pid}-abc"
    living = root / f"process-{os.getppid()}-abc"
    for directory in (dead, living):
        directory.mkdir()
        (directory / NAME).write_bytes(b"code")
    half = root / f"publish-{ended.pid}-0123"
    half.touch()
    moved = root / f"process-{ended.pid}-def"
    (tmp_path / "bmtrain-xla-1").mkdir()
    moved.symlink_to(tmp_path / "bmtrain-xla-1")
    strange = root / f"process-{ended.pid}-ghi"
    (tmp_path / "precious").mkdir()
    strange.symlink_to(tmp_path / "precious")
    opened()
    for path in (dead, half, moved, tmp_path / "bmtrain-xla-1", strange):
        assert not os.path.lexists(path)
    assert living.exists()
    assert (tmp_path / "precious").is_dir()


def test_its_state_is_told_without_making_anything(monkeypatch, tmp_path, opened):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    text, is_used = describe_compile_cache()
    assert text.startswith("empty, at ")
    assert is_used
    assert not (tmp_path / "none").exists()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache = opened()
    for name in "ab":
        (cache.private / f"{name}.pb").write_bytes(bytes(2**20))
    cache.publish()
    cache.close()
    assert describe_compile_cache() == (f"2 entries, 2.0 MB, at {cache.private.parent}", True)
