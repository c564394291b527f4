"""Whether a table's first line names its columns, or is an example like the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bmtrain.data.tables.table_profile import Column
from bmtrain.data.wording.quoting import listed, quoted

#: The part of the names that could be values of their own columns.
_SUSPICIOUS: Final = 2 / 3
_MAX_SHOWN: Final = 3


def header_doubt(columns: Sequence[Column]) -> str | None:
    """What looks wrong with the first line; None: it is as names are.

    A name is suspicious that is among the texts of its column, or a number within the column's.
    Years over figures are none: few of them lie within.
    """
    names = [quoted(column.name) for column in columns if _may_be_value(column)]
    if len(names) < _SUSPICIOUS * len(columns):
        return None
    more = ", …" if len(names) > _MAX_SHOWN else ""
    return (
        f"line 1 looks like an example and not like names ({listed(names[:_MAX_SHOWN])}{more}): "
        "if the table has no header, put one on top of it"
    )


def _may_be_value(column: Column) -> bool:
    try:
        number = float(column.name)
    except ValueError:
        return any(text == column.name for text, _ in column.counts)
    return column.low <= number <= column.high
