"""The compilation cache shared, on a disk that fills up, read-only: the bits of a run without."""

import subprocess
import sys

import pytest

from tests.workflows.conftest import Ended, Run


@pytest.fixture
def start(environment, project):
    """(run directory, cache's home, overrides) -> the command, started; ended after the test."""
    processes = []

    def started(path, home, *overrides):
        command = [sys.executable, "-m", "bmtrain", "train", "points.yaml", *overrides]
        process = subprocess.Popen(
            [*command, "--run-dir", str(path), "--json"],
            cwd=project,
            env=environment | {"XDG_CACHE_HOME": str(home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield started
    for process in processes:
        process.kill()
        process.communicate()


def finished(process, path):
    out, err = process.communicate(timeout=120)
    return Run(path, Ended(process.returncode, out, err))


def assert_same(run, reference):
    """``reference`` is a run whose bits are those of one without a cache (test_same_bits)."""
    assert run.ended.exit_code == 0, run.ended.err
    assert run.bits() == reference.bits()
    assert run.epochs_but_times == reference.epochs_but_times


def log_of(run):
    return (run.path / "log.txt").read_text()


@pytest.mark.long
def test_two_processes_at_once_share_a_cache_whose_path_has_a_blank(start, reference, tmp_path):
    """Without quotes XLA would end the path at the blank, and read what nobody has checked."""
    home = tmp_path / 'some "home'
    paths = [tmp_path / "run-0", tmp_path / "run-1"]
    processes = [start(path, home) for path in paths]
    for process, path in zip(processes, paths, strict=True):
        run = finished(process, path)
        assert_same(run, reference)
        assert "compilation cache: 0 entries" in log_of(run)
    (root,) = (home / "bmtrain" / "xla").iterdir()
    assert [path.name for path in root.iterdir()] == ["store"]
    names = {path.stem for path in (root / "store").iterdir()}
    assert len(names) == 3
    assert {path.name for path in tmp_path.iterdir()} == {"run-0", "run-1", home.name}


@pytest.mark.long
def test_a_second_run_finds_all_it_needs_however_many_calls_it_makes(start, reference, tmp_path):
    """XLA names its files by what was traced before, and evaluating is traced first."""
    home, stored = tmp_path / "home", []
    for steps_per_call in (1, 7):
        path = tmp_path / f"run-{steps_per_call}"
        process = start(path, home, f"training.steps_per_call={steps_per_call}")
        assert_same(finished(process, path), reference)
        stored.append({file.stem for file in home.glob("bmtrain/xla/*/store/*")})
    assert stored[0] == stored[1]
    assert len(stored[0]) == 3


def test_a_run_that_is_killed_leaves_what_it_compiled(start, tmp_path, wait_for):
    home, log = tmp_path / "home", tmp_path / "run" / "metrics.jsonl"
    process = start(tmp_path / "run", home, "training.epochs=100000")
    wait_for(lambda: log.exists() and log.stat().st_size > 0, process)
    process.kill()
    process.wait()
    assert len(list(home.glob("bmtrain/xla/*/store/*"))) == 3


@pytest.mark.long
def test_a_disk_that_fills_up_before_xla_writes_costs_nothing_but_time(
    start, reference, tmp_path, small_disk, wait_for
):
    disk = small_disk("220M")
    process = start(tmp_path / "run", disk.path)
    wait_for(lambda: list(disk.path.glob("bmtrain/xla/*/process-*")), process)
    disk.fill()
    run = finished(process, tmp_path / "run")
    assert_same(run, reference)
    assert "compilation cache: moved to /" in log_of(run)
    assert "No space left on device" in log_of(run)
    assert "compilation cache: nothing is stored" in log_of(run)


@pytest.mark.long
def test_a_read_only_cache_is_not_used(start, reference, tmp_path, small_disk):
    disk = small_disk("1M")
    disk.remount("ro")
    run = finished(start(tmp_path / "run", disk.path), tmp_path / "run")
    assert_same(run, reference)
    assert "compilation cache: off, [Errno 30] Read-only file system" in log_of(run)
