"""What init sees of a user's data: columns, label, classes, sizes, what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bmtrain.config.sections.data import DataSection, TokensSection
from bmtrain.config.sections.image import ImageSection
from bmtrain.data.bundled import BUNDLED
from bmtrain.data.encodings.encoding import fit_encoding
from bmtrain.data.examples.checked import check_source, encoded
from bmtrain.data.examples.dataset import Split, Task
from bmtrain.data.examples.labels import fit_class_names, require_labels
from bmtrain.data.formats import Format, choose_format
from bmtrain.data.missing_paths import missing_path_hint
from bmtrain.data.profiles.feature_choice import FeatureChoice, missing_cells
from bmtrain.data.profiles.label_guess import Candidate, LabelGuess, are_classes, guess_label
from bmtrain.data.profiles.text_choice import TextChoice
from bmtrain.data.raw.source import RawLabels, Source, SplitName
from bmtrain.data.raw.split_files import split_files
from bmtrain.data.sources import read_source
from bmtrain.data.tables.table_formats import TABLE_FORMATS, TableFormatName, is_table
from bmtrain.data.tables.table_profile import Column, profile_table
from bmtrain.data.wording.near_names import did_you_mean
from bmtrain.data.wording.quoting import listed, quoted
from bmtrain.errors import DataError, UsageError
from bmtrain.program import program
from bmtrain.workflows.starter.inputs import choose_inputs
from bmtrain.workflows.starter.picture_size import choose_image
from bmtrain.workflows.starter.recipes import recipe_names

#: Of an array's integer labels; more different ones are targets.
_MAX_ARRAY_CLASSES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What there is at ``path``, read as a training reads it.

    Attributes:
        columns: of the training file; empty for arrays.
        label: None for arrays.
        features: None for arrays.
        text: the column that is read instead of features, where one obviously holds texts.
        splits: what the source has published, checked.
        class_names: None: regression.
        image: of pictures: how they were read, and why so.
    """

    path: Path
    format: Format
    columns: tuple[Column, ...]
    label: LabelGuess | None
    features: FeatureChoice | None
    text: TextChoice | None
    task: Task
    splits: Mapping[SplitName, Split]
    class_names: tuple[str, ...] | None
    image: ImageSection | None = None
    image_reason: str = ""

    @property
    def train(self) -> Split:
        """The published training part, of which fractions are drawn."""
        return self.splits["train"]

    @property
    def class_counts(self) -> NDArray[np.int64]:
        """Examples of each class in the training part."""
        assert self.class_names is not None
        return np.bincount(self.train.labels, minlength=len(self.class_names))


def look_at(path: Path, *, label: str | None, data_format: str) -> Seen:
    """Look at the data and read it as a training will.

    Args:
        path: a file or directory of any known format.
        label: a table's column to predict; None: guessed.
        data_format: of the config's ``data.format``.

    Raises:
        DataError: it is missing, damaged, or has nothing that could be predicted.
        UsageError: ``label`` names a column of a table, and this is none.
    """
    found = _format(path, data_format)
    if is_table(found):
        return _look_at_table(path, found, label)
    if label is not None:
        raise UsageError(f"--label names a column of a table, and {path.name} is {found.upper()}")
    image, why = choose_image(path) if found == "images" and path.is_dir() else (None, "")
    section = DataSection(source=str(path.absolute()), format=found, image=image)
    source = _source(section)
    task = _task_of_array(require_labels(source.parts["train"]))
    return _seen(path, found, section, source, task, image=image, image_reason=why)


def _format(path: Path, wanted: str) -> Format:
    try:
        return choose_format(path, wanted)
    except DataError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            if str(path) in recipe_names():
                error.hint = f"the bundled set has a recipe: {program()} init {path}"
            elif str(path) in BUNDLED:
                error.hint = f"a config names the bundled set by the bare word: data.source={path}"
            else:
                error.hint = missing_path_hint(path)
        raise


def _look_at_table(path: Path, found: TableFormatName, label: str | None) -> Seen:
    files = split_files(path, found)
    read = TABLE_FORMATS[found].cells
    others = [
        column
        for split, file in files.items()
        if split != "train"
        for column in profile_table(read(file))
    ]
    table = read(files["train"])
    columns = profile_table(table)
    guess = _guess(columns, label, files["train"])
    chosen = guess.best.column
    for column in (chosen, *(other for other in others if other.name == chosen.name)):
        _require_whole_label(column)
    features, text = choose_inputs(table, columns, chosen, others, files["train"])
    del table  # it is read once more, as a training reads it
    section = DataSection(
        source=str(path.absolute()),
        format=found,
        label=chosen.name,
        features=features.names,
        categorical=features.categorical,
        missing="indicator" if features.with_gaps else "error",
        text=None if text is None else text.name,
        tokens=TokensSection() if text is None else text.tokens,
    )
    task: Task = "classification" if are_classes(chosen) else "regression"
    source = _source(section)
    of_table = {"columns": tuple(columns), "label": guess, "features": features, "text": text}
    return _seen(path, found, section, source, task, **of_table)


def _seen(
    path: Path, found: Format, section: DataSection, source: Source, task: Task, **table: Any
) -> Seen:
    class_names = fit_class_names(source.parts["train"]) if task == "classification" else None
    parts = check_source(source, class_names)
    splits = encoded(parts, fit_encoding(section, source.columns, parts["train"].features))
    no_table: dict[str, Any] = {"columns": (), "label": None, "features": None, "text": None}
    return Seen(
        path=path,
        format=found,
        task=task,
        splits=splits,
        class_names=class_names,
        **(no_table | table),
    )


def _source(section: DataSection) -> Source:
    """The source; an error is not about a config, which there is none of."""
    try:
        return read_source(section)
    except DataError as error:
        error.key = None
        raise


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


def _task_of_array(labels: RawLabels) -> Task:
    """Class numbers, one-hot rows and texts are classes; all else are targets."""
    if isinstance(labels, list):
        return "classification"
    if labels.dtype.kind not in "biuf":
        return "classification"  # whose reader says what is wrong with them
    if labels.ndim == 2 and labels.shape[1] > 1:
        is_one_hot = bool(np.isin(labels, (0, 1)).all() and (labels.sum(axis=1) == 1).all())
        return "classification" if is_one_hot else "regression"
    with suppress(ValueError):  # empty: whose reader says so
        is_class = bool((labels >= 0).all() and (labels == np.floor(labels)).all())
        num_different = len(np.unique(labels))
        few = min(_MAX_ARRAY_CLASSES, max(2, len(labels) // 2))
        has_no_gaps = float(labels.max()) < 2 * num_different
        if is_class and 1 < num_different <= few and has_no_gaps:
            return "classification"
    return "regression"
