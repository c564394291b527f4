"""Several classifiers on one test set: which examples only one of them has right, class by class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bmtrain.figures import count
from bmtrain.pages.content import Block, Section, Table, Words
from bmtrain.workflows.comparison.runs import test_set_difference
from bmtrain.workflows.reporting.cells import percent
from bmtrain.workflows.reporting.classes import JudgedClasses
from bmtrain.workflows.reporting.judging import Judged
from bmtrain.workflows.reporting.reading import ReportedRun

#: Test examples, and classes, that are listed.
_MAX_EXAMPLES: Final = 30
_MAX_CLASSES: Final = 100
#: What a run's answers are judged by, beside its letter.
Answers = tuple[str, JudgedClasses]


def comparable(runs: Sequence[ReportedRun], found: Sequence[Judged]) -> list[Answers]:
    """(letter, answers) of the first run and of those that were asked the same; none: there is no other."""
    classes = [
        (run, judged)
        for run, judged in zip(runs, found, strict=True)
        if isinstance(judged, JudgedClasses)
    ]
    if not classes or classes[0][0] is not runs[0]:
        return []
    first = runs[0].run
    alike = [
        (run.run.label, judged)
        for run, judged in classes
        if run is runs[0] or test_set_difference(first, run.run) is None
    ]
    return alike if len(alike) > 1 else []


def right_by_both(first: JudgedClasses, second: JudgedClasses) -> tuple[int, int, int, int]:
    """How many test examples both have right, the first alone, the second alone, neither."""
    ours, theirs = _is_right(first), _is_right(second)
    return (
        int((ours & theirs).sum()),
        int((ours & ~theirs).sum()),
        int((theirs & ~ours).sum()),
        int((~ours & ~theirs).sum()),
    )


def counts_words(answers: Sequence[Answers]) -> tuple[Words, ...]:
    """Of each further run against the first: the counts that McNemar's test is made of."""
    if not answers:
        return ()
    (name, first), *others = answers
    sentences = []
    for other, judged in others:
        both, ours, theirs, neither = right_by_both(first, judged)
        sentences.append(
            f"Of {count(first.num_examples, 'test example')} {both:,} are right in both, {ours:,} only "
            f"in {name}, {theirs:,} only in {other}, {neither:,} in neither."
        )
    return tuple(map(Words, sentences))


def answers_section(answers: Sequence[Answers]) -> tuple[Section, ...]:
    """Classes side by side, and the examples that only one of two has right."""
    if not answers:
        return ()
    blocks: list[Block] = [_recalls(answers)]
    if len(answers) == 2:
        blocks.append(_disagreements(answers))
    return (Section("answers", "Class by class, example by example", tuple(blocks)),)


def _recalls(answers: Sequence[Answers]) -> Table:
    by_run = [judged.per_class() for _, judged in answers]
    rows = []
    for entries in zip(*by_run, strict=True):
        shares = [entry["recall"] for entry in entries]
        cells = ["–" if share is None else percent(share) for share in shares]
        rows.append((entries[0]["class"], f"{entries[0]['support']:,}", *cells))
    left = (
        f" The first {_MAX_CLASSES} of {len(rows):,} classes." if len(rows) > _MAX_CLASSES else ""
    )
    return Table(
        caption="Recall of each class",
        header=("class", "test examples", *(name for name, _ in answers)),
        rows=tuple(rows[:_MAX_CLASSES]),
        numbers=frozenset(range(1, len(answers) + 2)),
        note=f"Recall: the share of the class's test examples that is found.{left}",
    )


def _disagreements(answers: Sequence[Answers]) -> Table | Words:
    (name, first), (other, second) = answers
    chosen = np.flatnonzero(_is_right(first) != _is_right(second))
    if not len(chosen):
        return Words(f"{name} and {other} are right on the same test examples.")
    rows = tuple(
        (
            f"{row:,}",
            first.name(int(first.labels[row])),
            first.name(int(first.predicted[row])),
            second.name(int(second.predicted[row])),
        )
        for row in chosen[:_MAX_EXAMPLES].tolist()
    )
    left = f"The first {_MAX_EXAMPLES} of {len(chosen):,}." if len(chosen) > len(rows) else ""
    return Table(
        caption="Test examples that only one of them has right",
        header=("test example", "label", f"{name} said", f"{other} said"),
        rows=rows,
        note=left,
    )


def _is_right(judged: JudgedClasses) -> NDArray[np.bool_]:
    return np.asarray(judged.labels == judged.predicted)
