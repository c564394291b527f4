"""From raw parts to examples that training can trust."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.encodings.encoding import Columns, Encoding
from bmtrain.data.encodings.recoding import encoded_rows
from bmtrain.data.examples.dataset import DataFacts, Split
from bmtrain.data.examples.features import (
    as_features,
    as_streamed_features,
    match_dtype,
    match_integers,
)
from bmtrain.data.examples.groups import group_numbers, require_no_shared_groups
from bmtrain.data.examples.labels import as_classes, require_labels, require_seen_classes
from bmtrain.data.examples.targets import as_targets
from bmtrain.data.examples.weights import as_weights
from bmtrain.data.raw.columns import RawColumns
from bmtrain.data.raw.file_rows import FileRows
from bmtrain.data.raw.source import Place, RawArray, RawPart, Source, SplitName, require_one_each
from bmtrain.data.raw.streamed_rows import Features, StreamedRows, held, taken
from bmtrain.errors import DataError

Labels = NDArray[np.int32] | NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class CheckedPart:
    """A part whose labels are as in ``Split``; its features are inputs, or columns to encode."""

    features: Features | Columns
    labels: Labels
    place: Place
    weights: NDArray[np.float32] | None = None
    groups: NDArray[np.int64] | None = None

    @property
    def num_examples(self) -> int:
        """Number of examples."""
        return len(self.features)

    def take(self, rows: NDArray[np.int64]) -> CheckedPart:
        """The examples ``rows``, in that order."""
        features = self.features
        chosen = (
            taken(features, rows)
            if isinstance(features, np.ndarray | StreamedRows)
            else features[rows]
        )
        weights = None if self.weights is None else self.weights[rows]
        groups = None if self.groups is None else self.groups[rows]
        place, files = self.place, self.place.files
        if files is not None:
            place = dataclasses.replace(place, files=[files[row] for row in rows.tolist()])
        return CheckedPart(chosen, self.labels[rows], place, weights, groups)


def check_source(
    source: Source, class_names: tuple[str, ...] | None
) -> dict[SplitName, CheckedPart]:
    """All parts, checked; validation and test agree with train in shape, dtype and classes.

    No two of them share a group.

    ``class_names`` None: regression.
    """
    part = source.parts["train"]
    train = CheckedPart(
        _inputs_or_columns(part),
        check_labels(part, class_names),
        part.features_at,
        check_weights(part),
        None if part.groups is None else group_numbers(part.groups),
    )
    checked: dict[SplitName, CheckedPart] = {"train": train}
    for name, part in source.parts.items():
        if name == "train":
            continue
        features = _inputs_or_columns(part, like=train.features)
        labels = check_labels(part, class_names, num_outputs=train.labels.shape[1:])
        if class_names is not None:
            require_seen_classes(labels, train.labels, class_names, part.labels_at)
        checked[name] = CheckedPart(features, labels, part.features_at, check_weights(part))
    require_no_shared_groups(source.parts)
    return checked


def encoded(
    parts: Mapping[SplitName, CheckedPart], encoding: Encoding | None
) -> dict[SplitName, Split]:
    """The parts as splits: columns become inputs by the encoding, all else is input already."""
    return {
        name: Split(
            _encoded(part.features, encoding, part.place),
            part.labels,
            part.weights,
            part.place.files,
        )
        for name, part in parts.items()
    }


def fitting_features(part: RawPart, facts: DataFacts) -> RawArray:
    """The features as a model with ``facts`` takes them.

    Raises:
        DataError: they do not fit: shape, dtype, what is not finite.
    """
    if facts.vocabulary_size is not None:
        if not isinstance(part.features, RawColumns):
            raise DataError(
                "the model takes texts, and these are numbers", where=part.features_at.name
            )
        return held(_encoded(part.features, facts.encoding, part.features_at))
    if isinstance(part.features, RawColumns):
        features = held(_encoded(part.features, facts.encoding, part.features_at))
        part = dataclasses.replace(part, features=features)
    return held(check_features(part, shape=facts.input_shape, dtype=facts.input_dtype))


def _encoded(features: Features | Columns, encoding: Encoding | None, place: Place) -> Features:
    if isinstance(features, np.ndarray | StreamedRows):
        return features
    assert encoding is not None  # whoever reads columns asks what they become
    if isinstance(features, RawColumns):
        return encoding.encode(features, place)
    return encoded_rows(features, encoding)


def _inputs_or_columns(part: RawPart, like: Features | Columns | None = None) -> Features | Columns:
    if not isinstance(part.features, np.ndarray | FileRows):
        return part.features
    if isinstance(like, np.ndarray | StreamedRows):
        return check_features(part, shape=like.shape[1:], dtype=like.dtype.name)
    return check_features(part)


def check_features(
    part: RawPart, *, shape: tuple[int, ...] | None = None, dtype: str | None = None
) -> Features:
    """The features, finite, uint8 or float32; of the given example ``shape`` and ``dtype``.

    What is to be streamed stays in its file.
    """
    raw = part.features
    assert isinstance(raw, np.ndarray | FileRows)  # columns are encoded first
    features: Features
    if isinstance(raw, FileRows):
        features = as_streamed_features(raw, part.features_at, dtype)
    else:
        raw = raw if dtype is None else match_integers(raw, dtype)
        features = as_features(raw, part.features_at)
    if shape is not None and features.shape[1:] != shape:
        is_one_example = shape in (features.shape, raw.shape)
        raise DataError(
            f"expected examples of shape {shape}, got {features.shape[1:]}",
            where=part.features_at.name,
            hint="for a single example add an axis in front" if is_one_example else None,
        )
    return features if dtype is None else match_dtype(features, dtype, part.features_at)


def check_labels(
    part: RawPart,
    class_names: tuple[str, ...] | None,
    *,
    num_outputs: tuple[int, ...] | None = None,
) -> Labels:
    """Class numbers (examples,), or targets (examples, outputs) where ``class_names`` is None.

    ``num_outputs``: the expected shape of one target, () for a class number.
    """
    labels = require_labels(part)
    if class_names is not None:
        return as_classes(labels, class_names, part.labels_at)
    targets = as_targets(labels, part.labels_at)
    if num_outputs is not None and targets.shape[1:] != num_outputs:
        raise DataError(
            f"expected {_targets(num_outputs[0])} per example, got {targets.shape[1]}",
            where=part.labels_at.name,
        )
    return targets


def check_weights(part: RawPart) -> NDArray[np.float32] | None:
    """Float32 (examples,); None where the part has none."""
    if part.weights is None:
        return None
    place = part.weights_at or part.features_at
    require_one_each(len(part.features), len(part.weights), place.name, "weight")
    return as_weights(part.weights, place)


def _targets(count: int) -> str:
    return "1 target" if count == 1 else f"{count} targets"
