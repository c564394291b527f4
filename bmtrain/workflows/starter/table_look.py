"""What init sees of a table: its columns, which is the label, and what is learned from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bmtrain.config.sections.image import ImageSection
from bmtrain.data.pictures.picture_columns import picture_column
from bmtrain.data.pictures.picture_sources import picture_paths
from bmtrain.data.profiles.feature_choice import FeatureChoice, missing_cells
from bmtrain.data.profiles.label_guess import Candidate, LabelGuess, guess_label
from bmtrain.data.profiles.text_choice import TextChoice
from bmtrain.data.raw.split_files import split_files
from bmtrain.data.tables.table_formats import TABLE_FORMATS, TableFormatName
from bmtrain.data.tables.table_profile import Column, profile_table
from bmtrain.data.wording.near_names import did_you_mean
from bmtrain.data.wording.quoting import listed, quoted
from bmtrain.errors import DataError
from bmtrain.workflows.starter.inputs import all_beside, choose_inputs
from bmtrain.workflows.starter.picture_size import choose_image


@dataclass(frozen=True, slots=True, kw_only=True)
class TableLook:
    """The columns of the training file, and what each is to be.

    Attributes:
        text: the column that is read instead of features, where one obviously holds texts.
        image: how the pictures are read that a column names, instead of features.
        image_reason: why so.
    """

    columns: tuple[Column, ...]
    label: LabelGuess
    features: FeatureChoice
    text: TextChoice | None = None
    image: ImageSection | None = None
    image_reason: str = ""


def look_at_table(path: Path, found: TableFormatName, label: str | None) -> TableLook:
    """Look at a table, or a directory of one per split.

    Raises:
        DataError: it is damaged, or has nothing that could be predicted or learned from.
    """
    files = split_files(path, found)
    read = TABLE_FORMATS[found].cells
    others = [
        column
        for split, file in files.items()
        if split != "train"
        for column in profile_table(read(file))
    ]
    train = files["train"]
    table = read(train)
    columns = profile_table(table)
    pictures = picture_column(table, train.parent)
    if pictures == label:
        pictures = None
    guess = _guess([column for column in columns if column.name != pictures], label, train)
    chosen = guess.best.column
    for column in (chosen, *(other for other in others if other.name == chosen.name)):
        _require_whole_label(column)
    if pictures is None:
        features, text = choose_inputs(table, columns, chosen, others, train)
        return TableLook(columns=tuple(columns), label=guess, features=features, text=text)
    image, why = choose_image(picture_paths(train, pictures, found), str(train), pictures)
    features = all_beside(pictures, columns, chosen, "the pictures are")
    left_out = [quoted(left.name) for left in features.left_out]
    why += f"; the only input, without {listed(left_out, 5)}" if left_out else ""
    return TableLook(
        columns=tuple(columns), label=guess, features=features, image=image, image_reason=why
    )


def _guess(columns: list[Column], label: str | None, file: Path) -> LabelGuess:
    guess = guess_label(columns)
    if label is not None:
        named = next((column for column in columns if column.name == label), None)
        if named is None:
            names = [column.name for column in columns]
            raise DataError(
                f"there is no column {quoted(label)}; the columns are: {listed(names)}",
                where=str(file),
                hint=did_you_mean(label, names),
            )
        if named.is_constant:
            raise DataError(
                f"column {quoted(label)} cannot be the label: all its cells are the same",
                where=str(file),
            )
        return LabelGuess(Candidate(named, 0, ("is what --label names",)), ())
    if guess is None:
        raise DataError(
            "no column looks like a label: none has texts that repeat or numbers that differ",
            where=str(file),
            hint=f"name the column to predict with --label; the columns are: "
            f"{listed([column.name for column in columns])}",
        )
    return guess


def _require_whole_label(column: Column) -> None:
    if column.num_missing:
        one = column.num_missing == 1
        raise DataError(
            f"the label column {quoted(column.name)} is not whole: {missing_cells(column)}",
            where=column.place.name,
            hint=f"fill {'it' if one else 'them'} in or remove {'the row' if one else 'these rows'}"
            ", or name another column with --label",
        )
