"""The machine that this process runs on: its processors, its memory, what else runs there."""

from __future__ import annotations

import os
import platform
import resource
from pathlib import Path

_MEMINFO = Path("/proc/meminfo")
_CPUINFO = Path("/proc/cpuinfo")
_CGROUP_QUOTA = Path("/sys/fs/cgroup/cpu.max")
_CGROUP_V1_QUOTA = (
    Path("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"),
    Path("/sys/fs/cgroup/cpu/cpu.cfs_period_us"),
)
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
_NVIDIA = Path("/dev/nvidiactl")
_NVIDIA_DRIVER = Path("/proc/driver/nvidia")
_OWN_SIZE = Path("/proc/self/statm")


def processor_name() -> str | None:
    """As its maker calls it; None where the system does not tell."""
    try:
        for line in _CPUINFO.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or None


def processor_flags() -> frozenset[str]:
    """The features of the first processor, in Linux's words; none where the system does not tell."""
    try:
        lines = _CPUINFO.read_text(errors="replace").splitlines()
    except OSError:
        return frozenset()
    flags = (line.partition(":")[2] for line in lines if line.startswith(("flags", "Features")))
    return frozenset(next(flags, "").split())


def processor_quota() -> float | None:
    """How many processors' time this container may take; None: as many as there are."""
    try:
        quota, period = (int(word) for word in _CGROUP_QUOTA.read_text().split())
    except (OSError, ValueError):  # "max 100000" is no quota
        return _older_quota()
    return quota / period if period > 0 else None


def _older_quota() -> float | None:
    try:
        quota, period = (int(path.read_text()) for path in _CGROUP_V1_QUOTA)
    except (OSError, ValueError):
        return None
    return quota / period if quota > 0 and period > 0 else None


def num_processors() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # Linux; a container may be given fewer than there are
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def may_have_gpu() -> bool:
    """Whether the kernel's driver shows an NVIDIA device; whether it works is another matter."""
    return _NVIDIA.exists()


def hides_gpus() -> bool:
    """Whether the environment hides every GPU from this process."""
    return os.environ.get("CUDA_VISIBLE_DEVICES") in {"", "-1"}


def gpu_facts() -> tuple[str, ...]:
    """The NVIDIA driver's version and the GPUs' models, a line each; none where it tells nothing."""
    files = [_NVIDIA_DRIVER / "version", *sorted(_NVIDIA_DRIVER.glob("gpus/*/information"))]
    lines: list[str] = []
    for file in files:
        try:
            lines += file.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
    return tuple(line for line in lines if line.startswith(("NVRM version", "Model:")))


def gpu_names() -> tuple[str, ...]:
    """The NVIDIA GPUs' models, as the driver calls them; none where it tells nothing."""
    models = (line for line in gpu_facts() if line.startswith("Model:"))
    return tuple(line.partition(":")[2].strip() for line in models)


def available_memory() -> int:
    """Bytes that can be allocated without swapping, as far as the system tells."""
    found = (_from_meminfo(), _from_cgroup(), _from_limit())
    limits = [limit for limit in found if limit is not None]
    return min(limits) if limits else os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _from_meminfo() -> int | None:
    try:
        lines = _MEMINFO.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _from_cgroup() -> int | None:
    """What the container may have."""
    try:
        text = _CGROUP_LIMIT.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def _from_limit() -> int | None:
    """What ``ulimit -v`` leaves to this process."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return None
    try:
        used = int(_OWN_SIZE.read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        used = 0
    return max(0, limit - used)


def is_alive(process: int) -> bool:
    """Whether a process of that number runs on this machine, whosever it is."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True
