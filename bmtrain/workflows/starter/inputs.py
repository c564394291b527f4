"""What of a table is read: columns as features, or one of them as a text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bmtrain.data.profiles.feature_choice import FeatureChoice, LeftOut, choose_features
from bmtrain.data.profiles.text_choice import TextChoice, choose_text
from bmtrain.data.tables.cells import Cells
from bmtrain.data.tables.table_profile import Column
from bmtrain.data.wording.quoting import listed, quoted
from bmtrain.errors import DataError

#: A config is bounded in size; so many names of any usual length fit.
_MAX_LISTED = 10_000


def choose_inputs(
    table: Cells, columns: Sequence[Column], label: Column, others: Sequence[Column], file: Path
) -> tuple[FeatureChoice, TextChoice | None]:
    """The features, and where one column obviously holds texts, that column instead of them.

    Args:
        table: the training file's.
        columns: of the training file.
        label: the column to predict.
        others: the columns of the files with the other splits, where there are any.
        file: the training file.

    Raises:
        DataError: no column can be an input, or more of them than a config can list.
    """
    features = choose_features(columns, label.name, others)
    text = choose_text(table, columns, label.name, features.num_features)
    if text is not None:
        return all_beside(text.name, columns, label, "the text is"), text
    if not features.num_features:
        raise _without_features(features, label, file)
    if len(features.names or ()) > _MAX_LISTED:
        raise DataError(
            f"a config cannot list the {features.num_features:,} features that are left",
            where=str(file),
            hint=f"remove {listed([quoted(left.name) for left in features.left_out], 5)} from the "
            "table: without a list every column but the label is a feature",
        )
    return features, None


def all_beside(name: str, columns: Sequence[Column], label: Column, is_: str) -> FeatureChoice:
    """All columns beside ``name`` and the label are left out: "the text is" the only input, say."""
    left_out = [
        LeftOut(column.name, "beside", f"{is_} the only input")
        for column in columns
        if column.name not in {name, label.name}
    ]
    return FeatureChoice(None, tuple(left_out), 1)


def _without_features(features: FeatureChoice, label: Column, file: Path) -> DataError:
    if not features.left_out:
        return DataError("the table has no column beside the label", where=str(file))
    reasons = "; ".join(f"{quoted(left.name)}: {left.reason}" for left in features.left_out[:5])
    more = len(features.left_out) - 5
    return DataError(
        f"no column beside the label {quoted(label.name)} can be a feature: {reasons}"
        + (f"; and {more:,} more" if more > 0 else ""),
        where=str(file),
        hint="a feature holds numbers, or texts that repeat",
    )
