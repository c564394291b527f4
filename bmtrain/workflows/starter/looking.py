"""What init sees of a user's data: columns, label, classes, sizes, what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

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
from bmtrain.data.pictures.picture_folders import read_folder
from bmtrain.data.profiles.feature_choice import FeatureChoice
from bmtrain.data.profiles.label_guess import LabelGuess, are_classes
from bmtrain.data.profiles.text_choice import TextChoice
from bmtrain.data.raw.source import RawLabels, Source, SplitName
from bmtrain.data.sources import read_source
from bmtrain.data.tables.table_formats import TableFormatName, is_table
from bmtrain.data.tables.table_profile import Column
from bmtrain.errors import DataError, UsageError
from bmtrain.program import program
from bmtrain.workflows.starter.picture_size import choose_image
from bmtrain.workflows.starter.recipes import recipe_names
from bmtrain.workflows.starter.table_look import look_at_table

#: Of an array's integer labels; more different ones are targets.
_MAX_ARRAY_CLASSES = 1000

#: What there is in what is no table.
_KINDS: Final[dict[Format, str]] = {
    "images": "pictures",
    "idx": "arrays (IDX)",
    "npz": "arrays (NPZ)",
    "npy": "arrays (NPY)",
}


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
        raise UsageError(f"--label names a column of a table, and {path.name} has {_KINDS[found]}")
    image, why = _image(path) if found == "images" and path.is_dir() else (None, "")
    section = DataSection(source=str(path.absolute()), format=found, image=image)
    source = _source(section)
    task = _task_of_array(require_labels(source.parts["train"]))
    return _seen(path, found, section, source, task, image=image, image_reason=why)


def _image(folder: Path) -> tuple[ImageSection, str]:
    splits = read_folder(folder, ())
    files = [file for found in splits.values() for file in found.files]
    return choose_image(files, where=str(folder))


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
    look = look_at_table(path, found, label)
    chosen, features, text = look.label.best.column, look.features, look.text
    section = DataSection(
        source=str(path.absolute()),
        format=found,
        label=chosen.name,
        features=features.names,
        categorical=features.categorical,
        missing="indicator" if features.with_gaps else "error",
        text=None if text is None else text.name,
        tokens=TokensSection() if text is None else text.tokens,
        image=look.image,
    )
    task: Task = "classification" if are_classes(chosen) else "regression"
    of_table = {
        "columns": look.columns,
        "label": look.label,
        "features": features,
        "text": text,
        "image": look.image,
        "image_reason": look.image_reason,
    }
    return _seen(path, found, section, _source(section), task, **of_table)


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


def _task_of_array(labels: RawLabels) -> Task:
    """Class numbers, one-hot rows and texts are classes; all else are targets."""
    if not isinstance(labels, np.ndarray):
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
