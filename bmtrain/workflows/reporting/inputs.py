"""What a model is given of an example: each column, and how it is coded."""

from __future__ import annotations

from typing import Final

from bmtrain.data.encodings.table_encoding import CategoricalInput, NumericInput, TableEncoding
from bmtrain.data.encodings.text_encoding import TextEncoding
from bmtrain.data.examples.dataset import DataFacts
from bmtrain.data.wording.quoting import listed_and_more, short
from bmtrain.figures import count, rounded, shape
from bmtrain.pages.content import Block, Table, Words
from bmtrain.workflows.reporting.reading import ReportedRun

#: Columns, and categories of one, that are listed.
_MAX_COLUMNS: Final = 50
_MAX_CATEGORIES: Final = 8
_SCALED: Final = {"standardize": "standardized", "unit": "scaled to 0–1"}


def inputs_blocks(run: ReportedRun) -> tuple[Block, ...]:
    """A table of columns, or a sentence about texts, pictures and other arrays."""
    if run.restored is None:
        return ()
    preprocessing = run.restored.checkpoint.preprocessing
    facts, scaled = preprocessing.facts, _SCALED.get(preprocessing.normalize, "as it is")
    if isinstance(facts.encoding, TextEncoding):
        return (Words(_text_words(run, facts.encoding)),)
    if isinstance(facts.encoding, TableEncoding):
        rows = [_row(part, scaled) for part in facts.encoding.inputs]
    elif facts.feature_names is not None:
        rows = [(name, f"a number, {scaled}", "1") for name in facts.feature_names]
    else:
        all_scaled = _SCALED.get(preprocessing.normalize, "")
        all_scaled = all_scaled and f", {all_scaled}"
        what = (
            f"An example is {shape(facts.input_shape)} numbers ({facts.input_dtype}){all_scaled}."
        )
        return (Words(what),)
    return (_table(facts, rows),)


def _table(facts: DataFacts, rows: list[tuple[str, str, str]]) -> Table:
    some = (
        f" The first {_MAX_COLUMNS} of {len(rows):,} columns." if len(rows) > _MAX_COLUMNS else ""
    )
    return Table(
        caption=f"{count(len(rows), 'column')} become {count(facts.input_shape[0], 'input')}",
        header=("column", "how it is coded", "inputs"),
        rows=tuple(rows[:_MAX_COLUMNS]),
        numbers=frozenset({2}),
        note=f"Standardized: minus the mean, divided by the standard deviation, of the train split.{some}"
        if any("standardized" in how for _, how, _ in rows)
        else some.strip(),
    )


def _row(part: NumericInput | CategoricalInput, scaled: str) -> tuple[str, str, str]:
    if isinstance(part, CategoricalInput):
        names = listed_and_more(list(map(short, part.categories)), _MAX_CATEGORIES)
        missing = " and one for a missing value" if part.may_be_missing else ""
        how = f"one input each for {names}; one for anything else{missing}"
    else:
        how = f"a number, {scaled}"
        if part.fill is not None:
            how += f"; where it is missing, {rounded(part.fill)}"
        if part.has_indicator:
            how += ", and an input that says so"
    return short(part.name), how, f"{len(part.input_names)}"


def _text_words(run: ReportedRun, encoding: TextEncoding) -> str:
    lower = "in lower case, " if encoding.lowercase else ""
    text = (
        f"Of the column {short(encoding.name)} the first {encoding.length:,} {encoding.level}s are "
        f"read, {lower}each as a number; what follows them is cut, a shorter text is padded."
    )
    if encoding.level == "byte":
        return text
    known, most = len(encoding.vocabulary), run.run.experiment.data.tokens.vocabulary
    text += f" The vocabulary is {known:,} {encoding.level}s of the train split"
    if known < most:
        text += f", fewer than the {most:,} that the config allows"
    return (
        f"{text}; every other is one and the same “unknown”. With that and the padding there are "
        f"{encoding.vocabulary_size:,} numbers."
    )
