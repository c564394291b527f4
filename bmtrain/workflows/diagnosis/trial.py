"""TensorFlow started and a training tried in another process, whose death is a finding."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from bmtrain.figures import duration
from bmtrain.workflows.diagnosis.finding import Examined, Finding
from bmtrain.workflows.diagnosis.hardware import vector_class
from bmtrain.workflows.diagnosis.speed import judge
from bmtrain.workflows.diagnosis.surroundings import runs_place

#: -P: a file of the current directory is never taken for a package.
COMMAND: Final = (sys.executable, "-P", "-m", "bmtrain.workflows.diagnosis.trial_process")
#: A first start on a slow disk takes a minute; a stage that says nothing for longer hangs.
PATIENCE_S = 300.0
_DOING: Final = {
    "tensorflow": "TensorFlow was started",
    "training": "a training was tried",
    "calibration": "the processor was measured",
}
_LAST_WORDS: Final = 200
_REMEDIES: Final = {
    signal.SIGILL: "this processor lacks instructions that a library was built for (AVX): use "
    "another machine, or builds for this one",
    signal.SIGKILL: "most likely the system ended it for want of memory: close other programs, "
    "give the container more",
}
_REMEDY_OF_A_CRASH: Final = (
    "a native library crashed: install the pinned versions anew, and tell of it with --json"
)


@dataclass(slots=True)
class _Trial:
    """What came from the other process: facts by stage, and how it failed, if it did."""

    stage: str = "tensorflow"
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    failure: Finding | None = None


def tried(*, with_training: bool) -> Iterator[Examined]:
    """``TensorFlow`` as soon as it is known, then ``training``; nothing stays."""
    trial, is_told = _Trial(), False
    with tempfile.TemporaryDirectory(prefix=".bmtrain-doctor-", dir=runs_place()) as directory:
        what = "train" if with_training else "start"
        with closing(_followed(Path(directory), what, trial)) as answers:
            for _ in answers:
                if "tensorflow" in trial.facts and not is_told:
                    is_told = True
                    yield _tensorflow(trial)
    if not is_told:
        yield _tensorflow(trial)
    elif with_training:
        yield _training(trial)
    elif trial.failure is not None:
        yield Examined("end", (trial.failure,))


def _tensorflow(trial: _Trial) -> Examined:
    facts = trial.facts.get("tensorflow")
    if facts is None:
        assert trial.failure is not None
        return Examined("tensorflow", (trial.failure,))
    versions = f"TensorFlow {facts['tensorflow']}, Keras {facts['keras']}"
    findings = [Finding("ok", f"{versions}, started in {duration(facts['startup_s'])}")]
    if facts["device"] == "gpu":
        findings.append(Finding("ok", f"it uses the GPU: {facts['device_name']}"))
    elif facts["unused_gpu"] is not None:
        said = f"there is a GPU, and it is not used: {facts['unused_gpu']}"
        remedy = "with that in place, start the doctor again"
        findings.append(Finding("warning", said, remedy))
    else:
        findings.append(Finding("note", f"no GPU is used: {facts['missing_gpu_part']}"))
    return Examined("tensorflow", tuple(findings), facts)


def _training(trial: _Trial) -> Examined:
    facts = trial.facts.get("training", {}) | trial.facts.get("calibration", {})
    if trial.failure is not None:
        return Examined("training", (trial.failure,), facts)
    judged = judge(facts, vector_class())
    return Examined("training", judged.findings, facts | judged.facts)


def _followed(directory: Path, what: str, trial: _Trial) -> Generator[None]:
    """Take in what the process says, a turn for each line; its end, if bad, is the failure."""
    reading, writing = os.pipe()
    with (directory / "said.txt").open("w+b") as said, os.fdopen(reading, "rb") as answers:
        try:
            process = subprocess.Popen(  # noqa: S603  # this program itself
                [*COMMAND, str(directory), str(writing), what],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                pass_fds=(writing,),
            )
        finally:
            os.close(writing)
        try:
            for line in _lines(answers.fileno()):
                _take(json.loads(line), trial)
                yield
            code = process.wait(PATIENCE_S)
            if code != 0 and trial.failure is None:
                trial.failure = _death(code, trial.stage, said)
        except (TimeoutError, subprocess.TimeoutExpired):
            said_so = f"nothing was heard for {duration(PATIENCE_S)} while {_DOING[trial.stage]}"
            remedy = "a driver may hang: try CUDA_VISIBLE_DEVICES= bmtrain doctor"
            trial.failure = Finding("problem", said_so, remedy)
        finally:
            process.kill()
            process.wait()


def _lines(descriptor: int) -> Iterator[bytes]:
    rest = b""
    while True:
        readable, _, _ = select.select([descriptor], [], [], PATIENCE_S)
        if not readable:
            raise TimeoutError
        chunk = os.read(descriptor, 2**16)
        if not chunk:
            return
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines


def _take(answer: dict[str, Any], trial: _Trial) -> None:
    if "stage" in answer:
        trial.stage = answer["stage"]
    elif "failed" in answer:
        message = f"while {_DOING[trial.stage]}: {answer['failed']}"
        trial.failure = Finding("problem", message, "see to that, then start the doctor again")
    else:
        trial.facts |= answer


def _death(code: int, stage: str, said: IO[bytes]) -> Finding:
    said.seek(0)
    lines = [line.strip() for line in said.read().decode(errors="replace").splitlines()]
    last = next((line for line in reversed(lines) if line), "it said nothing")[-_LAST_WORDS:]
    if code >= 0:
        message = f"while {_DOING[stage]}, its process ended with exit code {code}: {last}"
        return Finding("problem", message, _REMEDY_OF_A_CRASH)
    number = signal.Signals(-code)
    message = f"while {_DOING[stage]}, its process was ended by {number.name}: {last}"
    return Finding("problem", message, _REMEDIES.get(number, _REMEDY_OF_A_CRASH))
