"""What the machine has: its memory, as far as the system tells, and who runs on it."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bmtrain import machine


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def pretend(
        meminfo: str | None = None,
        container: str | None = None,
        limit: int = resource.RLIM_INFINITY,
        own_size: str | None = "0",
    ) -> None:
        for name, content in (
            ("_MEMINFO", meminfo),
            ("_CGROUP_LIMIT", container),
            ("_OWN_SIZE", own_size),
        ):
            path = tmp_path / name
            path.unlink(missing_ok=True)
            if content is not None:
                path.write_text(content)
            monkeypatch.setattr(machine, name, path)
        monkeypatch.setattr(resource, "getrlimit", lambda _what: (limit, limit))

    return pretend


def test_the_smallest_of_free_memory_the_containers_and_the_shells_limit_counts(
    system: Callable[..., None],
) -> None:
    free = "MemTotal: 9 kB\nMemAvailable:    2000 kB\n"
    system(free, "1000\n")
    assert machine.available_memory() == 1000
    system(free, "max\n")
    assert machine.available_memory() == 2_048_000
    page = os.sysconf("SC_PAGE_SIZE")
    system(free, "max\n", limit=10 * page, own_size="7 3 1 1 0 2 0\n")
    assert machine.available_memory() == 3 * page
    system(free, "max\n", limit=10 * page, own_size="11 3\n")
    assert machine.available_memory() == 0
    system(free, "max\n", limit=999, own_size=None)
    assert machine.available_memory() == 999


def test_without_any_of_them_the_whole_memory_counts(system: Callable[..., None]) -> None:
    system()
    assert machine.available_memory() == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    system("MemTotal: 9 kB\n")
    assert machine.available_memory() > 0


def test_a_process_is_alive_until_it_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.is_alive(os.getpid())
    ended = subprocess.Popen(["true"])
    ended.wait()
    assert not machine.is_alive(ended.pid)
    assert not machine.is_alive(10**30)

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    assert machine.is_alive(1)  # somebody else's


def test_driver_and_models_of_gpus_are_told_and_nothing_that_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_NVIDIA_DRIVER", tmp_path)
    assert machine.gpu_facts() == ()
    version = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.1"
    (tmp_path / "version").write_text(f"{version}\nGCC version:  gcc 13\n")
    for bus in ("0000:02:00.0", "0000:01:00.0"):
        (tmp_path / "gpus" / bus).mkdir(parents=True)
        text = f"Model: \t\t H100 {bus[5:7]}\nIRQ:   \t\t 24\nBus Location: \t {bus}\n"
        (tmp_path / "gpus" / bus / "information").write_text(text)
    assert machine.gpu_facts() == (version, "Model: \t\t H100 01", "Model: \t\t H100 02")
    assert machine.gpu_names() == ("H100 01", "H100 02")


@pytest.mark.parametrize(
    ("value", "hidden"), [(None, False), ("0", False), ("0,1", False), ("", True), ("-1", True)]
)
def test_gpus_are_hidden_by_an_empty_list_and_by_minus_one(
    value: str | None, hidden: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if value is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    assert machine.hides_gpus() is hidden


def test_the_features_of_a_processor_are_read_off_its_first_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cpuinfo"
    monkeypatch.setattr(machine, "_CPUINFO", path)
    assert machine.processor_flags() == frozenset()
    path.write_text("model name\t: X\nflags\t\t: sse avx2\nflags\t\t: other\n")
    assert machine.processor_flags() == {"sse", "avx2"}
    assert machine.processor_name() == "X"
    path.write_text("Features\t: fp asimd\n")
    assert machine.processor_flags() == {"fp", "asimd"}


@pytest.mark.parametrize(
    ("quota", "older", "expected"),
    [
        ("150000 100000", None, 1.5),
        ("max 100000", None, None),
        (None, ("50000", "100000"), 0.5),
        (None, ("-1", "100000"), None),
        (None, None, None),
        ("nonsense", ("nonsense", "1"), None),
    ],
)
def test_a_containers_share_of_the_processors_is_known(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    quota: str | None,
    older: tuple[str, str] | None,
    expected: float | None,
) -> None:
    paths = [tmp_path / name for name in ("max", "quota", "period")]
    for path, text in zip(paths, (quota, *(older or (None, None))), strict=True):
        if text is not None:
            path.write_text(f"{text}\n")
    monkeypatch.setattr(machine, "_CGROUP_QUOTA", paths[0])
    monkeypatch.setattr(machine, "_CGROUP_V1_QUOTA", tuple(paths[1:]))
    assert machine.processor_quota() == expected
