"""From raw parts to examples that training can trust."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.dataset import Split, SplitName
from bmtrain.data.features import as_features, match_dtype, match_integers
from bmtrain.data.labels import as_classes, require_labels, require_seen_classes
from bmtrain.data.source import RawArray, RawPart, Source
from bmtrain.data.targets import as_targets
from bmtrain.errors import DataError

Labels = NDArray[np.int32] | NDArray[np.float32]


def check_source(source: Source, class_names: tuple[str, ...] | None) -> dict[SplitName, Split]:
    """All parts as splits; validation and test agree with train in shape, dtype and classes.

    ``class_names`` None: regression.
    """
    part = source.parts["train"]
    train = Split(check_features(part), check_labels(part, class_names))
    splits: dict[SplitName, Split] = {"train": train}
    for name, part in source.parts.items():
        if name == "train":
            continue
        features = check_features(
            part, shape=train.features.shape[1:], dtype=train.features.dtype.name
        )
        labels = check_labels(part, class_names, num_outputs=train.labels.shape[1:])
        if class_names is not None:
            require_seen_classes(labels, train.labels, class_names, part.labels_at)
        splits[name] = Split(features, labels)
    return splits


def check_features(
    part: RawPart, *, shape: tuple[int, ...] | None = None, dtype: str | None = None
) -> RawArray:
    """The features, finite, uint8 or float32; of the given example ``shape`` and ``dtype``."""
    raw = part.features if dtype is None else match_integers(part.features, dtype)
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


def _targets(count: int) -> str:
    return "1 target" if count == 1 else f"{count} targets"
