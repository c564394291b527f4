"""What becomes of the trial: good, failed, crashed, hanging; and how its speed is judged."""

import sys

import pytest

from bmtrain.workflows import doctor as module
from bmtrain.workflows.diagnosis import trial
from bmtrain.workflows.diagnosis.finding import Examined, Finding
from bmtrain.workflows.diagnosis.speed import EXPECTED_SHARE, LEAST_MATMUL, judge
from bmtrain.workflows.diagnosis.surroundings import Terminal
from bmtrain.workflows.diagnosis.trial import tried
from bmtrain.workflows.doctor import DoctorRequest, doctor

TERMINAL = Terminal(is_terminal=False, columns=80, has_color=False, is_ascii=False)

#: One thread that does 50 GFLOP/s of a training where a product reaches 100.
MEASURED = {
    "device": "cpu",
    "epoch_s": [0.7, 0.6],
    "cpu_epoch_s": 0.6,
    "examples_per_s": 100_000.0,
    "examples_per_cpu_s": 100_000.0,
    "flops_per_example": 500_000.0,
    "test_accuracy": 0.96,
    "matmul_flops_per_s": 100e9,
}
STARTED = {
    "tensorflow": "2.21.0",
    "keras": "3.15.1",
    "device": "cpu",
    "device_name": "CPU",
    "unused_gpu": None,
    "missing_gpu_part": "no device",
    "startup_s": 4.0,
}
CALIBRATED = {"matmul_flops_per_s": MEASURED["matmul_flops_per_s"]}
TRAINED = {name: value for name, value in MEASURED.items() if name not in CALIBRATED}
HEAD = """
import json, os, signal, sys, time
def tell(**document): os.write(int(sys.argv[2]), json.dumps(document).encode() + b"\\n")
tell(stage="tensorflow")
"""
STARTS = f"tell(tensorflow={STARTED!r})\ntell(stage='training')\n"


@pytest.fixture
def outcome(monkeypatch, tmp_path):
    """(what its process does) -> the parts that the trial tells; nothing of it stays."""
    monkeypatch.setenv("BMTRAIN_RUNS", str(tmp_path))

    def run(script, *, with_training=True):
        monkeypatch.setattr(trial, "COMMAND", (sys.executable, "-c", HEAD + script))
        parts = list(tried(with_training=with_training))
        assert list(tmp_path.iterdir()) == []
        return {part.title: part for part in parts}

    return run


def test_a_trial_that_ends_well_tells_versions_speed_and_result(outcome):
    script = f"tell(training={TRAINED!r})\ntell(calibration={CALIBRATED!r})\n"
    parts = outcome(STARTS + script)
    assert parts["tensorflow"].findings[0].message == (
        "TensorFlow 2.21.0, Keras 3.15.1, started in 4.0 s"
    )
    assert {finding.level for finding in parts["training"].findings} == {"ok"}
    assert parts["training"].facts["share"] == pytest.approx(0.5)


def test_without_a_training_the_start_is_all(outcome):
    assert list(outcome(f"tell(tensorflow={STARTED!r})", with_training=False)) == ["tensorflow"]


def test_a_gpu_that_is_not_used_is_a_warning(outcome):
    started = STARTED | {"unused_gpu": "the CUDA libraries are missing"}
    parts = outcome(f"tell(tensorflow={started!r})", with_training=False)
    (_, found) = parts["tensorflow"].findings
    assert (found.level, found.remedy is not None) == ("warning", True)
    assert "the CUDA libraries are missing" in found.message


@pytest.mark.parametrize(
    ("script", "title", "words", "remedy"),
    [
        ("os.kill(os.getpid(), signal.SIGILL)", "tensorflow", "ended by SIGILL", "AVX"),
        (STARTS + "print('Check failed: x')\nsys.stdout.flush()\nos.abort()", "training",
         "while a training was tried, its process was ended by SIGABRT: Check failed: x", "native"),
        (STARTS + "os.kill(os.getpid(), signal.SIGKILL)", "training", "SIGKILL", "want of memory"),
        ("sys.exit('No module named x')", "tensorflow", "exit code 1: No module named x", "anew"),
        (STARTS + "tell(failed='the disk is full')\nsys.exit(1)", "training", "the disk is full", ""),
    ],
)  # fmt: skip
def test_a_process_that_dies_is_a_finding(outcome, script, title, words, remedy):
    parts = outcome(script)
    assert list(parts)[-1] == title
    (found,) = parts[title].findings
    assert found.level == "problem"
    assert words in found.message
    assert remedy in found.remedy


def test_a_process_that_hangs_is_a_finding(outcome, monkeypatch):
    monkeypatch.setattr(trial, "PATIENCE_S", 0.5)
    (found,) = outcome("time.sleep(60)")["tensorflow"].findings
    assert found.level == "problem"
    assert "nothing was heard for 0.50 s while TensorFlow was started" in found.message


# --- how it is judged -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words", "level"),
    [
        ({}, "done at 50% of that product's speed, about 70% is expected", "ok"),
        ({"examples_per_cpu_s": 55_000.0}, "done at 28%", "warning"),
        ({"examples_per_cpu_s": 57_000.0}, "done at 28%", "ok"),
        ({"test_accuracy": 0.949}, "test accuracy 0.9490, at least 0.95", "problem"),
        ({"matmul_flops_per_s": 19e9}, "where avx512 processors reach 20 GFLOP/s", "warning"),
        ({"epoch_s": [2.0, 1.0]}, "the machine was busy: 0.60 s of an epoch were comp", "note"),
        ({"device": "gpu", "examples_per_cpu_s": 1.0}, "no expectation is stored for GPUs", "ok"),
    ],
)
def test_speed_and_result_are_held_against_what_is_expected(changes, words, level):
    judged = judge(MEASURED | changes, "avx512")
    (found,) = [finding for finding in judged.findings if words in finding.message]
    assert found.level == level
    assert found.remedy or level in {"ok", "note"}


@pytest.mark.parametrize("vectors", LEAST_MATMUL)
def test_each_class_of_processors_has_an_expectation(vectors):
    assert judge(MEASURED, vectors).facts["expected_share"] in EXPECTED_SHARE.values()


# --- the whole ------------------------------------------------------------------------------------


def test_where_there_is_no_hope_tensorflow_is_not_started(monkeypatch):
    problem = Examined("installation", (Finding("problem", "no keras", "install it"),))
    monkeypatch.setattr(module, "_installation", lambda: problem)
    *_, last = doctor(DoctorRequest(terminal=TERMINAL))
    assert last.title == "tensorflow"
    assert last.findings[0].message == "not started: see to the problems above first"
