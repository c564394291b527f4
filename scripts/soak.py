"""Reliability, measured: kills and hostile input in numbers that CI has no time for.

saves      a small writer without TensorFlow saves checkpoints in a loop and is ended by
           SIGKILL at a random instant. Each time: the newest checkpoint that loads is no
           older than the last save that was acknowledged, what is there under a
           checkpoint's name is whole, and the next start leaves no litter behind.
trainings  bmtrain verify-resume configs/smoke.yaml --kills N
fuzz       scripts/fuzz --seconds N
tests      the tests that scripts/test leaves out: among them every config, to the result in its header

Exit code 1: something was lost, differed or was found.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from bmtrain.checkpoint.content import Checkpoint
from bmtrain.checkpoint.index import INDEX
from bmtrain.checkpoint.read import read_checkpoint, verify_checkpoint
from bmtrain.checkpoint.store import CheckpointStore
from bmtrain.config.load import load_config
from bmtrain.data.examples.dataset import DataFacts
from bmtrain.data.examples.preprocessing import Preprocessing
from bmtrain.training_state import TrainingState

ROOT = Path(__file__).resolve().parents[1]
BMTRAIN = Path(sys.executable).with_name("bmtrain")
SMOKE = ROOT / "configs" / "smoke.yaml"
#: A kill comes at most this long after the writer began: several saves.
LONGEST_S = 0.08
BEST_EVERY = 3

Figures = dict[str, Any]


def checkpoint_at(step: int) -> Checkpoint:
    """One whose arrays follow from the step; every third is the best so far."""
    facts = DataFacts(
        task="classification",
        input_shape=(3,),
        input_dtype="float32",
        class_names=("a", "b"),
        num_outputs=2,
        feature_names=None,
        label_name=None,
        num_train_examples=7,
        fingerprint="ab" * 32,
    )
    ones = np.ones(3, np.float32)
    best_step = step - step % BEST_EVERY or None
    return Checkpoint(
        experiment=load_config(SMOKE).experiment,
        preprocessing=Preprocessing(facts, "standardize", 0 * ones, ones),
        engine={},
        state=TrainingState(step=step, best_step=best_step),
        log_bytes=0,
        model={"layers.1.kernel": np.full((64, 64), step, np.float32)},
        optimizer={"variables.0": np.array(step)},
    )


def write_forever(directory: Path, pipe: int) -> NoReturn:
    """The writer: goes on from the last checkpoint; tells each step that is saved."""
    store = CheckpointStore(directory)
    store.settle()
    last = store.last()
    step = 0 if last is None else read_checkpoint(last).state.step
    while True:
        step += 1
        store.save(checkpoint_at(step), best=step % BEST_EVERY == 0)
        os.write(pipe, step.to_bytes(8, "little"))


def kill_one_writer(directory: Path, wait_s: float) -> tuple[int, bool]:
    """Start a writer, kill it after ``wait_s``: the last step it told, and whether it wrote."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        try:
            write_forever(directory, writing)
        finally:
            os._exit(1)
    os.close(writing)
    time.sleep(wait_s)
    os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    told = b""
    while news := os.read(reading, 65536):
        told += news
    os.close(reading)
    if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
        sys.exit("soak: the writer ended by itself")
    last = int.from_bytes(told[-8:], "little") if told else 0
    return last, any(path.name.startswith(".") for path in directory.glob(".step-*"))


def soak_saves(num_kills: int) -> Figures:
    """Kill the writer ``num_kills`` times in one directory."""
    generator = random.SystemRandom()
    acknowledged, inside, problems = 0, 0, []
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bmtrain-soak-") as scratch:
        directory = Path(scratch) / "checkpoints"
        checkpoint_at(1)  # everything is imported before the first fork
        for number in range(1, num_kills + 1):
            told, is_inside = kill_one_writer(directory, generator.uniform(0, LONGEST_S))
            acknowledged = max(acknowledged, told)
            inside += is_inside
            problems += [f"kill {number}: {text}" for text in lost(directory, acknowledged)]
    return {
        "kills": num_kills,
        "inside_a_save": inside,
        "saves_acknowledged": acknowledged,
        "problems": problems,
        "seconds": round(time.monotonic() - began, 1),
    }


def lost(directory: Path, acknowledged: int) -> list[str]:
    """What is not as promised after a kill."""
    if not directory.is_dir():
        return [] if acknowledged == 0 else ["the directory is gone"]
    problems = []
    for path in directory.glob("step-*"):
        try:
            verify_checkpoint(path)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is told
            problems.append(f"{path.name}: {error}")
    store = CheckpointStore(directory)
    last, best = store.last(), store.best()
    step = 0 if last is None else read_checkpoint(last).state.step
    if step < acknowledged:
        problems.append(f"step {acknowledged} was acknowledged, the newest is {step}")
    if step >= BEST_EVERY and best is None:
        problems.append(f"no best checkpoint at step {step}")
    store.settle()  # as the next start does
    litter = [path.name for path in directory.iterdir() if path.name.startswith(".")]
    names = {path.name for path in directory.iterdir()} - {INDEX}
    if litter or len(names) > 3:  # two that are kept, and the best
        problems.append(f"litter: {litter or sorted(names)}")
    return problems


def soak_trainings(num_kills: int) -> Figures:
    """Kill whole trainings: ``bmtrain verify-resume`` on the smoke config."""
    with tempfile.TemporaryDirectory(prefix="bmtrain-soak-") as scratch:
        ended = subprocess.run(
            [BMTRAIN, "verify-resume", SMOKE, "--kills", str(num_kills), "--json"],
            stdout=subprocess.PIPE,
            env=os.environ | {"BMTRAIN_RUNS": scratch},
            check=False,
        )
    document: Figures = json.loads(ended.stdout)
    document["problems"] = [] if ended.returncode == 0 else [str(document.get("verdict"))]
    return document


def soak_fuzz(seconds: int) -> Figures:
    """Run ``scripts/fuzz`` over all its targets."""
    ended = subprocess.run(
        [ROOT / "scripts" / "fuzz", "--seconds", str(seconds), "--json"],
        stdout=subprocess.PIPE,
        check=False,
    )
    document: Figures = json.loads(ended.stdout)
    document["problems"] = [] if ended.returncode == 0 else ["see failures"]
    return document


def soak_tests(_amount: int) -> Figures:
    """Run what CI leaves out; the configs to the results in their headers are part of it."""
    began = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-m", "long", "tests"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    said = ended.stdout.rstrip().rpartition("\n")[2]
    problems = [] if ended.returncode == 0 else [ended.stdout]
    return {"seconds": round(time.monotonic() - began, 1), "said": said, "problems": problems}


def main() -> None:
    """Run what was asked for and print its figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--saves", type=int, default=1000, metavar="N", help="kills of the writer")
    parser.add_argument("--trainings", type=int, default=100, metavar="N", help="of trainings")
    parser.add_argument("--fuzz-seconds", type=int, default=600, metavar="N")
    parser.add_argument("--tests", type=int, default=1, metavar="0|1", help="whether")
    parser.add_argument("--json", action="store_true", help="all figures as one JSON document")
    options = parser.parse_args()
    parts = {
        "saves": (soak_saves, options.saves),
        "trainings": (soak_trainings, options.trainings),
        "fuzz": (soak_fuzz, options.fuzz_seconds),
        "tests": (soak_tests, options.tests),
    }
    report: Figures = {}
    for name, (soak, amount) in parts.items():
        if amount:
            report[name] = soak(amount)
            if not options.json:
                print(f"{name}: {json.dumps(report[name], indent=2)}", flush=True)
    if options.json:
        print(json.dumps(report, indent=2))
    if any(part["problems"] for part in report.values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
