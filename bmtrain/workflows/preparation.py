"""Everything before TensorFlow: config, data, preprocessing and architecture, checked to fit."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from bmtrain.config.expectations import Expectation, parse_expectation
from bmtrain.config.figure_checks import class_count_findings
from bmtrain.config.load import LoadedConfig
from bmtrain.config.origin_listing import set_keys
from bmtrain.config.origins import Origins
from bmtrain.config.schedule_checks import SCHEDULE, depends_on_steps, timed_findings
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.config.sections.learning_rate import ReduceOnPlateau
from bmtrain.data.examples.dataset import Dataset
from bmtrain.data.examples.normalization import fit_preprocessing
from bmtrain.data.examples.preprocessing import Preprocessing
from bmtrain.data.examples.weights import weighted
from bmtrain.data.load import load_dataset, resolve_task
from bmtrain.data.raw.memory import megabytes
from bmtrain.errors import BmtrainError, DataError, Diagnostic, OutOfMemory
from bmtrain.figures import count
from bmtrain.machine import available_memory, hides_gpus, may_have_gpu
from bmtrain.models.architecture import Architecture, plan_architecture
from bmtrain.models.augmentation_checks import require_fitting_augmentation
from bmtrain.models.doubts import architecture_warnings
from bmtrain.models.expansion import ConfigKey
from bmtrain.models.memory import MemoryNeed, training_memory


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a training needs that is not TensorFlow; ``origins``: of each key that was set, where."""

    experiment: ExperimentConfig
    dataset: Dataset
    preprocessing: Preprocessing
    architecture: Architecture
    expectations: tuple[Expectation, ...]
    warnings: tuple[Diagnostic, ...]
    read_s: float
    origins: Mapping[str, str]

    @property
    def is_streamed(self) -> bool:
        """Whether the training examples stay in their file."""
        return self.dataset.splits["train"].is_streamed

    @property
    def batch_size(self) -> int:
        """Examples per step; no more than there are."""
        return self.experiment.training.examples_per_step(self.num_train_examples)

    @property
    def num_train_examples(self) -> int:
        """Of the training split."""
        return self.dataset.splits["train"].num_examples


@dataclass(frozen=True, slots=True)
class PreparedData:
    """The splits, how their inputs are scaled, and what the results are held to."""

    dataset: Dataset
    preprocessing: Preprocessing
    expectations: tuple[Expectation, ...]
    read_s: float


def prepare(loaded: LoadedConfig) -> Prepared:
    """Read the data and make sure that model, loss, monitor and expectations fit it.

    Raises:
        DataError, ConfigError: with a diagnostic that points into the config
            where it is the config's business.
        OutOfMemory: it cannot be trained in the memory that there is.
    """
    prepared = plan(loaded, read_data(loaded))
    require_memory(prepared, loaded.origins)
    return prepared


def read_data(loaded: LoadedConfig) -> PreparedData:
    """The splits that the config asks for; those that monitor and expectations name are there.

    Raises:
        DataError: as in :func:`prepare`.
    """
    experiment = loaded.experiment
    began = time.perf_counter()
    with pointing_at(loaded.origins):
        dataset = load_experiment_data(experiment)
        preprocessing = fit_preprocessing(dataset, experiment.data.normalize)
        expectations = tuple(parse_expectation(text) for text in experiment.expect)
        _check_splits(experiment, dataset, expectations)
    return PreparedData(dataset, preprocessing, expectations, time.perf_counter() - began)


def plan(loaded: LoadedConfig, data: PreparedData) -> Prepared:
    """The model's layers follow the shape of the data.

    Raises:
        DataError: they cannot, or do not fit its labels.
    """
    facts = data.dataset.facts
    with pointing_at(loaded.origins):
        require_fitting_augmentation(
            loaded.experiment.training.augmentation,
            facts,
            loaded.experiment.plugins.augmentations,
        )
        architecture = plan_architecture(loaded.experiment, facts)
        num_examples = data.dataset.splits["train"].num_examples
        late = list(step_warnings(loaded.experiment, num_examples))
        for finding in class_count_findings(loaded.experiment, len(facts.class_names or ())):
            if finding.severity == "error":
                raise DataError(finding.message, key=finding.key)
            late.append((finding.key, finding.message))
        late += precision_warnings(loaded.experiment)
    found = [*architecture_warnings(architecture, facts), *late]
    warnings = [loaded.origins.diagnostic(key, text, severity="warning") for key, text in found]
    return Prepared(
        experiment=loaded.experiment,
        dataset=data.dataset,
        preprocessing=data.preprocessing,
        architecture=architecture,
        expectations=data.expectations,
        warnings=(*loaded.warnings, *warnings),
        read_s=data.read_s,
        origins=set_keys(loaded),
    )


def step_warnings(
    experiment: ExperimentConfig, num_examples: int
) -> Iterator[tuple[ConfigKey, str]]:
    """What in a training on so many examples is longer than its steps.

    Raises:
        DataError: the schedule cannot be followed, or no step changes a weight.
    """
    optimizer, timeline = experiment.optimizer, experiment.training.timeline(num_examples)
    accumulated = getattr(optimizer, "gradient_accumulation_steps", None)
    if accumulated is not None and accumulated > timeline.total_steps:
        steps = count(timeline.total_steps, "step")
        message = f"expected at most the training's {steps}, got {accumulated:,}"
        raise DataError(message, key=("optimizer", "gradient_accumulation_steps"))
    schedule = optimizer.learning_rate
    if isinstance(schedule, float) or not depends_on_steps(schedule):
        return  # what can be told was told with the config
    for finding in timed_findings(schedule, timeline):
        if finding.severity == "error":
            raise DataError(finding.message, key=finding.key)
        yield finding.key, finding.message


def precision_warnings(experiment: ExperimentConfig) -> Iterator[tuple[ConfigKey, str]]:
    """What is fast on GPUs that have bfloat16 units."""
    if experiment.training.precision != "float32" and not is_for_gpu(experiment):
        text = (
            f"{experiment.training.precision} is slower than float32 on most processors; it is for "
            "GPUs that compute in bfloat16"
        )
        yield ("training", "precision"), text


def load_experiment_data(experiment: ExperimentConfig) -> Dataset:
    """The splits that the experiment trains on and is measured by."""
    task = resolve_task(experiment.data, experiment.loss)
    dataset = load_dataset(experiment.data, task=task, seed=experiment.seed)
    return weighted(dataset, experiment.training.class_weight)


@contextmanager
def pointing_at(origins: Origins) -> Iterator[None]:
    """Give an error that names a config key its file, line and caret."""
    try:
        yield
    except BmtrainError as error:
        if error.key is not None and not error.diagnostics:
            error.diagnostics = (origins.diagnostic(error.key, error.message),)
        raise


def _check_splits(
    experiment: ExperimentConfig, dataset: Dataset, expectations: tuple[Expectation, ...]
) -> None:
    """The splits that the monitor and the expectations name must be there."""
    stopping = experiment.training.early_stopping
    wanted: list[tuple[str, tuple[str | int, ...]]] = [
        (expectation.split, ("expect", i)) for i, expectation in enumerate(expectations)
    ]
    if stopping is not None:
        wanted.append((stopping.monitor.split(".")[0], ("training", "early_stopping")))
    schedule = experiment.optimizer.learning_rate
    if isinstance(schedule, ReduceOnPlateau):
        wanted.append((schedule.monitor.split(".")[0], (*SCHEDULE, "monitor")))
    for split, key in wanted:
        if split not in dataset.splits:
            has = ", ".join(dataset.splits)
            raise DataError(
                f"there is no {split} split: the data has {has}",
                key=key,
                hint=f"data.splits.{split}: 0.1 holds out a tenth of the training examples",
            )


def is_for_gpu(experiment: ExperimentConfig) -> bool:
    """Whether it may be trained on a GPU, which has a memory of its own."""
    return experiment.training.device != "cpu" and may_have_gpu() and not hides_gpus()


def memory_need(prepared: Prepared) -> MemoryNeed:
    """What training this takes."""
    splits, experiment = prepared.dataset.splits, prepared.experiment
    return training_memory(
        prepared.architecture,
        experiment.optimizer,
        batch_size=prepared.batch_size,
        data_bytes=splits["train"].num_bytes(prepared.batch_size),
        precision=experiment.training.precision,
        holds_best="validation" in splits,
        has_short_batch=prepared.num_train_examples % prepared.batch_size > 0,
        on_gpu=is_for_gpu(experiment),
    )


def require_memory(prepared: Prepared, origins: Origins) -> None:
    """What does not fit would end in the middle of an allocation, or be killed by the system.

    Raises:
        OutOfMemory: it does not.
    """
    if not is_for_gpu(prepared.experiment):
        with pointing_at(origins):
            _require(memory_need(prepared), prepared)


def _require(need: MemoryNeed, prepared: Prepared) -> None:
    available = available_memory()
    if need.at_least <= available:
        return
    parts: list[tuple[int, str, ConfigKey, str]] = [
        (
            need.parameters,
            f"{prepared.architecture.num_parameters:,} parameters, their optimizer and saving them",
            ("model",),
            "a smaller model",
        ),
        (
            need.kept,
            f"a batch of {prepared.batch_size:,} examples",
            ("training", "batch_size"),
            "a smaller training.batch_size",
        ),
        (need.data, "the training examples", ("data",), "fewer examples (data.train_examples)"),
    ]
    largest = max(parts)
    words = "; ".join(f"{megabytes(part)} for {what}" for part, what, _, _ in parts)
    raise OutOfMemory(
        f"training this needs at least {megabytes(need.at_least)} of memory "
        f"({words}); {megabytes(available)} are available",
        key=largest[2],
        hint=f"use {largest[3]}, or a machine with more memory",
    )
