"""A plain layer with the shapes that follow from the data. Shapes are of one example."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bmtrain.config.plugin_tables import LayerEntry
from bmtrain.config.sections.layers.union import Layer
from bmtrain.data.examples.dataset import DataFacts
from bmtrain.models.expansion import ConfigKey

Shape = tuple[int, ...]

#: What the L2 penalty sees: no biases, embeddings, gammas or betas.
KERNELS = frozenset({"kernel", "recurrent_kernel", "depthwise_kernel", "pointwise_kernel"})


@dataclass(frozen=True, slots=True)
class Given:
    """What a layer gets.

    Attributes:
        shape: of one example.
        is_masked: whether it is told which steps are padding.
        name: of the layer in messages: ``layer 3``.
        is_first: whether it takes the data as it is.
        planners: of all layers, for those that are made of layers.
    """

    shape: Shape
    is_masked: bool
    name: str
    key: ConfigKey
    is_first: bool
    facts: DataFacts
    planners: Mapping[str, Planner]


@dataclass(frozen=True, slots=True)
class PlannedLayer:
    """What follows for one layer.

    Attributes:
        config: what follows from the data is filled in.
        variables: name (kernel, bias, gamma, …) → shape.
        non_trainable: those of them that are statistics, not parameters of the gradient.
        is_masked: whether it is told which steps of its input are padding.
        hands_mask_on: whether the layer behind it is told so.
        forgets_mask: whether it takes padding for values, though it is told.
        forward_flops: multiplications and additions of its products for one example.
        kept_values: what it keeps of one example for the gradient, at least.
        inner: the layers that it is made of, by what they are called in it: ``layers.0``.
        plugin: that it is of, if it is of one.
    """

    config: Layer
    key: ConfigKey
    input_shape: Shape
    output_shape: Shape
    variables: Mapping[str, Shape]
    non_trainable: frozenset[str]
    is_masked: bool
    hands_mask_on: bool
    forgets_mask: bool
    forward_flops: int
    kept_values: int
    inner: Mapping[str, PlannedLayer] = field(default_factory=dict)
    plugin: LayerEntry | None = None

    @property
    def widest_values(self) -> int:
        """Of one example: its input and what it makes of it."""
        return math.prod(self.input_shape) + max(math.prod(self.output_shape), self.kept_values)

    @property
    def kernels(self) -> dict[str, Shape]:
        """Those of the variables that multiply."""
        return {n: s for n, s in self.variables.items() if n.rpartition(".")[2] in KERNELS}


#: (config, what it gets) -> what follows; DataError, with the config's key, where nothing can.
Planner = Callable[[Any, Given], PlannedLayer]


def planned(  # noqa: PLR0913  # by name, and most are not given
    config: Layer,
    given: Given,
    output: Shape | None = None,
    variables: Mapping[str, Shape] | None = None,
    *,
    non_trainable: frozenset[str] = frozenset(),
    uses_mask: bool | None = None,
    hands_mask_on: bool | None = None,
    rows: int | None = None,
    kept_values: int | None = None,
) -> PlannedLayer:
    """The layer, with what is usual where nothing is said.

    Args:
        output: shape; None: as the input's.
        uses_mask: None: it works on each step for itself and hands its mask on; True: it
            passes over padding; False: it knows of no mask, and none is handed on.
        hands_mask_on: whether it does where it is masked; None: as ``uses_mask`` says.
        rows: how often each kernel is applied to an example; None: once per entry of all axes
            of the input but the last.
        kept_values: None: the output where there are kernels, else 0.
    """
    output = given.shape if output is None else output
    layer = PlannedLayer(
        config=config,
        key=given.key,
        input_shape=given.shape,
        output_shape=output,
        variables=variables or {},
        non_trainable=non_trainable,
        is_masked=given.is_masked,
        hands_mask_on=given.is_masked
        and (uses_mask is not False if hands_mask_on is None else hands_mask_on),
        forgets_mask=given.is_masked and uses_mask is False,
        forward_flops=0,
        kept_values=0,
    )
    rows = math.prod(given.shape[:-1]) if rows is None else rows
    flops = 2 * rows * sum(map(math.prod, layer.kernels.values()))
    if kept_values is None:
        kept_values = math.prod(output) if layer.kernels else 0
    return replace(layer, forward_flops=flops, kept_values=kept_values)
