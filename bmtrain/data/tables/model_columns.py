"""The columns that a trained model asks a table for, and those that it does not know."""

from __future__ import annotations

from collections.abc import Sequence

from bmtrain.data.examples.dataset import DataFacts
from bmtrain.data.raw.columns import Column
from bmtrain.data.wording.near_names import nearest_name
from bmtrain.data.wording.quoting import listed, quoted
from bmtrain.errors import DataError

#: The option of `predict` and `eval` that lets unknown columns pass.
IGNORE_UNKNOWN = "--ignore-unknown-columns"


def columns_of(facts: DataFacts, where: str) -> tuple[Column, ...]:
    """The feature columns, in the model's order.

    Raises:
        DataError: the model was trained on arrays.
    """
    if facts.columns is None:
        raise DataError(
            "the model was trained on arrays, which have no column names",
            where=where,
            hint=f"store the examples as .npy, each of shape {facts.input_shape}",
        )
    return facts.columns


def known_columns(facts: DataFacts) -> tuple[str, ...]:
    """What a new table may have: the features, the label and the weight, needed or not."""
    beside = [name for name in (facts.label_name, facts.weight_name) if name is not None]
    return (*(column.name for column in facts.columns or ()), *beside)


def require_known(columns: Sequence[str], known: Sequence[str], where: str) -> None:
    """The table has no column beside those that are known.

    Raises:
        DataError: it has; ``where`` names its file and header line.
    """
    names = set(known)
    unknown = [name for name in columns if name not in names]
    if not unknown:
        return
    more = f" (and {len(unknown) - 1:,} more)" if len(unknown) > 1 else ""
    near = nearest_name(unknown[0], known)
    what = f"it knows: {listed(known)}" if near is None else f"the nearest it knows: {quoted(near)}"
    raise DataError(
        f"the model does not know the column {quoted(unknown[0])}{more}; {what}",
        where=where,
        hint=f"remove what it does not need, or give {IGNORE_UNKNOWN}",
    )
