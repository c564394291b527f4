"""The cache of compiled code: verified, private, bounded, and never a reason to fail."""

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from bmtrain.engine import compile_cache
from bmtrain.engine.compile_cache import open_compile_cache

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
    return cache._store / NAME


def test_what_one_process_compiled_the_next_one_finds(filled, opened, notes):
    cache = opened()
    assert (cache.private / NAME).read_bytes() == b"machine code" * 100
    assert [note for note in notes if "1 entries" in note]
    cache.close()
    assert not cache.private.exists()


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


def _forget(path):
    path.with_name(path.name + ".json").unlink()


def _garble_record(path):
    path.with_name(path.name + ".json").write_bytes(b"[" * 100_000)


def _odd_record(path):
    path.with_name(path.name + ".json").write_text(json.dumps({"sha256": 3}))


@pytest.mark.parametrize("damage", [_truncate, _empty, _flip, _forget, _garble_record, _odd_record])
def test_a_damaged_or_unknown_file_is_deleted_and_named(filled, opened, notes, damage):
    damage(filled)
    cache = opened()
    assert list(cache.private.iterdir()) == []
    assert not filled.exists()
    assert f"compilation cache: {NAME} is damaged or unknown; deleted" in notes


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


def test_a_disk_that_fills_up_while_publishing_costs_the_entry_alone(monkeypatch, opened):
    cache = opened()
    (cache.private / NAME).write_bytes(b"code")

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "mkstemp", full)
    cache.publish()
    assert list(cache._store.iterdir()) == []


def test_a_publishing_that_is_killed_before_the_record_leaves_nothing_trusted(
    monkeypatch, opened, notes
):
    cache = opened()
    (cache.private / NAME).write_bytes(b"code")
    replaced: list[Path] = []

    def replace_once(self, target):
        if replaced:
            raise OSError(5, "killed")
        replaced.append(target)
        os.rename(self, target)  # noqa: PTH104  # Path.replace is what is replaced here

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", replace_once)
        cache.publish()
    assert (cache._store / NAME).exists()
    assert list(opened().private.iterdir()) == []
    assert any("damaged or unknown" in note for note in notes)


def test_the_oldest_entries_go_first_when_the_store_grows_too_large(monkeypatch, opened):
    cache = opened()
    for age, name in enumerate(["newest.pb", "middle.pb", "oldest.pb"]):
        file = cache.private / name
        file.write_bytes(bytes(1000))
        cache.publish()
        for part in (cache._store / name, cache._store / f"{name}.json"):
            os.utime(part, (1e9 - age, 1e9 - age))
    # Three files of 1,000 bytes and three records of 80.
    monkeypatch.setattr(compile_cache, "MAX_BYTES", 2500)
    cache.publish()
    names = {file.name for file in cache._store.iterdir() if file.suffix == ".pb"}
    assert names == {"newest.pb", "middle.pb"}


def test_the_bound_is_500_megabytes():
    assert compile_cache.MAX_BYTES == 500 * 2**20
    assert compile_cache.MIN_FREE_BYTES == 200 * 2**20


def test_directories_of_dead_processes_are_removed_and_those_of_living_ones_kept(filled, opened):
    root = filled.parent.parent
    ended = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    dead = root / f"process-{int(ended.stdout)}-abc"
    living = root / f"process-{os.getppid()}-abc"
    for directory in (dead, living):
        directory.mkdir()
        (directory / NAME).write_bytes(b"code")
    opened()
    assert not dead.exists()
    assert living.exists()
