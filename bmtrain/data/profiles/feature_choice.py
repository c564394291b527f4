"""Which columns of a table can be features, and why the others cannot or should not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from bmtrain.data.tables.table_profile import Column
from bmtrain.data.wording.number_texts import plain_number
from bmtrain.data.wording.quoting import listed, quoted, short

#: With more features than this a constant one costs less than a list without it.
_MAX_LISTED: Final = 50
_MAX_SHOWN_TEXTS: Final = 3
# A column of more different texts, or of fewer rows for each, holds names rather than kinds.
_MAX_CATEGORIES: Final = 100
_MIN_EACH: Final = 5

_REMEDIES: Final = {
    "decimal commas": "numbers with decimal commas: write points",
    "dates": "dates: derive year, month or weekday, a column each",
}

Fault = Literal["texts", "missing", "wrong", "identifier", "constant", "beside", "type"]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A column that is no feature: what is the matter with it, and in words."""

    name: str
    fault: Fault
    reason: str


@dataclass(frozen=True, slots=True)
class FeatureChoice:
    """``names`` None: every column but the label.

    ``categorical``: features that hold texts which repeat; ``with_gaps``: features some of
    whose cells are missing, in any of the files, and how many.
    """

    names: tuple[str, ...] | None
    left_out: tuple[LeftOut, ...]
    num_features: int
    categorical: tuple[str, ...] = ()
    with_gaps: tuple[tuple[str, int], ...] = ()


def choose_features(
    columns: Sequence[Column], label: str, others: Sequence[Column]
) -> FeatureChoice:
    """The columns of the training file that are fit for features, in its order.

    A column that could be one, though it should not, stays where nothing else would.

    Args:
        columns: of the training file.
        label: the column to predict.
        others: the columns of the files with the other splits, where there are any.
    """
    elsewhere: dict[str, list[Column]] = {}
    for column in others:
        elsewhere.setdefault(column.name, []).append(column)
    candidates = [column for column in columns if column.name != label]
    unfit = {
        column.name: fault
        for column in candidates
        if (fault := _unfit([column, *elsewhere.get(column.name, ())])) is not None
    }
    fit = [column for column in candidates if column.name not in unfit]
    is_short = len(fit) <= _MAX_LISTED or bool(unfit)
    unwise = {
        column.name: fault
        for column in fit
        if (fault := _unwise(column, columns)) is not None
        and (fault.fault != "constant" or is_short)
    }
    if len(unwise) == len(fit):
        unwise = {}
    left_out = unfit | unwise
    names = tuple(column.name for column in candidates if column.name not in left_out)
    in_order = tuple(left_out[column.name] for column in candidates if column.name in left_out)
    gaps = {
        name: sum(part.num_missing for part in (column, *elsewhere.get(name, ())))
        for column in candidates
        if (name := column.name) in names
    }
    return FeatureChoice(
        names if left_out else None,
        in_order,
        len(names),
        tuple(c.name for c in candidates if c.name in names and c.kind == "texts"),
        tuple((name, number) for name, number in gaps.items() if number),
    )


def place_of_cell(column: Column, row: int) -> str:
    """``line 7 of 'train.csv'``: the file is read again to find it; ``row 5 of 'a.parquet'``."""
    line_of_row = column.place.line_of_row
    where = f"row {row}" if line_of_row is None else f"line {line_of_row(row)}"
    return f"{where} of {quoted(Path(column.place.name).name)}"


def missing_cells(column: Column) -> str:
    """How many cells are missing, and where the first is."""
    cells = "1 cell is" if column.num_missing == 1 else f"{column.num_missing:,} cells are"
    first = "" if column.num_missing == 1 else "the first "
    return f"{cells} empty, {first}in {place_of_cell(column, column.missing_row)}"


def _unfit(parts: Sequence[Column]) -> LeftOut | None:
    """What keeps a column, in any of the files, from being numbers or categories."""
    if _is_categorical(parts[0]):
        return None
    for column in parts:
        for fault, reason in _faults(column):
            return LeftOut(column.name, fault, reason)
    return None


def _is_categorical(column: Column) -> bool:
    """Texts that are there often enough for something to be learned of each."""
    is_few = 2 <= column.num_distinct <= _MAX_CATEGORIES
    if column.written == "decimal commas":
        return False
    return column.kind == "texts" and is_few and _MIN_EACH * column.num_distinct <= column.num_rows


def _faults(column: Column) -> Iterator[tuple[Fault, str]]:
    if column.unread:
        yield "type", f"holds {short(column.unread)}: neither numbers nor texts"
    elif column.kind == "nothing":
        yield "missing", f"all {column.num_rows:,} cells are empty"
    if column.kind == "texts":
        yield "texts", _of_texts(column)
    if column.num_wrong:
        where = place_of_cell(column, column.wrong_row)
        plain = plain_number(column.wrong_text)
        remedy = "correct" if plain is None else f"write it as {short(plain)}; correct"
        cells = "1 cell is" if column.num_wrong == 1 else f"{column.num_wrong:,} cells are"
        what = f"{cells} no usable number ({quoted(column.wrong_text)} in {where})"
        them = "it" if column.num_wrong == 1 else "them"
        yield "wrong", f"{what}: {remedy} {them} to use the column"


def _of_texts(column: Column) -> str:
    shown = [quoted(text) for text, _ in column.counts[:_MAX_SHOWN_TEXTS]]
    more = ", …" if column.num_distinct > len(shown) else ""
    if column.is_constant and not column.num_missing:
        return f"all its cells are {shown[0]}: it says nothing"
    if column.written:
        return _REMEDIES[column.written]
    if column.is_all_different or not shown:
        return f"{column.num_distinct:,} different texts, too rare each to learn from"
    return (
        f"texts ({listed(shown)}{more}), too rare each to learn from; "
        "data.categorical makes it a feature all the same"
    )


def _unwise(column: Column, columns: Sequence[Column]) -> LeftOut | None:
    """What makes a column of numbers useless, or worse."""
    if column.is_constant:
        text = column.counts[0][0] if column.counts else ""
        return LeftOut(column.name, "constant", f"all its cells are {short(text)}: it says nothing")
    tells = "it tells rows apart, nothing about them"
    if column.is_all_different and column.is_named_identifier:
        return LeftOut(
            column.name,
            "identifier",
            f"its name is that of an identifier, and no value repeats: {tells}",
        )
    if column is columns[0] and column.is_row_number:
        return LeftOut(
            column.name, "identifier", f"it counts the rows from {column.low:g}: {tells}"
        )
    return None
