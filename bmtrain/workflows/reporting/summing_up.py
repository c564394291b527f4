"""What a run comes to: sentences for its head, and key figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from bmtrain.data.bundled import BUNDLED
from bmtrain.data.wording.quoting import listed_and_more, short
from bmtrain.figures import count, duration, figure, rounded, telling_figures
from bmtrain.pages.content import Fact, Facts, Table, Words
from bmtrain.workflows.reporting.cells import metric_text, percent, range_text
from bmtrain.workflows.reporting.classes import JudgedClasses
from bmtrain.workflows.reporting.curve_reading import early_stopping_words, only_in_training
from bmtrain.workflows.reporting.expected import expectation_words
from bmtrain.workflows.reporting.judging import Judged
from bmtrain.workflows.reporting.numbers import JudgedNumbers
from bmtrain.workflows.reporting.reading import ReportedRun, number_at

_ENDINGS: Final = {
    "interrupted": "It did not complete",
    "diverged": "The training diverged and did not complete",
    "failed": "It failed and did not complete",
}
#: Classes, or mistakes, that are named.
_NAMED: Final = 6
_TIED: Final = 3
_DIGITS: Final = frozenset("0123456789")


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
    found += list(expectation_words(run, judged))
    return tuple(found)


def _what_was_trained(run: ReportedRun) -> str:
    parameters = run.run.overview.parameters
    size = f"A model of {count(parameters, 'parameter')}" if parameters else "A model"
    epochs = count(run.run.overview.epochs, "epoch")
    text = f"{size} was trained for {epochs} on {_on(run)}{_task(run)}."
    if ended := early_stopping_words(run):
        text += f" {ended}"
    if run.summed("evaluated", "which") == "best":
        epoch = number_at(run.summary, "evaluated", "epoch")
        if epoch is not None and run.run.overview.monitor:
            text += f" All figures are of epoch {epoch:.0f}, {_best_words(run)}."
    return text


def _best_words(run: ReportedRun) -> str:
    """``in which the validation loss was least``."""
    split, _, metric = (run.run.overview.monitor or "").partition(".")
    is_most = run.run.experiment.more_is_better(metric)
    extreme = "highest" if is_most else "least"
    return f"in which the {split} {metric.replace('_', ' ')} was {extreme}"


def _on(run: ReportedRun) -> str:
    """``275 examples of the bundled set “penguins”``."""
    source = run.run.experiment.data.source
    named = f"“{source}”, a data set that comes with bmtrain" if source in BUNDLED else source
    examples = number_at(run.recorded("data", "examples"), "train")
    return f"{count(int(examples), 'example')} of {named}" if examples else named


def _task(run: ReportedRun) -> str:
    """``, to tell 10 classes apart: 0 to 9`` or ``, to predict bikers``."""
    if run.class_names is not None:
        names = _named(run.class_names)
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


def _named(names: Sequence[str]) -> str:
    """``0 to 9`` where the names count up, else the first ones."""
    first = int(names[0]) if names[0] in _DIGITS else None
    if first is not None and len(names) > 2 and list(names) == _counting(first, len(names)):
        return f"{names[0]} to {names[-1]}"
    return listed_and_more(list(map(short, names)), _NAMED)


def _counting(first: int, number: int) -> list[str]:
    return list(map(str, range(first, first + number)))


def _where_it_fails(judged: JudgedClasses) -> str:
    if judged.num_right == judged.num_examples:
        return "It makes no mistake on the test split: a larger one might show where it fails."
    seen = [entry for entry in judged.per_class() if entry["support"]]
    least = min(entry["recall"] for entry in seen)
    worst = [entry for entry in seen if entry["recall"] == least]
    names = listed_and_more([f"“{entry['class']}”" for entry in worst], _TIED)
    of_its = f" of its {count(worst[0]['support'], 'example')}" if len(worst) == 1 else " of each"
    return f"It finds {names} least often: {percent(least)}{of_its}. {_mistaken(judged)}"


def _mistaken(judged: JudgedClasses) -> str:
    """The most frequent mistake, or all that are as frequent."""
    wrong = judged.num_examples - judged.num_right
    kinds = judged.confusions(wrong)
    most = kinds[0][0]
    tied = [
        f"“{judged.name(label)}” for “{judged.name(predicted)}”"
        for number, label, predicted in kinds
        if number == most
    ]
    if wrong == 1:
        return f"Its one mistake is to take {tied[0]}."
    if most == 1:
        return f"Its {wrong:,} mistakes are of {wrong:,} kinds: it confuses no two classes twice."
    if len(tied) == 1:
        return f"Its most frequent mistake is to take {tied[0]}: {most:,} of {wrong:,} mistakes."
    named = listed_and_more(tied, _TIED)
    return f"Its most frequent mistakes, {most:,} times each of {wrong:,}, are to take {named}."


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
        facts.append(Fact("test loss", figure(loss), _of_guessing(run, judged)))
    if overview.parameters:
        facts.append(Fact("parameters", f"{overview.parameters:,}"))
    wanted = run.run.experiment.training.epochs
    of = f"of at most {wanted:,}" if wanted > overview.epochs else ""
    facts.append(Fact("epochs", f"{overview.epochs:,}", of))
    if overview.train_s is not None:
        whole = number_at(run.summary, "timing", "total_s")
        detail = (
            ""
            if whole is None
            else f"the whole command: {duration(whole)}".replace(" s", "\u00a0s")
        )
        facts.append(Fact("training", duration(overview.train_s), detail))
    return Facts(tuple(facts))


def _of_guessing(run: ReportedRun, judged: Judged) -> str:
    """What the cross-entropy is of always giving the classes the shares that they have: −Σ p·ln p."""
    loss = run.run.experiment.loss
    if not (isinstance(judged, JudgedClasses) and loss.is_crossentropy):
        return loss.name.replace("_", " ")
    if run.run.experiment.data.sample_weight or loss.model_dump().get("label_smoothing"):
        return "cross-entropy"
    counts = np.bincount(judged.labels)
    shares = counts[counts > 0] / judged.num_examples
    return f"cross-entropy; guessing by the classes' shares: {figure(float(-(shares * np.log(shares)).sum()))}"


def figures_table(run: ReportedRun) -> Table | Words:
    """All figures of all splits."""
    metrics = run.run.overview.metrics
    names = telling_figures(metrics.values())
    if not names:
        return Words("There are no figures yet.", "missing")
    rows = tuple((name, *(_cell(figures, name) for figures in metrics.values())) for name in names)
    note = ""
    if "train" in metrics:
        harder = only_in_training(run)
        and_so = f" and with {' and '.join(harder)}" if harder else ""
        note = (
            f"Train figures are means over the batches of that epoch, while the weights still changed"
            f"{and_so}; the others are of whole splits, and may be better for that."
        )
    header = ("figure", *metrics)
    return Table("Figures of each split", header, rows, frozenset(range(1, len(header))), note=note)


def _cell(figures: Any, name: str) -> str:
    return metric_text(name, figures[name]) if name in figures else ""
