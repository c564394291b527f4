"""The types in which data travels: examples, splits, and what is known of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.encodings.encoding import Encoding
from bmtrain.data.raw.columns import Column, number_columns
from bmtrain.data.raw.source import SplitName
from bmtrain.data.raw.streamed_rows import Features, StreamedRows

Task = Literal["classification", "regression"]


#: Examples that a model is evaluated on at a time. Fixed, so that evaluating a split gives the same
#: bits in `train` and in `eval`, and one compilation serves every split.
BLOCK_SIZE: Final = 1024


@dataclass(frozen=True, slots=True)
class Split:
    """Examples of one split, checked: finite, labels in range, at least one example.

    Attributes:
        features: (examples, *input_shape), uint8 or float32; an array, or rows that stay in
            their file: whoever reads them takes a block at a time.
        labels: classification: int32 class numbers (examples,), 0 ≤ label < num_classes;
            regression: float32 targets (examples, outputs).
        weights: float32 (examples,), what each counts in the loss, finite, ≥ 0, not all 0;
            None: 1 each. See ``bmtrain.data.examples.weights``.
        files: of each example where it is a file of its own, a picture; else None.
    """

    features: Features
    labels: NDArray[np.int32] | NDArray[np.float32]
    weights: NDArray[np.float32] | None = None
    files: Sequence[Path] | None = None

    @property
    def num_examples(self) -> int:
        """Number of examples."""
        return len(self.features)

    @property
    def array(self) -> NDArray[np.generic]:
        """The features where they are held."""
        assert not isinstance(self.features, StreamedRows)
        return self.features

    @property
    def is_streamed(self) -> bool:
        """Whether the features stay in their file."""
        return isinstance(self.features, StreamedRows)

    def num_bytes(self, batch_size: int) -> int:
        """What is held in memory of them at once, where so many are trained on at a time."""
        weights = 0 if self.weights is None else self.weights.nbytes
        if isinstance(self.features, StreamedRows):
            return self.features.bytes_at_once(batch_size) + self.labels.nbytes + weights
        return self.features.nbytes + self.labels.nbytes + weights


@dataclass(frozen=True, slots=True)
class DataFacts:
    """What a model, a checkpoint and a reader of new data must know of the data.

    Attributes:
        input_shape: shape of one example, without the batch axis.
        input_dtype: NumPy's name of the features' dtype, e.g. "uint8", "float32".
        class_names: one per class, in class order; None for regression.
        num_outputs: targets per example; for classification the number of classes.
        feature_names: of a table's inputs, in their order; None for all else.
        label_name: the label column of a table; None for arrays.
        num_train_examples: m of the L2 term λ/(2m)·Σw².
        fingerprint: sha256 over names and the fingerprints of the splits, hex.
        encoding: what makes inputs of columns; None where they are inputs as they are.
        weight_name: of a table's column, or of arrays, that weigh the examples; None: there are none.
        class_weights: what an example of each class counts in the loss; None: 1 each.
    """

    task: Task
    input_shape: tuple[int, ...]
    input_dtype: str
    class_names: tuple[str, ...] | None
    num_outputs: int
    feature_names: tuple[str, ...] | None
    label_name: str | None
    num_train_examples: int
    fingerprint: str
    encoding: Encoding | None = None
    weight_name: str | None = None
    class_weights: tuple[float, ...] | None = None

    @property
    def columns(self) -> tuple[Column, ...] | None:
        """What is read of a table; None for arrays."""
        if self.encoding is not None:
            return self.encoding.columns
        return None if self.feature_names is None else number_columns(self.feature_names)

    @property
    def is_number(self) -> NDArray[np.bool_]:
        """Which inputs of an example that is a vector are numbers; others say of what kind it is."""
        if self.encoding is None:
            return np.ones(self.input_shape, np.bool_)
        return np.broadcast_to(self.encoding.is_scaled, self.input_shape)

    @property
    def vocabulary_size(self) -> int | None:
        """Where inputs are the numbers of tokens: they are below this; None for quantities."""
        return None if self.encoding is None else self.encoding.vocabulary_size


@dataclass(frozen=True, slots=True)
class Dataset:
    """All splits of one source and the facts about them.

    "train" is always there; the order is train, validation, test. ``fingerprints``: of each
    split, whatever it is called: sha256 over its dtypes, shapes and bytes, hex.
    """

    splits: Mapping[SplitName, Split]
    facts: DataFacts
    fingerprints: Mapping[SplitName, str] = field(default_factory=dict)
