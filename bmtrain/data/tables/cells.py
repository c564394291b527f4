"""The cells of a table as texts, whatever format they came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bmtrain.data.raw.source import Place

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class Cells:
    """Columns of texts by name, without spaces around them; null where there is no value.

    Attributes:
        place: where the rows are from.
        width_of_row: how many cells a row has in the file, where that can differ; 0 for none.
        num_ragged: how many rows have not one per column, where that can be.
        unread: columns of a type that has neither numbers nor texts, and that type: all nulls.
    """

    columns: dict[str, pl.Series]
    num_rows: int
    place: Place
    width_of_row: Callable[[int], int] | None = None
    num_ragged: Callable[[], int] | None = None
    unread: Mapping[str, str] = field(default_factory=dict)
