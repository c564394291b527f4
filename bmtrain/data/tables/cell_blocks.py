"""Many columns at once, laid one below the other.

An operation of Polars takes as long for a column as for 1,000 of its cells, and 12 kB, and
there can be 100,000 columns. It also looks many a column up by its name, and takes the names
"*" and "^a.*$" for patterns: what is laid here has another name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import polars as pl

_CELLS_AT_A_TIME = 1 << 20


def laid_out(columns: Sequence[pl.Series], num_rows: int) -> Iterator[pl.Series]:
    """Columns of ``num_rows`` cells, in their order, as many together as make 2²⁰ cells."""
    import polars as pl

    at_a_time = max(1, _CELLS_AT_A_TIME // max(1, num_rows))
    for start in range(0, len(columns), at_a_time):
        yield pl.concat(columns[start : start + at_a_time]).rechunk().alias("cells")


def taken_up(cells: pl.Series, num_rows: int) -> list[pl.Series]:
    """The columns again."""
    return [cells.slice(start, num_rows) for start in range(0, len(cells), num_rows)]


def as_grid(values: pl.Series, num_rows: int) -> NDArray[np.generic]:
    """What was computed of cells, as (columns, rows)."""
    return values.to_numpy().reshape(-1, max(1, num_rows))
