"""From a config's ``data:`` section to checked splits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from bmtrain import strict_json
from bmtrain.config.plugin_tables import FormatEntry
from bmtrain.config.sections.data import DataSection
from bmtrain.config.sections.loss import LossSection
from bmtrain.data.arrays.plugin_arrays import plugin_format, read_plugin_part
from bmtrain.data.encodings.encoding import Columns, Encoding, encoding_as_json, fit_encoding
from bmtrain.data.encodings.image_encoding import ImageEncoding
from bmtrain.data.examples.checked import (
    check_labels,
    check_source,
    check_weights,
    encoded,
    fitting_features,
)
from bmtrain.data.examples.dataset import DataFacts, Dataset, Split, Task
from bmtrain.data.examples.fingerprint import fingerprint, split_fingerprint
from bmtrain.data.examples.labels import fit_class_names
from bmtrain.data.examples.weights import example_weights, require_some_weight
from bmtrain.data.formats import ARRAY_PART_READERS, choose_format
from bmtrain.data.missing_paths import missing_path_hint
from bmtrain.data.pictures.picture_sources import read_picture_part
from bmtrain.data.raw.columns import Beside
from bmtrain.data.raw.memory import require_memory
from bmtrain.data.raw.source import RawPart, Source, SplitName
from bmtrain.data.raw.storage import Storage
from bmtrain.data.raw.streamed_rows import Features, StreamedRows
from bmtrain.data.sources import read_source
from bmtrain.data.splits.holdout import hold_out
from bmtrain.data.tables.model_columns import columns_of, known_columns
from bmtrain.data.tables.table_formats import (
    is_table,
    read_table_examples,
)
from bmtrain.errors import DataError

_NO_ROOM: Final = "free some space, or let XDG_CACHE_HOME name a directory that has more; or data.storage: resident"


def resolve_task(section: DataSection, loss: LossSection) -> Task:
    """``data.task``; ``auto`` is classification under a cross-entropy loss, else regression."""
    if section.task != "auto":
        return section.task
    return "classification" if loss.is_crossentropy else "regression"


def load_dataset(section: DataSection, *, task: Task, seed: int) -> Dataset:
    """Read, check and split the examples of ``section``.

    ``seed`` decides which examples the drawn splits get, and nothing else. Labels
    are class numbers under classification, float32 targets under regression.

    Raises:
        DataError: the data is missing, damaged or not what the section says.
        ConfigError: the section contradicts itself or the kind of its source.
    """
    return load_with_columns(section, task=task, seed=seed)[0]


def load_with_columns(
    section: DataSection, *, task: Task, seed: int
) -> tuple[Dataset, Mapping[SplitName, Features | Columns]]:
    """The same, and the features of each split as they were before they were encoded.

    Raises:
        DataError, ConfigError: as ``load_dataset``.
    """
    source = read_source(section)
    class_names = None
    if task == "classification":
        train = source.parts["train"]
        class_names = fit_class_names(train)
    published = check_source(source, class_names)
    parts = hold_out(section, published, class_names, seed)
    encoding = fit_encoding(section, source.columns, parts["train"].features)
    splits = _settled(encoded(parts, encoding), section)
    if section.storage == "stream" and not splits["train"].is_streamed:
        raise DataError(
            "to be streamed it must be in the cache, which has no room for it, or is switched off",
            where=section.source,
            key=("data", "storage"),
            hint=_NO_ROOM,
        )
    require_some_weight(splits)
    fingerprints = {name: split_fingerprint(split) for name, split in splits.items()}
    facts = _facts(task, source, splits["train"], fingerprints, class_names, encoding)
    raw = {name: part.features for name, part in parts.items()}
    return Dataset(splits, facts, fingerprints), raw


@dataclass(frozen=True, slots=True)
class Examples:
    """Examples for a trained model; all as in ``Split``, None where not asked for."""

    features: NDArray[np.generic]
    labels: NDArray[np.int32] | NDArray[np.float32] | None
    weights: NDArray[np.float32] | None = None

    @property
    def num_rows(self) -> int:
        """Number of examples."""
        return len(self.features)


def load_examples(
    path: Path,
    facts: DataFacts,
    *,
    format: str = "auto",  # noqa: A002  # the option's name on the command line
    labels: Literal["required", "optional"],
    ignore_unknown: bool = False,
    formats: Mapping[str, FormatEntry] | None = None,
) -> Examples:
    """Read examples that fit a model trained on data with ``facts``, from the same formats.

    - A single IDX or .npy file holds features alone.
    - An .npz file or a directory of .npy files: ``x`` (and ``y``), else ``x_test``, else
      ``x_train``. An IDX directory: ``t10k-…``, else ``train-…``. A directory of tables:
      ``test.csv``, else ``train.csv``.
    - A table needs the model's feature columns, in any order. Others than those and the
      label are refused, or with ``ignore_unknown`` not looked at.

    Labels are found by class name: the number 3 in an array is the class "3". Where
    they are ``optional`` they are not read at all, so that unlabelled data passes, and
    neither are weights, which must else be there where the model was trained with some.
    ``formats``: what plugins add.

    Raises:
        DataError: the data is missing, damaged, or does not fit ``facts``.
    """
    with_labels = labels == "required"
    if (entry := plugin_format(path, format, formats or {})) is not None:
        weight = facts.weight_name if with_labels else None
        part = read_plugin_part(entry, path, labels=with_labels, weight=weight)
        return _fitting(part, facts, with_labels=with_labels)
    try:
        found = choose_format(path, format)
    except DataError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            error.hint = missing_path_hint(path)
        raise
    if found == "images" or (is_table(found) and isinstance(facts.encoding, ImageEncoding)):
        part = read_picture_part(path, facts, found, labels=with_labels)
    elif is_table(found):
        beside = Beside(facts.label_name, facts.weight_name) if with_labels else Beside()
        known = None if ignore_unknown else known_columns(facts)
        part = read_table_examples(path, columns_of(facts, str(path)), beside, found, known)
    else:
        weight = facts.weight_name if with_labels else None
        part = ARRAY_PART_READERS[found](path, labels=with_labels, weight=weight)
    return _fitting(part, facts, with_labels=with_labels)


def _fitting(part: RawPart, facts: DataFacts, *, with_labels: bool) -> Examples:
    features = fitting_features(part, facts)
    if not with_labels:
        return Examples(features, None)
    num_outputs = (facts.num_outputs,) if facts.class_names is None else ()
    checked = check_labels(part, facts.class_names, num_outputs=num_outputs)
    weights = example_weights(checked, check_weights(part), facts.class_weights)
    return Examples(features, checked, weights)


def _settled(splits: Mapping[SplitName, Split], section: DataSection) -> dict[SplitName, Split]:
    """Columns that stayed in their file as inputs in memory, where they need not be streamed."""
    storage = Storage(section.storage)
    settled = dict(splits)
    for name, split in splits.items():
        features = split.features
        if not isinstance(features, StreamedRows) or features.recoding is None:
            continue
        if not storage.streams(features.shape, features.dtype):
            require_memory(features.nbytes, where=features.file.name)
            settled[name] = replace(split, features=features[:])
    return settled


def _facts(
    task: Task,
    source: Source,
    train: Split,
    fingerprints: Mapping[SplitName, str],
    class_names: tuple[str, ...] | None,
    encoding: Encoding | None,
) -> DataFacts:
    feature_names = _feature_names(source, encoding)
    names: dict[str, Any] = {
        "class_names": class_names,
        "feature_names": feature_names,
        "label_name": source.label_name,
    }
    if source.weight_name is not None:
        names["weight_name"] = source.weight_name
    if encoding is not None:
        names["encoding"] = encoding_as_json(encoding)
    _require_storable(names, source.parts["train"].labels_at.name)
    return DataFacts(
        task=task,
        input_shape=train.features.shape[1:],
        input_dtype=train.features.dtype.name,
        class_names=class_names,
        num_outputs=train.labels.shape[1] if class_names is None else len(class_names),
        feature_names=feature_names,
        label_name=source.label_name,
        num_train_examples=train.num_examples,
        fingerprint=fingerprint(fingerprints, names),
        encoding=encoding,
        weight_name=source.weight_name,
    )


def _feature_names(source: Source, encoding: Encoding | None) -> tuple[str, ...] | None:
    if encoding is not None:
        return encoding.feature_names
    return None if source.columns is None else tuple(column.name for column in source.columns)


def _require_storable(names: Mapping[str, object], where: str) -> None:
    """DataError if a checkpoint could not hold the names: before anything is trained."""
    room_for_other_facts = [0] * 100
    try:
        strict_json.encode({**names, "": room_for_other_facts})
    except ValueError as error:
        raise DataError(
            f"the names of classes and columns are more than a checkpoint holds: {error}",
            where=where,
        ) from None
