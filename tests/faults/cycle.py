"""A tiny training without TensorFlow: everything a run writes, in the order in which it does.

One cycle is an epoch's line in the log, two checkpoints (the best, held back, and the
last), the predictions and the documents; ``start`` is what the next start does first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bmtrain.checkpoint.read import read_description, verify_checkpoint
from bmtrain.checkpoint.search import find_in
from bmtrain.checkpoint.store import CheckpointStore
from bmtrain.durable import write_text
from bmtrain.runs.directory import RunDirectory, open_run_directory
from bmtrain.runs.environment import read_json, write_json
from bmtrain.runs.metrics_log import MetricsLog, read_epochs
from bmtrain.runs.predictions import StoredPredictions, read_predictions, write_predictions
from bmtrain.runs.run_log import RunLog
from tests.small_checkpoints import make_checkpoint


@dataclass
class Writer:
    """Trains cycle by cycle: cycle c saves its best at step 10·c − 5 and its last at 10·c.

    ``done`` holds what was promised so far: the names of calls that returned.
    """

    done: Callable[[str], None] = lambda _: None

    @contextmanager
    def started(
        self, path: Path, number: int
    ) -> Iterator[tuple[RunDirectory, CheckpointStore, MetricsLog]]:
        """The directory locked, litter removed, the log cut to what the last checkpoint knows."""
        with open_run_directory(path, expected="either") as run, RunLog(run.log) as log:
            log.write("started")
            last = find_in(run.checkpoints, "last").path
            write_text(run.config, text_of(number))
            self.done("config.yaml")
            write_json(run.run_json, {"text": text_of(number)})
            self.done("run.json")
            with MetricsLog(run.metrics) as metrics:
                metrics.truncate(0 if last is None else read_description(last).log_bytes)
                store = CheckpointStore(run.checkpoints)
                store.settle()
                yield run, store, metrics

    def cycle(self, path: Path, number: int) -> None:
        """One start, and everything that it writes."""
        with self.started(path, number) as (run, store, metrics):
            for step in (10 * number - 5, 10 * number):
                epoch = run.metrics.read_bytes().count(b"\n") + 1
                metrics.append({"epoch": epoch, "train": {"step": step}, "time": {"epoch_s": 0}})
                metrics.flush()
                checkpoint = make_checkpoint(
                    step, best_step=10 * number - 5, log_bytes=metrics.num_bytes
                )
                store.save(checkpoint, best=step % 10 == 5)
                self.done(f"step {step}")
            write_predictions(run.predictions, "test", predictions_of(number))
            self.done("predictions")
            write_json(run.summary, {"text": text_of(number)})
            self.done("summary.json")


def text_of(number: int) -> str:
    """What the documents of a cycle say; each cycle's is longer."""
    return f"written by cycle {number}\n" * number


def predictions_of(number: int) -> StoredPredictions:
    """Those of a cycle."""
    outputs = np.full((number, 2), number, np.float32)
    labels = np.full(number, number, np.int32)
    return StoredPredictions(outputs, labels, labels)


def check_whole(path: Path) -> tuple[int, int]:
    """The step of the last checkpoint and of the best (0: none), after whatever happened.

    Every name shows what is whole, nothing was passed over, the best is the one that the
    last calls so, and every file is what some cycle wrote.
    """
    run = RunDirectory(path)
    for checkpoint in run.checkpoints.glob("step-*"):
        verify_checkpoint(checkpoint)
    last, best = find_in(run.checkpoints, "last"), find_in(run.checkpoints, "best")
    assert last.skipped == best.skipped == ()
    texts = {"": 0} | {text_of(number): number for number in range(1, 9)}
    assert (run.config.read_text() if run.config.exists() else "") in texts
    for document in (run.run_json, run.summary):
        assert not document.exists() or read_json(document)["text"] in texts
    for file in run.predictions.glob("*.safetensors"):
        found = read_predictions(file)
        assert (found.outputs == len(found.outputs)).all()
    if last.path is None:
        assert best.path is None
        return 0, 0
    described = read_description(last.path)
    assert described.state.best_step is not None
    assert best.path is not None
    assert read_description(best.path).state.step == described.state.best_step
    content = run.metrics.read_bytes()
    assert len(content) >= described.log_bytes
    run.metrics.write_bytes(content[: described.log_bytes])
    steps = [entry["train"]["step"] for entry in read_epochs(run.metrics)]
    run.metrics.write_bytes(content)
    assert steps == sorted(set(steps))
    assert steps[-1] == described.state.step
    return described.state.step, described.state.best_step


def names_in(path: Path) -> set[str]:
    """Everything in a run directory, as relative paths; of checkpoints only their names."""
    return {
        str(entry.relative_to(path))
        for entry in path.rglob("*")
        if entry.parent.parent.name != "checkpoints"
    }


RUN_FILES = {
    *(".lock", "log.txt", "metrics.jsonl", "config.yaml", "run.json", "summary.json"),
    *("predictions", "predictions/test.safetensors", "checkpoints", "checkpoints/index.json"),
}
