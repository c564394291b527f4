"""What a run leaves about itself: run.json, summary.json, its lines in log.txt."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bmtrain.config.expectations import Expectation
from bmtrain.config.plugin_records import plugin_records
from bmtrain.config.resolved import resolved_yaml
from bmtrain.differences import Difference
from bmtrain.durable import write_text
from bmtrain.energy import EnergyMeter
from bmtrain.events import Event, StepsDone
from bmtrain.interrupts import signals_deferred
from bmtrain.runs.directory import RunDirectory
from bmtrain.runs.environment import environment_facts, write_json
from bmtrain.runs.repository import git_facts
from bmtrain.runs.run_log import RunLog
from bmtrain.training_state import TrainingState
from bmtrain.workflows.preparation import Prepared
from bmtrain.workflows.training.log_lines import log_line

SCHEMA_VERSION = 1


@dataclass(slots=True)
class Timing:
    """Seconds of one run, as the summary tells them.

    Attributes:
        startup_s: from the command's start to a model that is built.
        compile_s: tracing and compiling the steps.
        train_s: inside compiled training calls, of all starts of the run; saves and
            validation apart.
        epoch_s: the same, per epoch.
        saving_s: making and writing checkpoints, this start, the last one at the end apart.
    """

    began: float
    startup_s: float = 0.0
    compile_s: float = 0.0
    train_s: float = 0.0
    epoch_s: list[float] = field(default_factory=list)
    saving_s: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """With ``total_s`` up to now."""
        document = asdict(self)
        del document["began"]
        return {**document, "total_s": time.perf_counter() - self.began}


@dataclass(slots=True)
class Record:
    """Gathers what is known of a run while it goes on, and writes it."""

    directory: RunDirectory
    prepared: Prepared
    timing: Timing
    engine: dict[str, Any] | None = None
    checkpoint: Path | None = None
    best_checkpoint: Path | None = None
    evaluated_checkpoint: Path | None = None
    state: TrainingState = field(default_factory=TrainingState)
    metrics: dict[str, Mapping[str, float]] = field(default_factory=dict)

    changed: tuple[Difference, ...] = ()  # from the run that is gone on with, as allowed
    earlier: tuple[Any, ...] = ()  # run.json of the starts before this one
    is_new: bool = True  # nothing of an earlier start is gone on with
    evaluated: dict[str, Any] | None = None
    begun: bool = False
    meter: EnergyMeter = field(default_factory=EnergyMeter)
    peak_gpu_memory_bytes: Callable[[], int | None] = lambda: None
    _begun_at: str = field(init=False)

    def __post_init__(self) -> None:
        elapsed = timedelta(seconds=time.perf_counter() - self.timing.began)
        self._begun_at = (datetime.now(UTC) - elapsed).strftime("%Y-%m-%dT%H:%M:%SZ")

    def begin(self) -> None:
        """From here on the directory is this run's: its resolved config is written."""
        if not self.begun:
            with signals_deferred():  # what is begun has a summary, however it ends
                text = resolved_yaml(self.prepared.experiment)
                write_text(self.directory.config, text, links=False)
                self.begun = True

    def write_run_json(self) -> None:
        """What runs where; written at the start and again at the end."""
        architecture = self.prepared.architecture
        num_examples = self._num_train_examples
        document = {
            "schema_version": SCHEMA_VERSION,
            "begun": self._begun_at,
            "command": sys.argv,
            "seed": self.prepared.experiment.seed,
            "origins": self.prepared.origins,
            "environment": environment_facts(),
            # A run that is gone on with may be a stranger's, repository and all. What its
            # first start found is under "earlier".
            "git": git_facts(Path.cwd()) if self.is_new else None,
            "engine": self.engine,
            "data": self._data(),
            "plugins": [r.document() for r in plugin_records(self.prepared.experiment)],
            "parameters": architecture.num_parameters,
            "flops_per_epoch": architecture.training_flops * num_examples,
            "peak_memory_bytes": peak_memory_bytes(),
            "timing": self.timing.as_json(),
            "changed": [asdict(entry) for entry in self.changed],
            "earlier": self.earlier,
        }
        write_json(self.directory.run_json, document)

    def _data(self) -> dict[str, Any]:
        """What it is trained on."""
        facts, splits = self.prepared.dataset.facts, self.prepared.dataset.splits
        return {
            "source": self.prepared.experiment.data.source,
            "fingerprint": facts.fingerprint,
            "fingerprints": dict(self.prepared.dataset.fingerprints),
            "examples": {name: split.num_examples for name, split in splits.items()},
            "input_shape": facts.input_shape,
            "input_dtype": facts.input_dtype,
            "storage": "stream" if self.prepared.is_streamed else "resident",
            "class_names": facts.class_names,
        }

    @property
    def _num_train_examples(self) -> int:
        return self.prepared.dataset.splits["train"].num_examples

    def cost(self) -> dict[str, Any]:
        """What the training took, all starts of the run together; ``*_of_start``: this one.

        FLOPs are the model's own (``Architecture.training_flops``), counted, not measured;
        energy is what the machine's counters tell, and null where they do not.
        """
        architecture, state = self.prepared.architecture, self.state
        begun = state.accumulators.get("examples", 0.0)  # of the epoch that is not done
        examples = state.epoch * self._num_train_examples + int(begun)
        train_s = self.timing.train_s
        energy = self.meter.energy()
        return {
            "parameters": architecture.num_parameters,
            "examples": examples,
            "flops": architecture.training_flops * examples,
            "examples_per_s": examples / train_s if train_s else None,
            "peak_memory_bytes": peak_memory_bytes(),
            "peak_gpu_memory_bytes": self.peak_gpu_memory_bytes(),
            "cpu_s_of_start": time.process_time(),
            "energy_of_start": asdict(energy),
        }

    def summary(self, status: str, exit_code: int = 0) -> dict[str, Any]:
        """The document of ``train --json``."""
        return {
            "schema_version": SCHEMA_VERSION,
            "status": status,
            "exit_code": exit_code,
            "error": None,
            "diagnostics": [],  # where a config is wrong: before there is a run
            "name": self.prepared.experiment.name,
            "run_dir": str(self.directory.path),
            "checkpoint": _text(self.checkpoint),
            "best_checkpoint": _text(self.best_checkpoint),
            "evaluated_checkpoint": _text(self.evaluated_checkpoint),
            "evaluated": self.evaluated,
            "epochs_completed": self.state.epoch,
            "steps_completed": self.state.step,
            "parameters": self.prepared.architecture.num_parameters,
            "metrics": self.metrics,
            "expectations": judged(self.prepared.expectations, self.metrics),
            "timing": self.timing.as_json(),
            "engine": self.engine,
            "peak_memory_bytes": peak_memory_bytes(),
            "cost": self.cost(),
        }

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """summary.json: what ``train --json`` prints."""
        write_json(self.directory.summary, summary)


def judged(
    expectations: Sequence[Expectation], metrics: Mapping[str, Mapping[str, float]]
) -> list[dict[str, Any]]:
    """Each expectation with its value and whether it is met; None for both: not measured."""
    documents = []
    for expectation in expectations:
        value = metrics.get(expectation.split, {}).get(expectation.metric)
        met = None if value is None else expectation.is_met_by(value)
        documents.append({"text": expectation.text, "value": value, "met": met})
    return documents


def peak_memory_bytes() -> int:
    """The largest resident set of this process so far.

    Linux counts the process that started this one in ``ru_maxrss``, for as long as they shared
    their memory; what /proc tells of this program alone begins with it.
    """
    with suppress(OSError):
        for line in (
            Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
        ):
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def log_event(log: RunLog, event: Event) -> None:
    """One line per event; the progress within epochs stays on the screen."""
    if not isinstance(event, StepsDone):
        log.write(log_line(event))


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
