"""What was expected of a run, and whether its test split is large enough to say that it is met."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from bmtrain.config.expectations import Expectation, ExpectationSyntaxError, parse_expectation
from bmtrain.config.sections.metrics import is_right_or_wrong
from bmtrain.evidence import Interval
from bmtrain.figures import figure
from bmtrain.pages.content import Words
from bmtrain.workflows.reporting.cells import metric_text, range_text
from bmtrain.workflows.reporting.classes import JudgedClasses
from bmtrain.workflows.reporting.judging import Judged
from bmtrain.workflows.reporting.numbers import JudgedNumbers
from bmtrain.workflows.reporting.reading import ReportedRun, entry, number_at

_BOUNDS: Final[Mapping[str, str]] = {
    ">=": "at least",
    "<=": "at most",
    ">": "more than",
    "<": "less than",
}


def expectation_words(run: ReportedRun, judged: Judged) -> Iterator[Words]:
    """A sentence for each; one whose interval holds the bound is neither good nor bad."""
    expectations = run.summary.get("expectations")
    for expectation in expectations if isinstance(expectations, list) else ():
        text, value = entry(expectation, "text"), number_at(expectation, "value")
        if isinstance(text, str):
            is_met = entry(expectation, "met") is True
            yield _words(run, judged, text, value, is_met=is_met)


def _words(
    run: ReportedRun, judged: Judged, text: str, value: float | None, *, is_met: bool
) -> Words:
    whose = "The config" if text in run.run.experiment.expect else "The command line"
    try:
        expected = parse_expectation(text)
    except ExpectationSyntaxError:  # of a stranger's summary
        return Words(f"{whose} expects {text}.", "missing")
    metric = expected.metric
    bound = f"{_BOUNDS[expected.operator]} {metric_text(metric, expected.threshold)}"
    what = f"{whose} expects a {expected.split} {metric.replace('_', ' ')} of {bound}"
    if value is None:
        return Words(f"{what}: it was not measured.", "missing")
    told = f"{what}: {'met' if is_met else 'missed'} with {metric_text(metric, value)}"
    interval = _interval(judged, expected)
    if interval is None or not interval.low < expected.threshold < interval.high:
        return Words(f"{told}.", "good" if is_met else "bad")
    ends = f"{figure(interval.low)} to {figure(interval.high)}"
    if is_right_or_wrong(metric):
        ends = range_text(interval)
    return Words(
        f"{told}, but the 95 % interval, {ends}, reaches across the bound: the test split is too "
        "small to be sure.",
        "missing" if is_met else "bad",
    )


def _interval(judged: Judged, expected: Expectation) -> Interval | None:
    """Of the figure, where it has one."""
    if expected.split != "test":
        return None
    if isinstance(judged, JudgedClasses):
        return judged.interval if expected.metric == "accuracy" else None
    if isinstance(judged, JudgedNumbers):
        named = {name.replace(" ", "_"): interval for name, _, interval in judged.errors()}
        return named.get(expected.metric)
    return None
