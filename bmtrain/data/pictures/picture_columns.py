"""Which column of a table has paths of pictures: told by their names, and by what is there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from bmtrain.data.tables.cells import Cells
from bmtrain.data.wording.picture_names import PICTURE_SUFFIXES

_ENDINGS: Final = "|".join(suffix.removeprefix(".") for suffix in sorted(PICTURE_SUFFIXES))
_IS_PICTURE: Final = rf"(?i)\.(?:{_ENDINGS})$"
#: Of so many names one at least must be a file's: a list of pictures that are elsewhere is none.
_MAX_LOOKED_FOR: Final = 100


def picture_column(table: Cells, directory: Path) -> str | None:
    """The first column most of whose cells are pictures' names, some of them of files that are there.

    Args:
        table: the cells.
        directory: relative paths start there.
    """
    for name, texts in table.columns.items():
        filled = texts.drop_nulls()
        named = filled.filter(filled.str.contains(_IS_PICTURE))
        if 2 * len(named) <= len(filled):
            continue
        first = named.head(_MAX_LOOKED_FOR).to_list()
        if any(os.path.isfile(directory / text) for text in first):  # noqa: PTH113  # never raises
            return name
    return None
