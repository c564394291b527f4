"""Energy as the machine's own counters count it (RAPL, NVML); what they do not tell is not guessed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bmtrain.machine import may_have_gpu

_POWERCAP = Path("/sys/class/powercap")
#: A processor package; the zones within one (core, dram) are part of it or not there everywhere.
_PACKAGE = re.compile(r"intel-rapl:\d+")
#: The counter of a package begins anew after some minutes at the soonest.
_SAMPLE_EVERY_S = 30.0


@dataclass(frozen=True, slots=True)
class Energy:
    """Joules since the meter was started.

    Attributes:
        processor_j: of all processor packages, whatever else runs on them; None: not told.
        gpu_j: of all NVIDIA GPUs together, whatever else runs on them; None: not told.
        unavailable: why there is no figure, a line for each that is None.
    """

    processor_j: float | None
    gpu_j: float | None
    unavailable: tuple[str, ...]


class CounterMissing(Exception):
    """There is no such counter here, or it may not be read; says why."""


@dataclass(slots=True)
class _Counter:
    """A counter in joules that begins anew at ``range_j``; None: it never does."""

    read: Callable[[], float]
    range_j: float | None
    last: float
    total: float = 0.0

    def sample(self) -> None:
        """Add what was counted since the last time."""
        now = self.read()
        if now < self.last:
            if self.range_j is None:
                raise CounterMissing("its counter was set back meanwhile")
            self.last -= self.range_j
        self.total += now - self.last
        self.last = now


class EnergyMeter:
    """Counts from its making on; ``sample`` it now and then, or a counter begins anew unseen."""

    def __init__(self) -> None:
        self._counters: dict[str, list[_Counter]] = {}
        self._unavailable: dict[str, str] = {}
        for name, found in (("processor", _packages), ("gpu", _gpus)):
            try:
                self._counters[name] = found()
            except CounterMissing as missing:
                self._unavailable[name] = str(missing)
        self._sampled_at = time.monotonic()

    def sample(self) -> None:
        """Cheap enough for every event: it reads at most every 30 seconds."""
        if time.monotonic() - self._sampled_at >= _SAMPLE_EVERY_S:
            self._read()

    def energy(self) -> Energy:
        """What was counted up to now."""
        self._read()
        sums = {n: sum(c.total for c in counters) for n, counters in self._counters.items()}
        return Energy(
            sums.get("processor"),
            sums.get("gpu"),
            tuple(f"{name}: {why}" for name, why in self._unavailable.items()),
        )

    def _read(self) -> None:
        self._sampled_at = time.monotonic()
        for name, counters in list(self._counters.items()):
            try:
                for counter in counters:
                    counter.sample()
            except CounterMissing as missing:
                del self._counters[name]  # half of it would be no figure
                self._unavailable[name] = str(missing)


def _packages() -> list[_Counter]:
    """The running average power limit's counters, in microjoules.

    https://docs.kernel.org/power/powercap/powercap.html
    """
    try:
        zones = sorted(path for path in _POWERCAP.iterdir() if _PACKAGE.fullmatch(path.name))
    except OSError:
        zones = []
    if not zones:
        raise CounterMissing("this machine shows no RAPL counter")
    counters = []
    for zone in zones:

        def read(file: Path = zone / "energy_uj") -> float:
            return _microjoules(file)

        counters.append(_Counter(read, _microjoules(zone / "max_energy_range_uj"), read()))
    return counters


def _microjoules(file: Path) -> float:
    try:
        return int(file.read_text()) / 1e6
    except PermissionError:
        raise CounterMissing(f"{file} may not be read: only root may, usually") from None
    except (OSError, ValueError) as error:
        raise CounterMissing(f"{file} cannot be read: {error}") from None


def _gpus() -> list[_Counter]:
    """NVML's counters since the driver was loaded, in millijoules."""
    if not may_have_gpu():
        raise CounterMissing("no NVIDIA device")
    try:
        import pynvml as nvml  # of the extra "gpu"
    except ImportError:
        raise CounterMissing("the package nvidia-ml-py is not installed") from None
    try:
        nvml.nvmlInit()
        handles = [nvml.nvmlDeviceGetHandleByIndex(i) for i in range(nvml.nvmlDeviceGetCount())]
        counters = []
        for handle in handles:

            def read(handle: object = handle) -> float:
                try:
                    return float(nvml.nvmlDeviceGetTotalEnergyConsumption(handle)) / 1e3
                except nvml.NVMLError as error:
                    raise CounterMissing(f"NVML: {error}") from None

            counters.append(_Counter(read, None, read()))
    except nvml.NVMLError as error:
        raise CounterMissing(f"NVML: {error}") from None
    return counters
