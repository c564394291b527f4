"""Sections about a classifier: which classes it confuses, and whether it knows when it errs."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from bmtrain.evidence import Interval
from bmtrain.figures import count, figure
from bmtrain.models.split_figures import NUM_BINS
from bmtrain.pages.charts import histogram_spec, reliability_spec
from bmtrain.pages.content import Block, Chart, Charts, Confusion, Section, Table, Words
from bmtrain.workflows.evaluate import confusion_matrix
from bmtrain.workflows.reporting.cells import percent, range_text
from bmtrain.workflows.reporting.classes import FEW, JudgedClasses

#: Classes of a square that can be read.
_MAX_SQUARE: Final = 20
#: Rows of a table of classes.
_MAX_CLASSES: Final = 200
_MAX_CONFUSIONS: Final = 15
_BIN_WIDTH: Final = f"1/{NUM_BINS}"


def classes_sections(judged: JudgedClasses) -> tuple[Section, ...]:
    """Confusion, classes, calibration."""
    return (
        Section("confusion", "Confusion matrix", _confusion(judged)),
        Section("classes", "Classes", (class_table(judged),)),
        Section("calibration", "Calibration", _calibration(judged)),
    )


def _confusion(judged: JudgedClasses) -> tuple[Block, ...]:
    size = max(len(judged.names), 1 + int(judged.predicted.max()))
    blocks: list[Block] = []
    if size <= _MAX_SQUARE:
        matrix = confusion_matrix(judged.labels, judged.predicted, len(judged.names))
        assert matrix is not None
        counts = tuple(tuple(int(value) for value in row) for row in matrix[: len(judged.names)])
        columns = tuple(judged.name(number) for number in range(size))
        blocks.append(Confusion(judged.names, columns, counts))
    else:
        text = (
            f"{size:,} classes are too many for a square: the most frequent mistakes stand below."
        )
        blocks.append(Words(text))
    blocks.append(confusion_table(judged))
    return tuple(blocks)


def confusion_table(judged: JudgedClasses) -> Table | Words:
    """The most frequent mistakes."""
    support = np.bincount(judged.labels, minlength=len(judged.names))
    rows = tuple(
        (
            judged.name(label),
            judged.name(predicted),
            f"{number:,}",
            percent(number / support[label]),
        )
        for number, label, predicted in judged.confusions(_MAX_CONFUSIONS)
    )
    if not rows:
        return Words("No test example was taken for another class.", "good")
    shown = sum(number for number, _, _ in judged.confusions(_MAX_CONFUSIONS))
    are_all = shown == judged.num_examples - judged.num_right
    return Table(
        caption="All mistakes, by kind" if are_all else "The most frequent mistakes",
        header=("is", "taken for", "examples", "of the class"),
        rows=rows,
        numbers=frozenset({2, 3}),
    )


def class_table(judged: JudgedClasses) -> Table:
    """Precision, recall with their intervals, F1, number, of each class; of many the worst."""
    entries = judged.per_class()
    note = (
        "Recall: the share of the class's examples that is found. Precision: the share of those "
        "that are said to be of the class. F1: their harmonic mean. Intervals: 95 %, Wilson."
    )
    if len(entries) > _MAX_CLASSES:
        entries = sorted(entries, key=_recall)[:_MAX_CLASSES]
        note += f" The {_MAX_CLASSES} classes of the lowest recall, of {len(judged.names):,}."
    return Table(
        caption="Test figures of each class",
        header=("class", "recall", "95 % interval", "precision", "95 % interval", "F1", "examples"),
        rows=tuple(map(_class_row, entries)),
        numbers=frozenset(range(1, 7)),
        note=note,
    )


def _recall(entry: dict[str, Any]) -> float:
    recall = entry["recall"]
    return 2.0 if recall is None else float(recall)


def _class_row(entry: dict[str, Any]) -> tuple[str, ...]:
    few = " (few)" if entry["support"] < FEW else ""
    cells = []
    for name in ("recall", "precision"):
        share = entry[name]
        cells.append("–" if share is None else percent(share))
        cells.append("–" if share is None else range_text(entry[f"{name}_interval"]))
    f1 = entry["f1"]
    return (
        entry["class"],
        *cells,
        "–" if f1 is None else f"{f1:.3f}",
        f"{entry['support']:,}{few}",
    )


def calibration_words(judged: JudgedClasses) -> str:
    """Whether the model's probabilities can be taken at their word."""
    error, confidence = judged.calibration_error, judged.confidence
    assert error is not None
    assert confidence is not None
    gap = float(confidence.mean()) - judged.accuracy
    sure = "too sure" if gap > 0 else "not sure enough"
    told = "about as sure as it should be" if abs(gap) < 0.01 else sure
    return (
        f"The probability that it gives to its answers is {percent(float(confidence.mean()))} on "
        f"average, and {percent(judged.accuracy)} of them are right: it is {told}. Expected "
        f"calibration error {percent(error)}: how far the two are apart, averaged over bins of "
        f"{_BIN_WIDTH}."
    )


def _calibration(judged: JudgedClasses) -> tuple[Block, ...]:
    bins = judged.bins()
    if not bins:
        text = "The model's outputs are scores and no probabilities: nothing says how sure it is."
        return (Words(text, "missing"),)
    rows: list[dict[str, Any]] = [{**entry, "told": _bin_in_words(entry)} for entry in bins]
    shares = "; ".join(row["told"] for row in rows)
    reliability = Chart(
        title="Reliability diagram",
        spec=reliability_spec(rows),
        alternative=f"Chart of the share of right answers against their probability: {shares}.",
        table=_bins_table(bins),
    )
    sums = [
        {"low": e["from"], "high": e["to"], "count": e["count"], "told": e["told"]} for e in rows
    ]
    histogram = Chart(
        title="Confidence",
        spec=histogram_spec(
            sums, "probability given to its answer", "examples", unit=True, counted=True
        ),
        alternative=f"Histogram of the probability of the answer: {shares}.",
    )
    note = (
        "On the dashed line, of the answers given with 80 % probability 80 % are right: below it the "
        "model is too sure, above it not sure enough. The larger a dot, the more examples; bars are "
        "95 % intervals."
    )
    return Words(calibration_words(judged)), Words(note), Charts((reliability, histogram))


def _bin_in_words(entry: Any) -> str:
    return (
        f"probability {entry['from']:.2f} to {entry['to']:.2f}: "
        f"{count(entry['count'], 'example')}, {percent(entry['share'])} right"
    )


def _bins_table(bins: Any) -> Table:
    rows = tuple(
        (
            f"{entry['from']:.3f} to {entry['to']:.3f}",
            f"{entry['count']:,}",
            figure(entry["confidence"]),
            percent(entry["share"]),
            range_text(Interval(entry["low"], entry["high"])),
        )
        for entry in bins
    )
    header = ("probability", "examples", "its mean", "right", "95 % interval")
    return Table("Calibration by bin", header, rows, frozenset({1, 2, 3, 4}), folded=True)
