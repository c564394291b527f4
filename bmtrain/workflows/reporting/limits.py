"""What must not be read into a run's figures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bmtrain.data.bundled import BUNDLED
from bmtrain.data.encodings.text_encoding import TextEncoding
from bmtrain.data.wording.quoting import listed_and_more
from bmtrain.figures import count
from bmtrain.pages.content import Listing, Section
from bmtrain.workflows.reporting.cells import percent, range_text
from bmtrain.workflows.reporting.classes import FEW, JudgedClasses
from bmtrain.workflows.reporting.judging import Judged
from bmtrain.workflows.reporting.reading import ReportedRun
from bmtrain.workflows.reporting.splitting import drawn_fractions

#: A test accuracy whose interval is wider says little, in points.
_WIDE: Final = 0.05
#: A model is that much better on what it was trained on, in points.
_GAP: Final = 0.05
_NO_PURPOSE: Final = (
    "What the model is meant for is not recorded: whoever passes it on has to say that, and what "
    "it must not be used for."
)


def limits_section(run: ReportedRun, judged: Judged) -> Section:
    """All of them, and that no purpose is recorded, which a model card asks for itself."""
    return Section("limits", "Limits", (Listing((*limits(run, judged), _NO_PURPOSE)),))


def limits(run: ReportedRun, judged: Judged) -> tuple[str, ...]:
    """A sentence or two each."""
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
        yield from _overfitting(run, judged)
    yield from _relatives(run)
    yield from _cut_texts(run)
    yield _scope(run, judged)


def _limits_of_classes(judged: JudgedClasses) -> Iterator[str]:
    interval = judged.interval
    if interval.high - interval.low > _WIDE:
        yield (
            f"The test split is small: with {count(judged.num_examples, 'example')} the accuracy is "
            f"known to {range_text(interval)} and no better."
        )
    few = [entry["class"] for entry in judged.per_class() if entry["support"] < FEW]
    if len(few) == len(judged.names):
        yield f"No class has {FEW} test examples: the figures of single classes say little."
    elif few:
        names = listed_and_more(few, 10)
        yield f"Fewer than {FEW} test examples each, so their own figures say little: {names}."


def _overfitting(run: ReportedRun, judged: JudgedClasses) -> Iterator[str]:
    accuracy = run.run.figure("train.accuracy")
    if accuracy is not None and accuracy - judged.accuracy >= _GAP:
        yield (
            f"It overfits: the accuracy is {percent(accuracy)} on the train split and "
            f"{percent(judged.accuracy)} on the test split."
        )


def _relatives(run: ReportedRun) -> Iterator[str]:
    """What a draw by example may put on both sides."""
    drawn = drawn_fractions(run)
    if drawn and run.run.experiment.data.splits.group is None:
        yield (
            f"What is in {' and '.join(drawn)} was drawn example by example, and no group was named: "
            "where examples belong together (passages of one text, pictures of one person), some "
            "may be there and others in train, which makes the figures too good. data.splits.group "
            "keeps them together."
        )


def _cut_texts(run: ReportedRun) -> Iterator[str]:
    encoding = run.restored and run.restored.checkpoint.preprocessing.facts.encoding
    if isinstance(encoding, TextEncoding):
        yield (
            f"It reads the first {encoding.length:,} {encoding.level}s of a text and nothing of "
            "what follows."
        )


def _scope(run: ReportedRun, judged: Judged) -> str:
    source = run.run.experiment.data.source
    bundled = BUNDLED.get(source)
    what = f"like those of {source}" if bundled is None else f"of one kind: {bundled.scope}"
    forced = (
        ", and it gives one of its classes to those, too"
        if isinstance(judged, JudgedClasses)
        else ""
    )
    return (
        f"It was trained and tested on examples {what}. How well it does on others is not "
        f"known{forced}."
    )
