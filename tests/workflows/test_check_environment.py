"""The environment as check tells it, with each thing wrong in turn."""

import os
import platform
import shutil
from importlib.metadata import version

import pytest

from bmtrain.config.load import load_config
from bmtrain.runs.environment import environment_facts
from bmtrain.workflows.checking import environment
from bmtrain.workflows.checking.environment import environment_section
from bmtrain.workflows.preparation import prepare


@pytest.fixture
def told(project, tmp_path, monkeypatch):
    """Findings for ``points.yaml`` as (level, message); runs go to a directory of its own."""
    monkeypatch.setenv("BMTRAIN_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("BMTRAIN_XLA_CACHE", raising=False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr("bmtrain.runs.environment.num_processors", lambda: 2)
    monkeypatch.setattr(environment, "may_have_gpu", lambda: False)

    def run(*overrides, with_model=True):
        loaded = load_config(project / "points.yaml", overrides)
        section = environment_section(loaded, prepare(loaded) if with_model else None)
        return [(finding.level, finding.message) for finding in section.findings]

    return run


def one(found, part):
    (finding,) = [finding for finding in found if part in finding[1]]
    return finding


def test_a_sound_environment_has_only_good_findings(told, tmp_path):
    found = told()
    assert {level for level, _ in found} == {"ok"}
    python = f"Python {platform.python_version()}, TensorFlow {version('tensorflow')}"
    assert one(found, python)
    assert one(found, "2 processors")
    assert one(found, "1 thread (training.threads: 1)")
    assert one(found, f"runs go to {tmp_path / 'runs'}: ")
    assert one(found, "compilation cache: empty")
    assert not (tmp_path / "runs").exists()
    assert not (tmp_path / "cache").exists()


def test_without_a_model_the_size_of_a_checkpoint_is_not_told(told):
    assert "checkpoint" not in one(told(with_model=False), "runs go to")[1]


# 91 parameters and Adam's two of each are 1,092 bytes; two kept, the best, one being written.
@pytest.mark.parametrize(
    ("free", "keep", "level"),
    [(4368, 2, "ok"), (4367, 2, "warning"), (4368, 3, "warning"), (1091, 2, "error")],
)
def test_room_for_checkpoints_is_judged_by_their_size(told, monkeypatch, free, keep, level):
    usage = shutil._ntuple_diskusage(9**9, 0, free)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    found = one(told(f"training.checkpoint.keep={keep}"), "runs go to")
    assert found[0] == level
    assert ("free some space" in found[1]) == (level != "ok")


def test_where_no_run_can_be_made_is_an_error(told, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BMTRAIN_RUNS", str(tmp_path / "file" / "runs"))
    level, message = one(told(), "runs go to")
    assert level == "error"
    assert f"{tmp_path / 'file'} is no directory; BMTRAIN_RUNS" in message
    monkeypatch.setenv("BMTRAIN_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)
    level, message = one(told(), "runs go to")
    assert level == "error"
    assert f"{tmp_path} is not writable" in message


@pytest.mark.parametrize(
    ("wish", "machine", "level", "part"),
    [
        ("gpu", (False, None), "error", "/dev/nvidiactl is not there"),
        ("gpu", (True, None), "ok", "if TensorFlow can use the one that the driver shows"),
        ("gpu", (True, ""), "error", "CUDA_VISIBLE_DEVICES hides every GPU; unset it"),
        ("auto", (True, "-1"), "ok", "device: CPU, CUDA_VISIBLE_DEVICES hides"),
        ("auto", (False, None), "ok", "device: CPU, the driver shows no GPU"),
        ("cpu", (True, None), "ok", "device: CPU, as the config has it"),
    ],
)
def test_the_wished_device_against_what_is_there(told, monkeypatch, wish, machine, level, part):
    driver, hidden = machine
    monkeypatch.setattr(environment, "may_have_gpu", lambda: driver)
    monkeypatch.setattr(environment, "gpu_names", lambda: ())
    if hidden is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    assert one(told(f"training.device={wish}"), part)[0] == level


def test_a_gpu_is_named_as_the_driver_calls_it(told, monkeypatch):
    monkeypatch.setattr(environment, "may_have_gpu", lambda: True)
    monkeypatch.setattr(environment, "gpu_names", lambda: ("NVIDIA H200", "NVIDIA H100"))
    assert one(told(), "device: NVIDIA H200, if TensorFlow can use it")[0] == "ok"


def test_more_threads_than_processors_are_a_warning(told):
    assert one(told("training.threads=3"), "3 threads on 2 processors")[0] == "warning"
    assert one(told("training.threads=auto"), "2 threads (training.threads: auto)")[0] == "ok"


def test_a_missing_package_is_an_error(told, monkeypatch):
    facts = environment_facts(("keras", "numpy"))
    facts["packages"]["tensorflow"] = None
    monkeypatch.setattr(environment, "environment_facts", lambda _: facts)
    assert one(told(), "not installed: tensorflow")[0] == "error"


def test_a_cache_that_a_run_would_go_without_is_told(told, monkeypatch):
    monkeypatch.setenv("BMTRAIN_XLA_CACHE", "0")
    assert one(told(), "compilation cache: off (BMTRAIN_XLA_CACHE=0)")[0] == "ok"
    monkeypatch.delenv("BMTRAIN_XLA_CACHE")
    monkeypatch.setattr("bmtrain.engine.compile_cache.MIN_FREE_BYTES", 2**60)
    assert one(told(), "MB free at")[0] == "warning"


def test_a_tracker_that_is_not_installed_is_an_error_that_names_the_remedy(told, monkeypatch):
    monkeypatch.setattr(environment, "missing_of_mlflow", lambda _: ("no mlflow", "install it"))
    assert one(told("track.mlflow=http://127.0.0.1:1"), "no mlflow") == (
        "error",
        "no mlflow; install it",
    )
