"""Counters that are read, begin anew, may not be read or are not there."""

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from bmtrain import energy
from bmtrain.energy import EnergyMeter


@pytest.fixture
def powercap(tmp_path, monkeypatch):
    """(zone, microjoules) -> its counter; a zone begins anew at 1,000 J."""
    monkeypatch.setattr(energy, "_POWERCAP", tmp_path)
    monkeypatch.setattr(energy, "may_have_gpu", lambda: False)

    def shows(zone, microjoules):
        (tmp_path / zone).mkdir(exist_ok=True)
        (tmp_path / zone / "energy_uj").write_text(f"{microjoules}\n")
        (tmp_path / zone / "max_energy_range_uj").write_text("1000000000\n")

    return shows


def test_packages_are_added_up_and_zones_within_them_are_not(powercap):
    for zone in ("intel-rapl:0", "intel-rapl:1", "intel-rapl:0:0", "dtpm"):
        powercap(zone, 5_000_000)
    meter = EnergyMeter()
    for zone in ("intel-rapl:0", "intel-rapl:0:0"):
        powercap(zone, 7_500_000)
    powercap("intel-rapl:1", 6_000_000)
    assert meter.energy().processor_j == pytest.approx(2.5 + 1.0)


def test_a_counter_that_begins_anew_goes_on(powercap, monkeypatch):
    monkeypatch.setattr(energy, "_SAMPLE_EVERY_S", 0.0)
    powercap("intel-rapl:0", 999_000_000)
    meter = EnergyMeter()
    for microjoules in (500_000_000, 100_000_000, 300_000_000):
        powercap("intel-rapl:0", microjoules)
        meter.sample()
    assert meter.energy().processor_j == pytest.approx(501 + 600 + 200)


def test_between_samples_a_counter_is_not_read(powercap):
    powercap("intel-rapl:0", 999_000_000)
    meter = EnergyMeter()
    powercap("intel-rapl:0", 1)
    meter.sample()
    powercap("intel-rapl:0", 999_500_000)
    assert meter.energy().processor_j == pytest.approx(0.5)


def test_a_machine_without_counters_says_so_and_guesses_nothing(powercap):
    found = EnergyMeter().energy()
    assert (found.processor_j, found.gpu_j) == (None, None)
    assert found.unavailable == (
        "processor: this machine shows no RAPL counter",
        "gpu: no NVIDIA device",
    )


def test_a_counter_that_only_root_may_read_is_told_as_such(powercap, monkeypatch):
    powercap("intel-rapl:0", 1)

    def refused(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_text", refused)
    found = EnergyMeter().energy()
    assert found.processor_j is None
    assert "energy_uj may not be read: only root may" in " ".join(found.unavailable) or (
        "max_energy_range_uj may not be read" in found.unavailable[0]
    )


def test_a_counter_that_vanishes_meanwhile_gives_no_figure(powercap, tmp_path):
    powercap("intel-rapl:0", 1)
    powercap("intel-rapl:1", 1)
    meter = EnergyMeter()
    (tmp_path / "intel-rapl:1" / "energy_uj").unlink()
    assert meter.energy().processor_j is None
    assert "cannot be read" in meter.energy().unavailable[-1]


class NVMLError(Exception):
    """As pynvml's."""


@pytest.fixture
def nvml(powercap, monkeypatch):
    """A driver with two devices whose counters stand at ``millijoules``."""
    monkeypatch.setattr(energy, "may_have_gpu", lambda: True)
    module: Any = SimpleNamespace(
        NVMLError=NVMLError,
        millijoules=[1000, 2000],
        nvmlInit=lambda: None,
        nvmlDeviceGetCount=lambda: 2,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetTotalEnergyConsumption=lambda handle: module.millijoules[handle],
    )
    monkeypatch.setitem(sys.modules, "pynvml", module)
    return module


def test_all_gpus_are_added_up(nvml):
    meter = EnergyMeter()
    nvml.millijoules = [4000, 2500]
    assert meter.energy().gpu_j == pytest.approx(3.5)


def test_a_gpu_whose_counter_is_set_back_gives_no_figure(nvml):
    meter = EnergyMeter()
    nvml.millijoules = [0, 2500]
    assert meter.energy().gpu_j is None
    assert meter.energy().unavailable[-1] == "gpu: its counter was set back meanwhile"


def test_a_gpu_that_does_not_count_is_told(nvml):
    def refused(_handle):
        raise NVMLError("Not Supported")

    nvml.nvmlDeviceGetTotalEnergyConsumption = refused
    assert EnergyMeter().energy().unavailable[-1] == "gpu: NVML: Not Supported"


def test_without_the_library_a_gpus_energy_is_unavailable(nvml, monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert EnergyMeter().energy().unavailable[-1] == (
        "gpu: the package nvidia-ml-py is not installed"
    )
