"""Columns are found by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from bmtrain.data.raw.columns import Beside, Column
from bmtrain.data.wording.near_names import did_you_mean
from bmtrain.data.wording.quoting import listed, quoted
from bmtrain.errors import DataError
from bmtrain.program import program

_Key = tuple[str | int, ...]
_VERY_NEAR: Final = 0.75


def require_columns(
    keys: Mapping[str, _Key | None], present: Sequence[str], where: str, hint: str | None = None
) -> None:
    """DataError at the first name that is no column.

    Args:
        keys: where the config says each name.
        present: the columns that there are.
        where: the file.
        hint: what to say where no name is near.
    """
    known = set(present)
    for name, key in keys.items():
        if name not in known:
            raise DataError(
                f"there is no column {quoted(name)}; the columns are: {listed(present)}",
                where=where,
                key=key,
                hint=did_you_mean(name, present) or hint,
            )


def require_label(label: str, present: Sequence[str], where: str) -> None:
    """DataError where examples whose labels are needed have none.

    Hardly any column is named like another: only a very near name is likely to be meant.
    """
    if label not in present:
        near = did_you_mean(label, present, cutoff=_VERY_NEAR)
        raise DataError(
            f"there is no column {quoted(label)}, the label; the columns are: {listed(present)}",
            where=where,
            hint=near or f"labels are needed here; for rows without them: {program()} predict",
        )


def names_wanted(columns: Sequence[Column], beside: Beside) -> dict[str, None]:
    """The names of ``columns`` and of those ``beside`` them, as keys of ``require_columns``."""
    wanted = (*columns, *beside.numbers)
    return dict.fromkeys((*(column.name for column in wanted), *beside.texts))
