"""Two models on one test set: the test examples are the sample.

McNemar's exact test where each example is right or wrong, else a paired t-test, and a bootstrap
interval of the difference beside it: a difference is called one where both say so. Nothing
follows about the methods, each of which trains another model with another seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bmtrain.config.figure_checks import ALWAYS_REPORTED
from bmtrain.config.sections.metrics import is_right_or_wrong
from bmtrain.evidence import bootstrap_interval, is_finite, mcnemar_p, paired_t_p
from bmtrain.workflows.comparison.evidence import Evidence, corrected, judged, untested
from bmtrain.workflows.comparison.runs import ComparedRun, test_set_difference


def all_against_first(runs: Sequence[ComparedRun], figure: str) -> list[Evidence]:
    """Each further model against the first one."""
    found = [models_evidence(runs[0], run, figure) for run in runs[1:]]
    return corrected(found, runs[0].experiment.more_is_better)


def models_evidence(first: ComparedRun, second: ComparedRun, figure: str) -> Evidence:
    """Two models on one test set, by their stored predictions.

    Raises:
        DataError: stored predictions do not fit their config.
    """
    metric = figure.partition(".")[2]
    reason = _untestable(first, second, figure)
    if reason is not None:
        return untested("models", first.label, second.label, figure, reason)
    ours, theirs = first.values(metric), second.values(metric)
    if not (is_finite(ours) and is_finite(theirs)):
        return untested("models", first.label, second.label, figure, "values that are not finite")
    finish: Callable[[Any], Any] = np.sqrt if metric.startswith("root_") else lambda mean: mean
    if is_right_or_wrong(metric):
        test = "McNemar's exact test"
        p = mcnemar_p(int((ours > theirs).sum()), int((theirs > ours).sum()))
    else:
        test = "paired t-test" if finish is not np.sqrt else "paired t-test of squared errors"
        p = paired_t_p(theirs - ours)
    evidence = Evidence(
        kind="models",
        first=first.label,
        second=second.label,
        figure=figure,
        test=test,
        difference=float(finish(theirs.mean()) - finish(ours.mean())),
        interval=bootstrap_interval(ours, theirs, finish),
        p=p,
        p_adjusted=None,
        verdict="no evidence",
        reason=None if (ours != theirs).any() else _alike(first, second, metric),
    )
    return judged(evidence, first.experiment.more_is_better)


def _alike(first: ComparedRun, second: ComparedRun, metric: str) -> str:
    return f"{first.label} and {second.label} have the same {metric} on every test example"


def _untestable(first: ComparedRun, second: ComparedRun, figure: str) -> str | None:
    split, _, metric = figure.partition(".")
    if split != "test":
        return f"predictions per example are stored of the test split, and this is {figure}"
    for run in (first, second):
        if run.predictions is None:
            why = f"it is {run.overview.status}" if run.overview.status != "completed" else ""
            return f"{run.label} has no stored predictions of a test split" + (why and f": {why}")
    if metric not in ALWAYS_REPORTED and not first.experiment.metric_facts(metric).is_mean:
        return f"{metric} is of a whole split: no example has one of its own"
    for run in (first, second):
        added = {**run.experiment.plugins.metrics, **run.experiment.plugins.losses}
        if metric in added or (metric in ALWAYS_REPORTED and run.experiment.loss.name in added):
            return f"{metric} of {run.label} is a plugin's, and comparing runs loads none"
    losses = [repr(_without_logits(run)) for run in (first, second)]
    if metric == "loss" and losses[0] != losses[1]:
        return "their losses are different functions"
    difference = test_set_difference(first, second)
    return None if difference is None else f"different test sets: {difference}"


def _without_logits(run: ComparedRun) -> dict[str, Any]:
    """What makes the loss this function: whether it applies softmax itself does not."""
    loss = run.experiment.loss.model_dump()
    loss.pop("from_logits", None)
    # They differ in how labels are written.
    same = {"sparse_categorical_crossentropy": "categorical_crossentropy"}
    return {**loss, "name": same.get(loss["name"], loss["name"])}
