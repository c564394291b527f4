"""The test examples that say most of where a model fails, as the pictures, rows or texts they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.encodings.encoding import Columns, Encoding
from bmtrain.data.encodings.text_encoding import PADDING, TextEncoding
from bmtrain.data.examples.dataset import DataFacts, Split
from bmtrain.data.raw.columns import RawColumns
from bmtrain.data.raw.streamed_rows import Features, taken
from bmtrain.data.readable import Cells, model_cells, raw_cells
from bmtrain.errors import BmtrainError, DataError
from bmtrain.figures import count, rounded
from bmtrain.pages.content import Block, Mistake, Mistakes, Picture, Section, Words
from bmtrain.pages.pictures import data_uri, picture_png
from bmtrain.runs.predictions import StoredPredictions
from bmtrain.workflows.recorded_examples import file_below, recorded_columns
from bmtrain.workflows.reporting.cells import percent
from bmtrain.workflows.reporting.classes import JudgedClasses
from bmtrain.workflows.reporting.numbers import JudgedNumbers
from bmtrain.workflows.reporting.reading import ReportedRun, reason

MAX_MISTAKES: Final = 15
#: Cells of a row, and characters of a text, that are shown.
_MAX_CELLS: Final = 24
_MAX_TEXT: Final = 1200
_MAX_CELL: Final = 200
#: Pixels of a picture's longer side: a report of large ones stays small.
_MAX_SIDE: Final = 256


@dataclass(frozen=True, slots=True)
class _Shown:
    """Examples of a split, by their place among the rows that were asked for."""

    facts: DataFacts
    features: NDArray[Any]
    columns: RawColumns | None
    files: Sequence[str]
    #: Texts of the whole split that fill the model's input; None: they are no texts.
    num_full: int | None


def mistakes_section(
    run: ReportedRun,
    judged: JudgedClasses | JudgedNumbers,
    note: Callable[[str], None],
    *,
    with_examples: bool,
) -> Section:
    """The most confident errors of a classifier, the largest of a regression.

    Args:
        note: told which file the run recorded as its data, before that is opened.
        with_examples: False: the data is not opened; its examples are told by number.
    """
    rows = judged.worst(MAX_MISTAKES)
    is_regression = isinstance(judged, JudgedNumbers)
    title = "Largest errors" if is_regression else "Most confident errors"
    if isinstance(judged, JudgedClasses) and len(rows) == judged.num_examples - judged.num_right:
        title = "All errors"
    if not rows:
        words = Words("Every test example is right: there is no mistake to show.", "good")
        return Section("mistakes", title, (words,))
    blocks: list[Block] = [Words(_lead(judged, len(rows)))]
    shown, why = _shown(run, rows, note) if with_examples else (None, "they were left out")
    if shown is None:
        blocks.append(Words(f"The examples themselves are not shown: {why}.", "missing"))
    elif isinstance(shown.facts.encoding, TextEncoding):
        read = f"the first {shown.facts.encoding.length:,} {shown.facts.encoding.level}s"
        text = f"Of each text the model read {read}, and nothing after them."
        if shown.num_full is not None:
            text += (
                f" {shown.num_full:,} of {judged.num_examples:,} test texts have as many or more."
            )
        blocks.append(Words(text))
    blocks.append(
        Mistakes(tuple(_mistake(judged, row, place, shown) for place, row in enumerate(rows)))
    )
    return Section("mistakes", title, tuple(blocks))


def _lead(judged: JudgedClasses | JudgedNumbers, number: int) -> str:
    if isinstance(judged, JudgedNumbers):
        return f"The {count(number, 'test example')} with the largest errors, the largest first."
    wrong = judged.num_examples - judged.num_right
    whole = f"{count(wrong, 'test example')} of {judged.num_examples:,} {'is' if wrong == 1 else 'are'} wrong"
    if judged.confidence is None:
        return f"{whole}; the first {number} of them."
    told = f"; the {number} of which the model was most sure" if wrong > number else ""
    order = ", the most confident first" if number > 1 else ""
    return (
        f"{whole}{told}{order}. In brackets: the probability that the model gave to each answer. Now and "
        "then it is the label of the data that is wrong."
    )


def _shown(
    run: ReportedRun, rows: Sequence[int], note: Callable[[str], None]
) -> tuple[_Shown | None, str]:
    """What the recorded data has at the rows, if it still is what it was; else None and why."""
    if run.restored is None:
        return None, f"there is no checkpoint that says what they were ({run.without_model})"
    try:
        split, columns = recorded_columns(run.restored, "test", note)
        assert run.run.predictions is not None
        _require_same(split, run.run.predictions)
    except BmtrainError as error:
        return None, reason(error)
    at = np.asarray(rows, np.int64)
    return _Shown(
        run.restored.checkpoint.preprocessing.facts,
        _held(split.features, at),
        _some_columns(columns, at),
        []
        if split.files is None
        else [file_below(run.run.experiment.data.source, split.files[row]) for row in rows],
        _num_full(run.restored.checkpoint.preprocessing.facts.encoding, split),
    ), ""


def _num_full(encoding: Encoding | None, split: Split) -> int | None:
    is_text = isinstance(encoding, TextEncoding) and isinstance(split.features, np.ndarray)
    return int((split.array[:, -1] != PADDING).sum()) if is_text else None


def _held(features: Features, rows: NDArray[np.int64]) -> NDArray[Any]:
    chosen = taken(features, rows)
    return chosen if isinstance(chosen, np.ndarray) else chosen[:]


def _some_columns(columns: Features | Columns, rows: NDArray[np.int64]) -> RawColumns | None:
    return columns[rows] if isinstance(columns, RawColumns) else None


def _require_same(split: Split, stored: StoredPredictions) -> None:
    if not np.array_equal(split.labels, stored.labels):
        raise DataError("its test labels are not those that were predicted")


def _mistake(
    judged: JudgedClasses | JudgedNumbers, row: int, place: int, shown: _Shown | None
) -> Mistake:
    truth, said, heading = _answers(judged, row)
    if shown is None:
        return Mistake(heading, truth, said)
    file = shown.files[place] if shown.files else ""
    if shown.columns is not None:
        cells = raw_cells(shown.columns, place)
    else:
        cells = model_cells(shown.facts, shown.features[place]) or ()
    if isinstance(shown.facts.encoding, TextEncoding):
        return Mistake(heading, truth, said, text=_cut(cells[0][1], _MAX_TEXT), file=file)
    if cells:
        return Mistake(heading, truth, said, cells=_some_cells(cells), file=file)
    picture = _picture(shown.features[place], f"Test example {row}: {truth}, taken for {said}")
    return Mistake(heading, truth, said, picture=picture, file=file)


def _answers(judged: JudgedClasses | JudgedNumbers, row: int) -> tuple[str, str, str]:
    """What is true, what was said, and a heading."""
    if isinstance(judged, JudgedNumbers):
        truth, said = (
            ", ".join(rounded(value) for value in values[row][:8])
            for values in (judged.targets, judged.outputs)
        )
        return truth, said, f"Test example {row:,}"
    truth, said = judged.name(int(judged.labels[row])), judged.name(int(judged.predicted[row]))
    if judged.confidence is None or judged.probabilities is None:
        return truth, said, f"Test example {row:,}"
    of_truth = float(judged.probabilities[row, judged.labels[row]])
    said = f"{said} ({percent(float(judged.confidence[row]))})"
    return f"{truth} ({percent(of_truth)})", said, f"Test example {row:,}"


def _some_cells(cells: Cells) -> Cells:
    some = tuple(
        (_cut(name, _MAX_CELL), _cut(cell, _MAX_CELL)) for name, cell in cells[:_MAX_CELLS]
    )
    left = len(cells) - len(some)
    return (*some, ("…", f"{count(left, 'more column')}")) if left else some


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _picture(example: NDArray[Any], alternative: str) -> Picture | None:
    """An example that is a picture: (height, width[, 1 or 3]); None: it is none."""
    is_flat = example.ndim == 2 and min(example.shape) > 1
    is_deep = example.ndim == 3 and example.shape[2] in {1, 3}
    return (
        Picture(data_uri(picture_png(example, most=_MAX_SIDE)), alternative)
        if is_flat or is_deep
        else None
    )
