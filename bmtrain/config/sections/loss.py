"""``loss:`` the data loss per example; its mean over examples is what is minimised."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from bmtrain.config.sections.base import Section

Smoothing = Annotated[float, Field(ge=0, lt=1)]

FROM_LOGITS = "The model's outputs are logits: the loss applies softmax or sigmoid itself."

LABEL_SMOOTHING = "ε: targets t become t·(1 − ε) + ε/K, K the number of classes; here and in eval."


class LossSection(Section):
    """A loss; ``is_crossentropy``: over class probabilities or logits, else over numbers."""

    is_crossentropy: ClassVar[bool] = False


class Crossentropy(LossSection):
    """Over class probabilities or logits."""

    is_crossentropy: ClassVar[bool] = True


class SparseCategoricalCrossentropy(Crossentropy):
    """−log p(label); labels are class numbers."""

    name: Literal["sparse_categorical_crossentropy"]
    from_logits: bool = Field(default=False, description=FROM_LOGITS)
    label_smoothing: Smoothing = Field(default=0.0, description=LABEL_SMOOTHING)


class CategoricalCrossentropy(Crossentropy):
    """−Σ t·log p over classes; labels become one-hot targets t."""

    name: Literal["categorical_crossentropy"]
    from_logits: bool = Field(default=False, description=FROM_LOGITS)
    label_smoothing: Smoothing = Field(default=0.0, description=LABEL_SMOOTHING)


class BinaryCrossentropy(Crossentropy):
    """−t·log p − (1−t)·log(1−p); two classes, one output, p = P(second class)."""

    name: Literal["binary_crossentropy"]
    from_logits: bool = Field(default=False, description=FROM_LOGITS)
    label_smoothing: Smoothing = Field(default=0.0, description=LABEL_SMOOTHING)


class MeanSquaredError(LossSection):
    """(h(x) − y)², the mean over outputs."""

    name: Literal["mean_squared_error"]


class MeanAbsoluteError(LossSection):
    """|h(x) − y|, the mean over outputs."""

    name: Literal["mean_absolute_error"]


class Huber(LossSection):
    """½e² where |e| ≤ delta, else delta·|e| − ½delta²; the mean over outputs."""

    name: Literal["huber"]
    delta: Annotated[float, Field(gt=0)] = Field(
        default=1.0, description="Where the square ends and the straight line begins, > 0."
    )


class HalfMeanSquaredError(LossSection):
    """½·Σ (h(x) − y)², summed over outputs: the textbook's (1/2m)·Σ(h(x) − y)²."""

    name: Literal["half_mean_squared_error"]


Loss = Annotated[
    SparseCategoricalCrossentropy
    | CategoricalCrossentropy
    | BinaryCrossentropy
    | MeanSquaredError
    | MeanAbsoluteError
    | Huber
    | HalfMeanSquaredError,
    Field(discriminator="name"),
]
