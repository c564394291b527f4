"""Figures by epoch: what a training looked like while it went on."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final

from bmtrain.figures import count, figure, telling_figures
from bmtrain.pages.content import Block, Chart, Charts, Listing, Section, Table, Words
from bmtrain.pages.curves import Curve, curves_spec, needs_log
from bmtrain.workflows.reporting.cells import metric_text
from bmtrain.workflows.reporting.curve_reading import curve_points, only_in_training, run_words
from bmtrain.workflows.reporting.reading import ReportedRun, number_at

_SPLITS: Final = ("train", "validation")
_RATE: Final = "learning_rate"


def curves_section(runs: Sequence[ReportedRun]) -> Section:
    """Curves of one run, or of several over each other."""
    with_epochs = [run for run in runs if run.epochs]
    if not with_epochs:
        words = Words("No epoch was completed: there are no figures by epoch.", "missing")
        return Section("curves", "Training", (words,))
    charts = [_chart(with_epochs, name) for name in _figure_names(with_epochs)]
    rate = _rate(with_epochs)
    blocks: list[Block] = [_readings(with_epochs), Words(_told(with_epochs))]
    if isinstance(rate, Chart):
        charts.append(rate)
    elif rate is not None:
        blocks.append(rate)
    blocks.append(Charts(tuple(charts)))
    return Section("curves", "Training", tuple(blocks))


def _readings(runs: Sequence[ReportedRun]) -> Listing:
    """What the curves say; of several runs each sentence with the letters of those it is true of."""
    said: dict[str, list[str]] = {}
    for run in runs:
        for sentence in run_words(run):
            said.setdefault(sentence, []).append(run.run.label)
    is_alone = len(runs) == 1
    return Listing(
        tuple(
            sentence if is_alone else f"{', '.join(labels)}: {sentence}"
            for sentence, labels in said.items()
        )
    )


def _told(runs: Sequence[ReportedRun]) -> str:
    during = dict.fromkeys(name for run in runs for name in only_in_training(run))
    and_so = f" with {' and '.join(during)}, which evaluation leaves out," if during else ""
    text = (
        f"Train figures are means over the batches of an epoch,{and_so} while the weights still "
        "change. "
    )
    if any("validation" in run.epochs[0] for run in runs):
        text += "Validation figures are of the whole split after the epoch. "
    return text + "Values show under the pointer, by the arrow keys, and in the tables."


def _figure_names(runs: Iterable[ReportedRun]) -> list[str]:
    return telling_figures(run.epochs[-1][split] for run in runs for split in _SPLITS
                           if split in run.epochs[-1])  # fmt: skip


def _curves(runs: Sequence[ReportedRun], name: str) -> list[Curve]:
    """Of one run a colour for each split; of several a colour for each run, train dashed."""
    curves = []
    has_both = any(curve_points(run, "validation", name) for run in runs)
    for number, run in enumerate(runs):
        for split in _SPLITS:
            points = curve_points(run, split, name)
            if not points:
                continue
            is_alone = len(runs) == 1
            label = split if is_alone else f"{run.run.label} {split}"
            colour = _SPLITS.index(split) if is_alone else number
            curves.append(
                Curve(label, colour, split == "train" and has_both and not is_alone, points)
            )
    return curves


def _chart(runs: Sequence[ReportedRun], name: str) -> Chart:
    curves = _curves(runs, name)
    words = name.replace("_", " ")
    shown = partial(metric_text, name)
    return Chart(
        title=words.capitalize(),
        spec=curves_spec(curves, words, marked=_marked(runs), log=needs_log(curves), shown=shown),
        alternative=_in_words(words, curves, shown),
        table=_table(f"{words.capitalize()} by epoch", curves, shown),
    )


def _marked(runs: Sequence[ReportedRun]) -> tuple[float, str] | None:
    """Where the weights that one run is judged by come from, if these are the best ones."""
    if len(runs) > 1 or runs[0].summed("evaluated", "which") != "best":
        return None
    epoch = number_at(runs[0].summary, "evaluated", "epoch")
    return None if epoch is None else (epoch, f"best: epoch {epoch:.0f}")


def _in_words(name: str, curves: Sequence[Curve], shown: Callable[[float], str] = figure) -> str:
    """``Line chart of loss by epoch. train: from 2.1 in epoch 1 to 0.3 in epoch 30, …``."""
    parts = []
    for curve in curves:
        (first, begin), (last, end) = curve.points[0], curve.points[-1]
        values = [value for _, value in curve.points]
        parts.append(
            f"{curve.name}: from {shown(begin)} in epoch {first:.0f} to {shown(end)} in epoch "
            f"{last:.0f}, least {shown(min(values))}, most {shown(max(values))}."
        )
    return f"Line chart of {name} by epoch. {' '.join(parts)}"


def _table(caption: str, curves: Sequence[Curve], shown: Callable[[float], str] = figure) -> Table:
    by_epoch = [dict(curve.points) for curve in curves]
    epochs = sorted({epoch for values in by_epoch for epoch in values})
    rows = tuple(
        (f"{epoch:.0f}", *(shown(v[epoch]) if epoch in v else "" for v in by_epoch))
        for epoch in epochs
    )
    is_thinned = len(epochs) > 1 and any(b - a > 1 for a, b in itertools.pairwise(epochs))
    return Table(
        caption=caption,
        header=("epoch", *(curve.name for curve in curves)),
        rows=rows,
        numbers=frozenset(range(len(curves) + 1)),
        folded=True,
        note=f"{count(len(epochs), 'epoch')} of them all, evenly chosen." if is_thinned else "",
    )


def _rate(runs: Sequence[ReportedRun]) -> Chart | Words | None:
    """A chart where it changes or differs; else the one value."""
    curves = []
    for number, run in enumerate(runs):
        points = [(epoch["epoch"], number_at(epoch, _RATE)) for epoch in run.epochs]
        drawn = tuple((epoch, rate) for epoch, rate in points if rate is not None)
        if drawn:
            label = "learning rate" if len(runs) == 1 else run.run.label
            curves.append(Curve(label, number, False, drawn))
    if not curves:
        return None
    if all(len({rate for _, rate in curve.points}) == 1 for curve in curves):
        return Words(_constant(curves))
    return Chart(
        title="Learning rate",
        spec=curves_spec(curves, "learning rate"),
        alternative=_in_words("the learning rate", curves),
        table=_table("Learning rate by epoch", curves, "{:.4g}".format),
    )


def _constant(curves: Sequence[Curve]) -> str:
    """The one rate of each run; of a single epoch its end is known, and a schedule may have begun elsewhere."""
    rates = [f"{curve.points[0][1]:.6g}" for curve in curves]
    is_one = all(len(curve.points) == 1 for curve in curves)
    when = "at the end of the epoch" if is_one else "throughout"
    if len(set(rates)) == 1:
        return f"The learning rate was {rates[0]} {when}."
    each = ", ".join(f"{curve.name} {rate}" for curve, rate in zip(curves, rates, strict=True))
    return f"The learning rate was, {when}: {each}."
