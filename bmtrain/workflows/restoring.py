"""From what a user points at to a session with a checkpoint's weights: eval and predict."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from bmtrain.checkpoint.content import Checkpoint
from bmtrain.checkpoint.find import FoundCheckpoint, find_checkpoint
from bmtrain.checkpoint.read import read_checkpoint
from bmtrain.config.figure_checks import metric_findings
from bmtrain.config.plugin_records import changed_files
from bmtrain.config.plugin_tables import NO_PLUGINS, Plugins
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.data.examples.preprocessing import Preprocessing
from bmtrain.data.load import resolve_task
from bmtrain.data.raw.memory import megabytes
from bmtrain.errors import BmtrainError, CheckpointError, EnvironmentFault
from bmtrain.figures import count
from bmtrain.machine import available_memory
from bmtrain.models.architecture import Architecture, plan_architecture
from bmtrain.models.memory import evaluated_at_once
from bmtrain.models.shapes.planned import Shape
from bmtrain.workflows.session import Session, build_session, native_faults

#: More threads than any machine has are a mistake, or somebody's joke.
MAX_THREADS = 4096


@dataclass(frozen=True, slots=True)
class Restored:
    """A checkpoint that was read and verified, and how it was found."""

    found: FoundCheckpoint
    checkpoint: Checkpoint
    architecture: Architecture

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to say of checkpoints that were passed over and of plugins, a line each."""
        passed_over = [f"passed over {skipped.reason}" for skipped in self.found.skipped]
        changed = changed_files(self.checkpoint.plugins, self.checkpoint.experiment.plugins)
        return (
            *passed_over,
            *(
                f"the plugin {file.name} is not what it was (sha256 {file.sha256[:12]}…, was "
                f"{record.sha256[:12]}…): the model may compute something else"
                for record, file in changed
            ),
        )

    @property
    def chose_columns(self) -> bool:
        """Whether the config left columns of the table aside: then others may have them, too."""
        section = self.checkpoint.experiment.data
        chosen = (section.features, section.text, section.splits.group)
        return any(columns is not None for columns in chosen)


def read_restored(path: Path, plugins: Plugins = NO_PLUGINS) -> Restored:
    """Find and read the checkpoint at ``path``, a run directory's best or last, or itself.

    Of a run it is the one that the run itself was judged by: with
    ``restore_best: false`` the last.

    Raises:
        CheckpointError: there is none, it is damaged or does not fit itself, or it needs a plugin
            that is not in ``plugins``.
    """
    found = find_checkpoint(path)
    checkpoint = _read(found.path, plugins)
    stopping = checkpoint.experiment.training.early_stopping
    if found.which == "best" and stopping is not None and not stopping.restore_best:
        found = find_checkpoint(path, "last")
        checkpoint = _read(found.path, plugins)
    architecture = _architecture(checkpoint.experiment, checkpoint.preprocessing)
    return Restored(found, checkpoint, architecture)


def in_float32(restored: Restored) -> Restored:
    """The same checkpoint, whose weights are float32 in every precision, to be computed in it."""
    experiment = restored.checkpoint.experiment
    training = experiment.training.model_copy(update={"precision": "float32"})
    changed = experiment.model_copy(update={"training": training})
    return replace(restored, checkpoint=replace(restored.checkpoint, experiment=changed))


def _read(path: Path, plugins: Plugins) -> Checkpoint:
    return read_checkpoint(path, _expected_shapes, with_optimizer=False, plugins=plugins)


@contextmanager
def restored_session(restored: Restored) -> Iterator[Session]:
    """A session with the checkpoint's weights, computing as its run did where this machine can."""
    from bmtrain.engine.native_output import native_output_to  # starts TensorFlow
    from bmtrain.engine.runtime import started_runtime

    checkpoint = restored.checkpoint
    mode, threads = recorded_engine(checkpoint.engine)
    with (
        native_output_to(None),
        started_runtime(device="auto", threads=threads, note=lambda _: None) as runtime,
        native_faults(runtime.device),
    ):
        _require_memory(restored.architecture)
        session = build_session(
            checkpoint.experiment,
            restored.architecture,
            checkpoint.preprocessing,
            runtime,
            mode,
        )
        session.restore(checkpoint.model)
        yield session


def _expected_shapes(
    experiment: ExperimentConfig, preprocessing: Preprocessing
) -> dict[str, Shape]:
    return _architecture(experiment, preprocessing).variable_shapes


def _architecture(experiment: ExperimentConfig, preprocessing: Preprocessing) -> Architecture:
    facts = preprocessing.facts
    task = resolve_task(experiment.data, experiment.loss)
    if task != facts.task:
        raise CheckpointError(f"its config is one of {task}, its data was one of {facts.task}")
    for finding in metric_findings(experiment):
        raise CheckpointError(f"its metrics do not fit its loss: {finding.message}")
    try:
        return plan_architecture(experiment, facts)
    except BmtrainError as error:
        raise CheckpointError(f"its model does not fit its data: {error.message}") from error


def _require_memory(architecture: Architecture) -> None:
    """What a layer gives may be far larger than its weights: they say nothing about it.

    Raises:
        EnvironmentFault: a block of examples does not fit into the memory.
    """
    available = available_memory()
    num_examples = evaluated_at_once(architecture)
    for position, layer in enumerate(architecture.layers):
        num_values = math.prod(layer.input_shape) + math.prod(layer.output_shape)
        num_bytes = num_examples * num_values * 4  # float32
        if num_bytes > available:
            raise EnvironmentFault(
                f"layer {position} ({layer.config.type}) needs {megabytes(num_bytes)} of memory "
                f"for {count(num_examples, 'example')}; {megabytes(available)} are available",
                hint="a damaged or hostile checkpoint can ask for any size; "
                "check where it comes from",
            )


def recorded_engine(
    engine: Mapping[str, Any],
) -> tuple[Literal["auto", "xla", "graph"], int | Literal["auto"]]:
    """Mode and threads of the run: they decide bits. What makes no sense is not followed."""
    recorded = engine.get("threads")
    threads: int | Literal["auto"] = "auto"
    if type(recorded) is int and 1 <= recorded <= MAX_THREADS:
        threads = recorded
    match engine.get("mode"):
        case "xla":
            return "xla", threads
        case "graph":
            return "graph", threads
        case _:
            return "auto", threads
