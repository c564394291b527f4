"""Installation, machine and surroundings as doctor tells them, with each thing wrong in turn."""

import fcntl
import importlib.metadata
import os
import platform
import shutil
import socket
from types import SimpleNamespace

import pytest

from bmtrain.workflows.diagnosis import hardware, installation, privacy, surroundings
from bmtrain.workflows.diagnosis.finding import Examined, Finding
from bmtrain.workflows.diagnosis.hardware import examine_hardware, vector_class
from bmtrain.workflows.diagnosis.installation import examine_installation
from bmtrain.workflows.diagnosis.privacy import anonymous
from bmtrain.workflows.diagnosis.surroundings import Terminal, examine_surroundings


def one(examined, part):
    """The finding that has these words; every one that is bad says what to do."""
    for finding in examined.findings:
        assert finding.remedy or finding.level in {"ok", "note"}
    (found,) = [finding for finding in examined.findings if part in finding.message]
    return found.level, found.remedy


# --- installation -------------------------------------------------------------------------------


@pytest.fixture
def versions(monkeypatch):
    """(name, version or None) pretends that this one is installed."""
    real = importlib.metadata.distribution

    def pretend(name, version):
        def distribution(asked):
            if asked != name:
                return real(asked)
            if version is None:
                raise importlib.metadata.PackageNotFoundError(asked)
            return SimpleNamespace(
                version=version,
                metadata={"Name": name, "Requires-Python": None},
                requires=None,
                files=(),
            )

        monkeypatch.setattr(importlib.metadata, "distribution", distribution)

    return pretend


def test_what_is_installed_here_is_what_is_needed():
    examined = examine_installation()
    assert examined.is_fit
    tensorflow = importlib.metadata.version("tensorflow")
    assert one(examined, f"tensorflow {tensorflow}")[0] == "ok"
    assert examined.facts["packages"]["tensorflow"] == tensorflow


@pytest.mark.parametrize(
    ("name", "version", "words", "level", "remedy"),
    [
        (
            "tensorflow",
            None,
            "tensorflow is not installed",
            "problem",
            " -m pip install 'tensorflow<2.",
        ),
        (
            "tensorflow",
            "2.19.0",
            "tensorflow 2.19.0; expected",
            "problem",
            " -m pip install 'tensorf",
        ),
        ("onnx", None, "export --to onnx: not installed: onnx", "note", "if you need it: "),
        (
            "vl-convert-python",
            None,
            "charts of a report: not installed: vl-",
            "note",
            "if you need",
        ),
        (
            "tensorflow-cpu",
            "2.21",
            "tensorflow-cpu 2.21 has files where",
            "warning",
            " -m pip uninst",
        ),
        ("bmtrain-keras", None, "not installed: what it needs is not known", "note", None),
        ("bmtrain-keras", "0.0.1", "pip knows it as 0.0.1", "warning", "install it anew"),
    ],
)
def test_a_package_that_is_missing_old_or_in_the_way(versions, name, version, words, level, remedy):
    versions(name, version)
    found, told = one(examine_installation(), words)
    assert found == level
    assert told is None if remedy is None else remedy in told


@pytest.mark.parametrize(("there", "told"), [(True, 1), (False, 0)])
def test_what_a_gpu_needs_is_told_where_there_is_one(versions, monkeypatch, there, told):
    versions("nvidia-ml-py", None)
    monkeypatch.setattr(installation, "may_have_gpu", lambda: there)
    words = "not installed: nvidia-ml-py"
    found = [finding for finding in examine_installation().findings if words in finding.message]
    assert len(found) == told


# --- machine ------------------------------------------------------------------------------------


@pytest.fixture
def machine(monkeypatch):
    """A sound machine, with some facts changed: (name in ``hardware``, value) pairs."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def examine(**changes):
        facts = {
            "available_memory": 10**10,
            "num_processors": 4,
            "processor_quota": None,
            "processor_flags": frozenset({"avx", "avx2", "fma"}),
            "may_have_gpu": False,
            "gpu_names": (),
            "_load": 0.5,
        } | changes
        for name, value in facts.items():
            monkeypatch.setattr(hardware, name, lambda value=value: value)
        monkeypatch.setattr(platform, "machine", lambda: "x86_64")
        return examine_hardware()

    return examine


def test_a_sound_machine_has_only_good_findings_and_a_note_that_there_is_no_gpu(machine):
    examined = machine()
    assert {finding.level for finding in examined.findings} == {"ok", "note"}
    assert one(examined, "no NVIDIA GPU")[0] == "note"
    assert examined.facts["vector_class"] == "avx2"


@pytest.mark.parametrize(
    ("changes", "words", "level", "remedy"),
    [
        ({"processor_flags": frozenset({"sse2"})}, "wheels need AVX", "problem", "another machine"),
        ({"processor_flags": frozenset({"avx"})}, "AVX2 and FMA are missing", "warning", "newer"),
        ({"available_memory": 9 * 10**8}, "900 MB of memory", "problem", "docker run --memory"),
        ({"available_memory": 15 * 10**8}, "1.5 GB of memory", "warning", "close other programs"),
        ({"processor_quota": 1.5}, "that of 1.5", "warning", "training.threads: 2"),
        ({"processor_quota": 4.0}, "so many threads", "ok", None),
        ({"_load": 9.0}, "load 9.0 on 4 processors", "note", None),
        ({"may_have_gpu": True, "gpu_names": ("NVIDIA X",)}, "NVIDIA X", "ok", None),
        ({"may_have_gpu": True, "hides_gpus": True}, "hidden by CUDA_VISIBLE", "note", "unset it"),
    ],
)  # fmt: skip
def test_each_thing_that_is_wrong_with_a_machine(machine, changes, words, level, remedy):
    found, told = one(machine(**changes), words)
    assert found == level
    assert told is None if remedy is None else remedy in told


@pytest.mark.parametrize(
    ("flags", "machine_name", "expected"),
    [
        ({"avx", "avx2", "fma", "avx512f"}, "x86_64", "avx512"),
        ({"avx", "avx2"}, "x86_64", "avx"),  # without FMA it is no faster
        ({"sse"}, "x86_64", "baseline"),
        ({"asimd"}, "aarch64", "arm64"),
        (set(), "x86_64", "unknown"),
        ({"vsx"}, "ppc64le", "unknown"),
    ],
)
def test_a_processor_is_known_by_its_vector_instructions(
    monkeypatch, flags, machine_name, expected
):
    monkeypatch.setattr(hardware, "processor_flags", lambda: frozenset(flags))
    monkeypatch.setattr(platform, "machine", lambda: machine_name)
    assert vector_class() == expected


# --- surroundings -------------------------------------------------------------------------------

PLAIN = Terminal(is_terminal=False, columns=80, has_color=False, is_ascii=False)


@pytest.fixture
def around(monkeypatch, tmp_path):
    """Examine the surroundings of runs in an empty directory; (environment …)."""
    for name in (*surroundings._SET_ASIDE, *surroundings._DOUBTFUL, "BMTRAIN_XLA_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BMTRAIN_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def examine(terminal=PLAIN, **environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return examine_surroundings(terminal)

    return examine


def test_sound_surroundings_have_only_good_findings_and_stay_as_they_were(around, tmp_path):
    examined = around()
    assert {finding.level for finding in examined.findings} == {"ok"}
    assert one(examined, f"runs go to {tmp_path / 'runs'}: ")[0] == "ok"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("free", "level"), [(10**9, "ok"), (10**9 - 1, "warning"), (10**8 - 1, "problem")]
)
def test_room_for_runs(around, monkeypatch, free, level):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    assert one(around(), "runs go to")[0] == level


def test_a_place_where_nothing_can_be_locked_is_a_problem(around, monkeypatch):
    def refuse(*_):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", refuse)
    found = one(around(), "no file can be locked there: Function not implemented")
    assert found == ("problem", "BMTRAIN_RUNS names another place, on a local disk")


def test_a_place_that_is_not_writable_is_a_problem(around, monkeypatch, tmp_path):
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert one(around(), f"and {tmp_path} is not writable")[0] == "problem"
    monkeypatch.undo()
    (tmp_path / "file").touch()
    monkeypatch.setenv("BMTRAIN_RUNS", str(tmp_path / "file" / "runs"))
    assert "is no directory" in examine_surroundings(PLAIN).findings[0].message


@pytest.mark.parametrize(
    ("environment", "terminal", "words", "level"),
    [
        ({"KERAS_BACKEND": "torch"}, {}, "set aside by every training: KERAS_BACKEND", "note"),
        ({"LD_PRELOAD": "/x.so"}, {}, "LD_PRELOAD is set", "note"),
        ({"BMTRAIN_XLA_CACHE": "0"}, {}, "compilation cache: off (BMTRAIN_XLA_CACHE=0)", "note"),
        ({"XDG_CACHE_HOME": "/proc/none"}, {}, "compilation cache: off", "warning"),
        ({}, {"is_ascii": True}, "the locale has no symbols", "note"),
        ({}, {"is_terminal": True, "columns": 40}, "a terminal of 40 columns, no colours", "ok"),
    ],
)
def test_each_thing_that_is_odd_around(around, environment, terminal, words, level):
    from dataclasses import replace

    assert one(around(replace(PLAIN, **terminal), **environment), words)[0] == level


# --- nobody's name ------------------------------------------------------------------------------


def test_neither_home_nor_names_are_told(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv("USER", "ada")
    monkeypatch.setattr(privacy, "_account", lambda _: "")
    monkeypatch.setattr(socket, "gethostname", lambda: "engine.example.org")
    finding = Finding("warning", "at /home/ada/x, not /home/ada2 or /data/ada/y", "ask ada@engine")
    facts = {"a": ["/home/ada", {"b": "engine.example.org"}], "n": 5, "c": "canada"}
    told = anonymous(Examined("x", (finding,), facts))
    assert told.findings[0].message == "at ~/x, not /home/ada2 or /data/USER/y"
    assert told.findings[0].remedy == "ask USER@HOST"
    assert told.facts == {"a": ["~", {"b": "HOST"}], "n": 5, "c": "canada"}


def test_names_that_say_nothing_stay(monkeypatch):
    monkeypatch.setenv("HOME", "/root")
    monkeypatch.setenv("USER", "root")
    monkeypatch.setattr(privacy, "_account", {"pw_name": "root", "pw_dir": "/root"}.get)
    monkeypatch.setattr(socket, "gethostname", lambda: "localhost")
    finding = Finding("ok", "root at localhost")
    assert anonymous(Examined("x", (finding,))).findings == (finding,)
