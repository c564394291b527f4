"""What may differ from an interrupted run when it is gone on with, and how a refusal reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

from bmtrain.checkpoint.content import Checkpoint
from bmtrain.config.durations import read_duration
from bmtrain.config.plugin_records import changed_files
from bmtrain.config.resolved import plain
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.config.sections.learning_rate import durations
from bmtrain.config.sections.training import TrainingSection
from bmtrain.differences import Difference, plain_differences
from bmtrain.errors import CheckpointError
from bmtrain.workflows.preparation import Prepared
from bmtrain.workflows.restoring import recorded_engine

#: Keys of the config that change no bit of what the interrupted run would have done. The
#: device is compared as the engine's.
FREE_KEYS = (
    "name",
    "expect",
    "track",
    "data.storage",
    "training.epochs",
    "training.steps_per_call",
    "training.checkpoint",
    "training.device",
)
#: What decides how many steps an epoch has, and what is summed up over them.
_FIXED_WITHIN_EPOCHS = ("data", "training.batch_size", "metrics")
#: A wish of the config, and what it makes of the engine.
_WISHES = {
    "training.threads": ("engine.threads",),
    "training.engine": ("engine.mode", "engine.lowerings"),
    "training.precision": ("engine.precision",),
}
_FINGERPRINT = "data.fingerprint"
_PLUGINS = "plugins"
#: Differences in one message.
_MAX_TOLD = 50


@dataclass(frozen=True, slots=True)
class ResumePolicy:
    """Refuses what is not ``allowed``; a key stands for all that is below it."""

    allowed: tuple[str, ...] = ()

    def accepted(self, differences: Iterable[Difference]) -> tuple[Difference, ...]:
        """The differences, all of them allowed.

        Raises:
            CheckpointError: some are not; says each, and how to allow them.
        """
        found = tuple(differences)
        refused = [entry for entry in found if not is_at_or_below(entry.key, self.allowed)]
        if refused:
            told = [str(entry) for entry in refused[:_MAX_TOLD]]
            if len(refused) > _MAX_TOLD:
                told.append(f"and {len(refused) - _MAX_TOLD} more")
            words = " ".join(f"--allow-changed {entry.key}" for entry in refused[:_MAX_TOLD])
            raise CheckpointError(
                "this is not the run as it was: " + "; ".join(told),
                hint=f"restore that, start a new run, or accept other bits with {words}",
            )
        return found

    def wished_engine(
        self, checkpoint: Checkpoint, training: TrainingSection
    ) -> tuple[Literal["auto", "xla", "graph"], int | Literal["auto"]]:
        """Mode and threads to start with: the recorded ones, but where others are allowed."""
        mode, threads = recorded_engine(checkpoint.engine)
        if is_at_or_below("engine.mode", self._allowed_of_engine()):
            mode = training.engine
        if is_at_or_below("engine.threads", self._allowed_of_engine()):
            threads = training.threads
        return mode, threads

    def accepted_engine(
        self, then: Mapping[str, Any], now: Mapping[str, Any]
    ) -> tuple[Difference, ...]:
        """Other threads, devices or versions give other bits. Raises as ``accepted`` does."""
        policy = ResumePolicy(self._allowed_of_engine())
        return policy.accepted(plain_differences(dict(then), dict(now), "engine"))

    def _allowed_of_engine(self) -> tuple[str, ...]:
        wished = [made for key, made in _WISHES.items() if is_at_or_below(key, self.allowed)]
        return (*self.allowed, *chain.from_iterable(wished))


def run_differences(then: Checkpoint, now: Prepared) -> Iterator[Difference]:
    """Config and data: what would change a bit.

    Raises:
        CheckpointError: what cannot be allowed: fewer epochs, or in the middle of an
            epoch another order of its steps.
    """
    fingerprint = then.preprocessing.facts.fingerprint
    found = [
        entry
        for entry in plain_differences(plain(then.experiment), plain(now.experiment))
        if not is_at_or_below(entry.key, FREE_KEYS)
    ]
    found += _derived_from_total(then.experiment, now.experiment)
    if fingerprint != now.dataset.facts.fingerprint:
        found.append(Difference(_FINGERPRINT, fingerprint, now.dataset.facts.fingerprint))
    found += [
        Difference(_PLUGINS, _shown(record.file, record.sha256), _shown(file.name, file.sha256))
        for record, file in changed_files(then.plugins, now.experiment.plugins)
    ]
    planned, epochs = then.experiment.training.epochs, now.experiment.training.epochs
    if epochs < planned:
        fewer = f"training.epochs: expected at least the run's {planned:,}, got {epochs:,}"
        raise CheckpointError(
            "; ".join([fewer, *map(str, found[:_MAX_TOLD])]),
            hint="a resumed run may be longer, not shorter; another experiment is a new run",
        )
    fixed = [str(entry) for entry in found if is_at_or_below(entry.key, _FIXED_WITHIN_EPOCHS)]
    if fixed and then.state.step_in_epoch:
        raise CheckpointError(
            f"the run was interrupted in the middle of an epoch, and {'; '.join(fixed)}",
            hint="restore that, or start a new run",
        )
    yield from found


def _shown(file: str, sha256: str) -> str:
    return f"{file} ({sha256[:12]}…)"


def _derived_from_total(then: ExperimentConfig, now: ExperimentConfig) -> list[Difference]:
    """More epochs are another experiment where the steps done depended on how many there were."""
    schedule, epochs = then.optimizer.learning_rate, then.training.epochs
    if isinstance(schedule, float) or epochs == now.training.epochs:
        return []
    if not any(read_duration(text).derives_from_total for text in durations(schedule).values()):
        return []
    return [Difference("training.epochs", str(epochs), str(now.training.epochs))]


def is_at_or_below(key: str, prefixes: Iterable[str]) -> bool:
    """Whether a dotted key is one of the prefixes, or below one."""
    return any(key == prefix or key.startswith(f"{prefix}.") for prefix in prefixes)
