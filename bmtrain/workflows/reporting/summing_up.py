"""What a run comes to: sentences for its head, key figures, and the limits of both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from bmtrain.data.wording.quoting import listed_and_more, short
from bmtrain.evidence import Interval
from bmtrain.figures import amount, count, duration, figure, rounded, telling_figures
from bmtrain.pages.content import Fact, Facts, Table, Words
from bmtrain.workflows.reporting.cells import input_text
from bmtrain.workflows.reporting.class_sections import percent, range_text
from bmtrain.workflows.reporting.classes import FEW, JudgedClasses
from bmtrain.workflows.reporting.numbers import JudgedNumbers
from bmtrain.workflows.reporting.reading import ReportedRun, entry, number_at

Judged = JudgedClasses | JudgedNumbers | None
_ENDINGS: Final = {
    "interrupted": "It did not complete",
    "diverged": "The training diverged and did not complete",
    "failed": "It failed and did not complete",
}
#: A test accuracy whose interval is wider says little, in points.
_WIDE: Final = 0.05
#: A model is that much better on what it was trained on, in points.
_GAP: Final = 0.05


def lead(run: ReportedRun, judged: Judged) -> tuple[Words, ...]:
    """What was trained, how well, where it fails: the first thing that is read."""
    found = [Words(_what_was_trained(run))]
    status = run.run.overview.status
    if status != "completed":
        found.append(Words(_how_it_ended(run), "bad"))
    if isinstance(judged, JudgedClasses):
        found += [Words(_how_well(judged)), Words(_where_it_fails(judged))]
    elif isinstance(judged, JudgedNumbers):
        found.append(Words(_how_far_off(judged)))
    else:
        text = "No predictions of a test split are stored: how well it does on new examples is not known."
        found.append(Words(text, "missing"))
    found += list(_expectations(run))
    return tuple(found)


def _what_was_trained(run: ReportedRun) -> str:
    source = run.run.experiment.data.source
    parameters = run.run.overview.parameters
    size = f"A model of {count(parameters, 'parameter')}" if parameters else "A model"
    examples = number_at(run.recorded("data", "examples"), "train")
    on = f"{count(int(examples), 'example')} of {source}" if examples else source
    epochs = count(run.run.overview.epochs, "epoch")
    text = f"{size} was trained for {epochs} on {on}{_task(run)}."
    if run.summed("evaluated", "which") == "best":
        epoch = number_at(run.summary, "evaluated", "epoch")
        monitor = run.run.overview.monitor
        if epoch is not None and monitor:
            text += f" All figures are of epoch {epoch:.0f}, the best by {monitor}."
    return text


def _task(run: ReportedRun) -> str:
    """``, to tell 10 classes apart: 0, 1, …`` or ``, to predict bikers``."""
    if run.class_names is not None:
        names = listed_and_more(list(map(short, run.class_names)), 6)
        return f", to tell {count(len(run.class_names), 'class', 'classes')} apart: {names}"
    if run.restored is None:
        return ""
    label = run.restored.checkpoint.preprocessing.facts.label_name
    return f", to predict {label}" if label else ""


def _how_it_ended(run: ReportedRun) -> str:
    overview = run.run.overview
    if overview.status == "interrupted" and not overview.message:
        return "It was interrupted and did not complete."
    if overview.status == "running":
        return f"It goes on: {overview.held_by}. This is what there is so far."
    why = f": {overview.message}" if overview.message else ""
    return f"{_ENDINGS.get(overview.status, 'It did not complete')}{why}."


def _how_well(judged: JudgedClasses) -> str:
    name, share = judged.commonest
    better = "" if judged.accuracy > share else " It is no better than that."
    return (
        f"It is right on {judged.num_right:,} of {count(judged.num_examples, 'test example')}: "
        f"{percent(judged.accuracy)}, 95 % interval {range_text(judged.interval)}. Always "
        f"answering “{name}” would be right in {percent(share)}.{better}"
    )


def _where_it_fails(judged: JudgedClasses) -> str:
    if judged.num_right == judged.num_examples:
        return "It makes no mistake on the test split: a larger one might show where it fails."
    seen = [entry for entry in judged.per_class() if entry["support"]]
    worst = min(seen, key=lambda entry: entry["recall"])
    number, label, predicted = judged.confusions(1)[0]
    most = (
        f"Its most frequent mistake is to take “{judged.name(label)}” for "
        f"“{judged.name(predicted)}”: {number:,} times."
    )
    return (
        f"It finds “{worst['class']}” least often: {percent(worst['recall'])} of its "
        f"{count(worst['support'], 'example')}. {most if number > 1 else 'No mistake is made twice.'}"
    )


def _how_far_off(judged: JudgedNumbers) -> str:
    (_, error, interval), *_ = judged.errors()
    r2 = "" if judged.r2 is None else (
        f" It explains {percent(judged.r2)} of the targets' variance (R²); always answering their "
        "mean would explain none."
    )  # fmt: skip
    return (
        f"On {count(judged.num_examples, 'test example')} it is off by {rounded(error)} on average, "
        f"95 % interval {rounded(interval.low)} to {rounded(interval.high)}.{r2}"
    )


def _expectations(run: ReportedRun) -> Iterator[Words]:
    expectations = run.summary.get("expectations")
    for expectation in expectations if isinstance(expectations, list) else ():
        text, value = entry(expectation, "text"), number_at(expectation, "value")
        if isinstance(text, str):
            met = entry(expectation, "met") is True
            if value is None:
                yield Words(f"Expected: {text}. It was not measured.", "missing")
            else:
                told = "met" if met else "missed"
                yield Words(
                    f"Expected: {text}. {told.capitalize()} with {figure(value)}.",
                    "good" if met else "bad",
                )


def key_facts(run: ReportedRun, judged: Judged) -> Facts:
    """Figures to be seen at once."""
    facts = []
    if isinstance(judged, JudgedClasses):
        interval = f"95 % interval {range_text(judged.interval)}"
        facts.append(Fact("test accuracy", percent(judged.accuracy), interval))
    elif isinstance(judged, JudgedNumbers):
        (_, error, reach), *_ = judged.errors()
        between = f"95 % interval {rounded(reach.low)} to {rounded(reach.high)}"
        facts.append(Fact("test mean absolute error", rounded(error), between))
    overview = run.run.overview
    loss = run.run.figure("test.loss")
    if loss is not None:
        facts.append(Fact("test loss", figure(loss)))
    if overview.parameters:
        facts.append(Fact("parameters", f"{overview.parameters:,}"))
    facts.append(Fact("epochs", f"{overview.epochs:,}", _when(overview.begun)))
    if overview.train_s is not None:
        flops = number_at(run.summary, "cost", "flops")
        facts.append(
            Fact("training", duration(overview.train_s), amount(flops, "FLOP") if flops else "")
        )
    return Facts(tuple(facts))


def _when(begun: str | None) -> str:
    """``2026-11-23T10:15:00Z`` as people write it."""
    return "" if begun is None else f"begun {begun[:10]} {begun[11:16]} UTC"


def figures_table(run: ReportedRun) -> Table | Words:
    """All figures of all splits."""
    metrics = run.run.overview.metrics
    names = telling_figures(metrics.values())
    if not names:
        return Words("There are no figures yet.", "missing")
    rows = tuple((name, *(_cell(figures, name) for figures in metrics.values())) for name in names)
    note = "" if "train" not in metrics else (
        "Train figures are means over the epoch, while the weights changed; those of validation "
        "and test are of whole splits."
    )  # fmt: skip
    header = ("figure", *metrics)
    return Table("Figures of each split", header, rows, frozenset(range(1, len(header))), note=note)


def _cell(figures: Any, name: str) -> str:
    return figure(figures[name]) if name in figures else ""


def limits(run: ReportedRun, judged: Judged) -> tuple[str, ...]:
    """What must not be read into the figures."""
    return tuple(_limits(run, judged))


def _limits(run: ReportedRun, judged: Judged) -> Iterator[str]:
    experiment, overview = run.run.experiment, run.run.overview
    yield (
        f"One training with the seed {experiment.seed}: another seed gives another model, and "
        "nothing here says how different. Train several and compare them."
    )
    if judged is None:
        yield "There are no predictions of a test split: nothing here is about new examples."
        return
    if "validation" not in overview.metrics:
        yield (
            "There is no validation split: settings that were chosen by looking at test figures "
            "make these too good."
        )
    if isinstance(judged, JudgedClasses):
        yield from _limits_of_classes(judged)
        accuracy = run.run.figure("train.accuracy")
        if accuracy is not None and accuracy - judged.accuracy >= _GAP:
            yield (
                f"It is right on {percent(accuracy)} of what it was trained on and on "
                f"{percent(judged.accuracy)} of the test examples: it has learned some by heart."
            )
    yield (
        "It was tested on examples drawn like those that it was trained on "
        f"({_input(run)}): of others nothing is known."
    )


def _limits_of_classes(judged: JudgedClasses) -> Iterator[str]:
    interval: Interval = judged.interval
    if interval.high - interval.low > _WIDE:
        yield (
            f"The test split is small: with {count(judged.num_examples, 'example')} the accuracy is "
            f"known to {range_text(interval)} and no better."
        )
    few = [entry["class"] for entry in judged.per_class() if entry["support"] < FEW]
    if few:
        names = listed_and_more(few, 10)
        yield f"Fewer than {FEW} test examples each, so their own figures say little: {names}."


def _input(run: ReportedRun) -> str:
    source = run.run.experiment.data.source
    if run.restored is None:
        return source
    facts = run.restored.checkpoint.preprocessing.facts
    return f"{source}: {input_text(facts)}"
