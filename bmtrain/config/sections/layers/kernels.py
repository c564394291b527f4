"""What a layer asks of its own weights, beside the penalty over all kernels."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bmtrain.config.sections.base import Section

_Factor = Annotated[float, Field(ge=0)]


class KernelRegularizer(Section):
    """l1 · Σ|w| + l2 · Σw² over the kernel, part of the penalty; Keras's L1L2."""

    l1: _Factor = Field(default=0.0, description="Of Σ|w|, ≥ 0.")
    l2: _Factor = Field(default=0.0, description="Of Σw², ≥ 0.")


class KernelConstraint(Section):
    """After each step, an output's weights that are longer than max_norm are scaled to that length.

    Keras's MaxNorm over all axes of the kernel but those of the outputs; of embeddings, over
    each token's vector.
    """

    max_norm: Annotated[float, Field(gt=0)] = Field(
        description="The largest length √Σw² of the weights that lead to one output."
    )


OwnRegularizer = Annotated[
    KernelRegularizer | None,
    Field(description="{l1: …, l2: …}: adds l1·Σ|w| + l2·Σw² of it to the penalty."),
]
OwnConstraint = Annotated[
    KernelConstraint | None,
    Field(description="{max_norm: …}: after each step the weights of an output are no longer."),
]
