"""``bmtrain verify-resume``: proof, on this config and machine, that a killed run loses nothing.

The config is trained once undisturbed; then again under SIGKILL at random instants, gone on
with each time, and what comes out is compared bit for bit. A killed run that is complete
before its kill comes counts as compared, and another is begun. The killed runs save every
few steps, so that they are gone on with in the middle of epochs, too; how often a run
saves changes no bit of its result.
"""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from bmtrain.config.load import load_config
from bmtrain.config.plugin_tables import NO_PLUGINS, Plugins
from bmtrain.durable import environment_faults
from bmtrain.errors import Interrupted
from bmtrain.events import Event, Killed, Noted, RunCompared, RunFinished
from bmtrain.runs.directory import RunDirectory, planned_run_dir
from bmtrain.runs.environment import read_json
from bmtrain.workflows.endings import known_ending
from bmtrain.workflows.killing import Aim, Watched, require_completed, watch
from bmtrain.workflows.observed_training import (
    SAVING,
    TRAINING,
    ObservedTraining,
    start_observed,
)
from bmtrain.workflows.run_comparison import compare_runs

#: Where a kill can come.
PHASE_NAMES = ("starting", "training", "saving", "evaluating")
#: Share of the kills that must hit training or saves for the proof to be one.
REQUIRED_SHARE = 0.8
#: Saves of a killed run, besides those that its config asks for.
_NUM_SAVES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyRequest:
    """What to train, how many kills it must survive, and which runs to keep.

    ``keep``: those that differ are kept in any case; with "complete" the others are, too,
    unless the proof is interrupted; with "all" even then.
    """

    config: Path
    overrides: tuple[str, ...] = ()
    kills: int = 20
    keep: Literal["different", "complete", "all"] = "different"
    plugins: Plugins = NO_PLUGINS


def verify_resume(request: VerifyRequest) -> Iterator[Event]:
    """``Killed`` after each kill, ``RunCompared`` for each run; ``RunFinished`` last.

    Its summary has ``verdict``: identical, different, or unproven where too few kills
    hit training or saves; the exit code is 0 or 4.

    Raises:
        BmtrainError: the config cannot be trained, undisturbed or gone on with.
    """
    began = time.perf_counter()
    loaded = load_config(request.config, request.overrides, plugins=request.plugins)
    directory = planned_run_dir(f"{loaded.experiment.name}-verify")
    with _kept_if_wanted(directory, request.keep) as keep:
        trial = _Trial(request, directory)
        stays = f" in {directory}" if request.keep == "all" else ""
        yield Noted(f"trained once undisturbed{stays}")
        yield from trial.undisturbed()
        while trial.num_kills < request.kills and trial.difference is None:
            yield from trial.disturbed()
        summary = trial.summary()
        keep.wanted |= summary["verdict"] == "different"
        if not keep.wanted:
            summary["run_dir"] = None
        summary["total_s"] = time.perf_counter() - began
    yield RunFinished(summary)


@dataclass(slots=True)
class _Keep:
    wanted: bool


@contextmanager
def _kept_if_wanted(
    directory: Path, keep: Literal["different", "complete", "all"]
) -> Iterator[_Keep]:
    """The directory of the runs; removed at the end unless it is wanted or something failed."""
    wish = _Keep(keep != "different")
    with environment_faults(directory, "make the directory of the runs"):
        directory.mkdir(parents=True)
    with removed_or_told(directory, keep=keep == "all"):
        yield wish
    if not wish.wanted:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def removed_or_told(directory: Path, *, keep: bool) -> Iterator[None]:
    """Runs in ``directory`` that are interrupted go, unless ``keep``; an error says where they are."""
    try:
        yield
    except BaseException as error:
        known = known_ending(error)
        is_interrupted = isinstance(known, Interrupted) or isinstance(error, GeneratorExit)
        if is_interrupted and not keep:
            shutil.rmtree(directory, ignore_errors=True)
        with suppress(OSError):
            directory.rmdir()  # if no run began in it
        if known is None or not directory.exists():
            raise
        hint = f"the runs so far are in {directory}"
        known.hint = f"{known.hint}; {hint}" if known.hint else hint
        if known is error:
            raise
        raise known from error


@dataclass(slots=True)
class _Trial:
    """One undisturbed run and the killed ones, in one directory."""

    request: VerifyRequest
    directory: Path
    phases: Counter[str] = field(default_factory=Counter)
    num_compared: int = 0
    difference: str | None = None
    _more_saves: tuple[str, ...] = ()
    _steps_s: float = 0.05  # from the first step to the end, saves included
    _save_s: float = 0.02
    _random: random.Random = field(default_factory=random.SystemRandom)

    @property
    def num_kills(self) -> int:
        return sum(self.phases.values())

    def undisturbed(self) -> Iterator[Event]:
        """Train to the end, and learn how many steps that takes."""
        run_dir = self.directory / "undisturbed"
        with self._started(run_dir, ()) as (child, errors):
            self._learn(watch(child, None))
            require_completed(child, errors)
        summary = read_json(RunDirectory(run_dir).summary)
        every = max(1, summary["steps_completed"] // _NUM_SAVES)
        self._more_saves = (f"training.checkpoint.every_steps={every}",)
        yield Noted(f"killed ones save every {every:,} of {summary['steps_completed']:,} steps")

    def disturbed(self) -> Iterator[Event]:
        """One more run, killed and gone on with until it is complete; then compared."""
        run_dir = self.directory / f"killed-{self.num_compared + 1}"
        while True:
            is_last = self.num_kills >= self.request.kills
            with self._started(run_dir, self._more_saves) as (child, errors):
                seen = watch(child, None if is_last else self._aim())
                self._learn(seen)
                if seen.killed_in is None:
                    require_completed(child, errors)
                    break
            self.phases[seen.killed_in] += 1
            yield Killed(self.num_kills, self.request.kills, seen.killed_in)
        comparison = compare_runs(self.directory / "undisturbed", run_dir, self.request.plugins)
        self.num_compared += 1
        if not comparison.identical:
            self.difference = str(comparison.differences[0])
        elif self.request.keep == "different":
            shutil.rmtree(run_dir, ignore_errors=True)
        yield RunCompared(self.num_compared, self.difference)

    def _aim(self) -> Aim:
        """Half of the kills are aimed at saves, half at any instant after the first step."""
        if self._random.random() < 0.5:
            wait_s = self._random.uniform(0, 1.2 * self._save_s)
            return Aim(SAVING, self._random.randint(1, _NUM_SAVES // 2), wait_s)
        return Aim(TRAINING, 1, self._random.uniform(0, self._steps_s))

    def _learn(self, seen: Watched) -> None:
        """How long the steps of a start, and one save of it, take."""
        self._steps_s = max(0.8 * self._steps_s, seen.steps_s)
        if seen.save_s is not None:
            self._save_s = 0.5 * (self._save_s + seen.save_s)

    @contextmanager
    def _started(
        self, run_dir: Path, more: tuple[str, ...]
    ) -> Iterator[tuple[ObservedTraining, IO[bytes]]]:
        overrides = (*self.request.overrides, "track.mlflow=null", *more)
        with tempfile.TemporaryFile() as errors:
            child = start_observed(
                self.request.config,
                overrides,
                run_dir,
                errors,
                start="if_possible",
                plugins=self.request.plugins.paths,
            )
            try:
                yield child, errors
            finally:  # no child outlives this command
                child.process.kill()
                child.process.wait()
                child.phases.close()

    def summary(self) -> dict[str, Any]:
        """The document of ``verify-resume --json``."""
        hits = self.phases["training"] + self.phases["saving"]
        share = hits / self.num_kills if self.num_kills else 0.0
        verdict = "identical" if share >= REQUIRED_SHARE else "unproven"
        if self.difference is not None:
            verdict = "different"
        return {
            "schema_version": 1,
            "status": "completed",
            "exit_code": 0 if verdict == "identical" else 4,
            "error": None,
            "verdict": verdict,
            "first_difference": self.difference,
            "kills": {name: self.phases[name] for name in PHASE_NAMES},
            "share_in_training_or_saves": share,
            "runs_compared": self.num_compared,
            "run_dir": str(self.directory),
        }
