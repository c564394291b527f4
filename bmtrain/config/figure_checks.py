"""Figures that a config names: they must exist, fit the task, and be reachable."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bmtrain.config.expectations import Expectation, ExpectationSyntaxError, parse_expectation
from bmtrain.config.finding import Finding
from bmtrain.config.nodes import KeyPath
from bmtrain.config.paths import is_path
from bmtrain.config.sections.data import DataSection
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.config.sections.metrics import (
    OF_PROBABILITIES,
    OF_TWO_CLASSES,
    MetricFacts,
    top_k,
)
from bmtrain.config.suggestions import did_you_mean
from bmtrain.figures import count

#: Reported for every split, whatever the metrics.
ALWAYS_REPORTED = ("loss", "penalty", "objective")


def figure_findings(experiment: ExperimentConfig) -> Iterator[Finding]:
    """Metrics, the monitored figure and expectations that cannot be as they are written."""
    yield from metric_findings(experiment)
    yield from _monitor(experiment)
    for index, text in enumerate(experiment.expect):
        yield from _expectation(text, ("expect", index), experiment)


def metric_findings(experiment: ExperimentConfig) -> Iterator[Finding]:
    """A loss or metrics that are not of the task."""
    yield from _task(experiment)
    yield from _metrics(experiment)
    if experiment.training.class_weight is not None and not _is_classification(experiment):
        message = f"there are no classes: this is regression (the loss is {experiment.loss.name})"
        yield Finding(("training", "class_weight"), message)


def class_count_findings(experiment: ExperimentConfig, num_classes: int) -> Iterator[Finding]:
    """Metrics that say nothing where the data has so many classes."""
    for index, metric in enumerate(experiment.metrics):
        key: KeyPath = ("metrics", index)
        if metric in OF_TWO_CLASSES and num_classes != 2:
            message = f"'{metric}' is of two classes, and the data has {num_classes:,}; "
            yield Finding(key, message + f"write '{metric}_macro'")
        elif (k := top_k(metric)) is not None and k > num_classes:
            yield Finding(key, f"'{metric}': the data has {num_classes:,} classes and no {k:,}th")
        elif k == num_classes:
            message = f"'{metric}' of {num_classes:,} classes is always 1"
            yield Finding(key, message, "warning")


def _is_classification(experiment: ExperimentConfig) -> bool:
    task = experiment.data.task
    return task == "classification" or (task == "auto" and experiment.loss.is_crossentropy)


def _task(experiment: ExperimentConfig) -> Iterator[Finding]:
    if experiment.data.task == "regression" and experiment.loss.is_crossentropy:
        yield Finding(
            ("data", "task"),
            f"expected classification under the loss {experiment.loss.name}, got regression",
        )


def _metrics(experiment: ExperimentConfig) -> Iterator[Finding]:
    classifies = _is_classification(experiment)
    for index, metric in enumerate(experiment.metrics):
        key = ("metrics", index)
        if metric in experiment.metrics[:index]:
            yield Finding(key, f"'{metric}' is listed twice")
        elif experiment.metric_facts(metric).of_classes != classifies:
            yield Finding(key, _misfit(metric, experiment))
        elif top_k(metric) is not None and experiment.loss.name == "binary_crossentropy":
            yield Finding(key, f"'{metric}' needs more than two classes")
        elif metric in OF_PROBABILITIES and not experiment.loss.is_crossentropy:
            message = f"'{metric}' is of probabilities, and those of a cross-entropy's model alone"
            yield Finding(key, message)


def _misfit(metric: str, experiment: ExperimentConfig) -> str:
    if not experiment.metric_facts(metric).of_classes:
        return f"'{metric}' is a figure of regression, and this is classification"
    message = f"'{metric}' is a figure of classification, and this is regression"
    if experiment.data.task == "auto":
        message += (
            f" (the loss is {experiment.loss.name}); if the labels are classes, "
            "write 'data.task: classification'"
        )
    return message


def _monitor(experiment: ExperimentConfig) -> Iterator[Finding]:
    stopping = experiment.training.early_stopping
    if stopping is None:
        return
    key = ("training", "early_stopping", "monitor")
    yield from monitor_findings(stopping.monitor, stopping.mode, key, experiment)
    if stopping.patience >= experiment.training.epochs:
        yield Finding(
            (*key[:-1], "patience"),
            f"patience {stopping.patience:,} never ends a training of "
            f"{count(experiment.training.epochs, 'epoch')}",
            "warning",
        )


def monitor_findings(
    monitor: str, mode: str, key: KeyPath, experiment: ExperimentConfig
) -> Iterator[Finding]:
    """A figure that ``key`` names to be watched; ``mode`` is the key beside it."""
    split, _, metric = monitor.partition(".")
    yield from _figure(split, metric, key, experiment)
    more_is_better = experiment.metric_facts(metric).more_is_better
    if mode == ("min" if more_is_better else "max"):
        better = "larger" if more_is_better else "smaller"
        yield Finding(
            (*key[:-1], "mode"), f"a {better} {metric} is better, and mode is {mode}", "warning"
        )


def _expectation(text: str, key: KeyPath, experiment: ExperimentConfig) -> Iterator[Finding]:
    try:
        expectation = parse_expectation(text)
    except ExpectationSyntaxError as error:
        yield Finding(key, str(error))
        return
    wrong = list(_figure(expectation.split, expectation.metric, key, experiment))
    yield from wrong or _reachable(expectation, key, experiment.metric_facts(expectation.metric))


def _figure(
    split: str, metric: str, key: KeyPath, experiment: ExperimentConfig
) -> Iterator[Finding]:
    figures = (*ALWAYS_REPORTED, *experiment.metrics)
    if metric not in figures:
        message = f"expected a figure of this run: {', '.join(figures)}; got '{metric}'"
        hint = did_you_mean(metric, figures)
        yield Finding(key, message + (hint or "; the others must be listed in 'metrics'"))
    elif split == "train" and metric not in {*ALWAYS_REPORTED, *experiment.mean_metrics}:
        message = f"'{metric}' is of whole splits: validation and test have it, train does not"
        yield Finding(key, message)
    if not may_have_split(experiment.data, split):
        what = f"there is no {split} split; "
        yield Finding(key, what + f"give data.splits.{split}, a fraction of the training part")


def may_have_split(data: DataSection, split: str) -> bool:
    """Whether the run may have that split, as far as the config tells.

    Bundled sets and IDX directories publish no validation split, one table has no
    split of its own; what other sources bring is seen when they are read.
    """
    if split == "train" or getattr(data.splits, split) is not None:
        return True
    if split == "validation" and data.splits.fold is not None:
        return True
    if not is_path(data.source):
        return split == "test"
    if data.format == "idx" and split == "validation":
        return False
    is_table = data.source.endswith((".csv", ".csv.gz"))
    return not is_table or Path(data.source).is_dir()


def _reachable(expectation: Expectation, key: KeyPath, facts: MetricFacts) -> Iterator[Finding]:
    """Accuracies and their like lie in [0, 1], most other figures are at least 0."""
    least, most = facts.least, facts.most
    best, worst = (most, least) if expectation.operator[0] == ">" else (least, most)
    if not expectation.is_met_by(best):
        message = f"can never hold: {expectation.metric} {_lies(least, most)}"
        if most == 1 and 1 < expectation.threshold <= 100:
            message += f"; write {expectation.threshold / 100:g} for {expectation.threshold:g} %"
        yield Finding(key, message)
    elif expectation.is_met_by(worst):
        yield Finding(key, "always holds", "warning")


def _lies(least: float, most: float) -> str:
    if most == float("inf"):
        return "is never negative"
    return (
        f"lies between {least:g} and {most:g}" if least > -float("inf") else f"is at most {most:g}"
    )
