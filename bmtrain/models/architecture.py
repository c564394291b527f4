"""From a config and the facts of the data to plain layers and their shapes. No TensorFlow.

Shapes are of one example, without the batch axis. What is computed here is
what Keras builds, so a model that does not fit its data is refused before
TensorFlow is imported, and a checkpoint's tensors are checked before they are
allocated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.config.sections.layers.core import DenseLayer
from bmtrain.config.sections.layers.embedding import EmbeddingLayer
from bmtrain.data.examples.dataset import DataFacts
from bmtrain.errors import DataError
from bmtrain.models.activations import recomputed_flops
from bmtrain.models.expansion import expand, num_model_outputs
from bmtrain.models.shapes.composite import follow
from bmtrain.models.shapes.planned import Given, PlannedLayer, Shape
from bmtrain.models.shapes.plugin_layers import planners_with


@dataclass(frozen=True, slots=True)
class Architecture:
    """The whole model, layer by layer."""

    input_shape: Shape
    layers: tuple[PlannedLayer, ...]

    @property
    def output_shape(self) -> Shape:
        """Of the last layer."""
        return self.layers[-1].output_shape

    @property
    def variable_shapes(self) -> dict[str, Shape]:
        """Every variable by position: ``layers.1.kernel`` → (784, 128)."""
        return {
            f"layers.{position}.{name}": shape
            for position, layer in enumerate(self.layers)
            for name, shape in layer.variables.items()
        }

    @property
    def num_parameters(self) -> int:
        """All variables' values, moving statistics included, as Keras counts them."""
        return sum(math.prod(shape) for shape in self.variable_shapes.values())

    @property
    def num_kernel_parameters(self) -> int:
        """Values that the L2 penalty sees."""
        return sum(math.prod(s) for layer in self.layers for s in layer.kernels.values())

    @property
    def forward_flops(self) -> int:
        """Multiplications and additions of the dense products for one example, forward."""
        return sum(layer.forward_flops for layer in self.layers)

    @property
    def takes_tokens(self) -> bool:
        """Whether its inputs are the numbers of tokens."""
        return isinstance(self.layers[0].config, EmbeddingLayer)

    @property
    def training_flops(self) -> int:
        """The same for one example in one step: backward is about twice the forward pass.

        Kaplan et al. (2020), section 2.1. And what is computed again for the gradient.
        """
        return 3 * self.forward_flops + recomputed_flops(self.layers)


def plan_architecture(experiment: ExperimentConfig, facts: DataFacts) -> Architecture:
    """Follow the data's shape through the layers.

    Raises:
        DataError: a layer cannot follow the shape it gets, or the output does
            not fit the labels; names the layer and carries its config key.
    """
    planners = planners_with(experiment.plugins)
    given = Given(facts.input_shape, False, "layer ", (), True, facts, planners)
    layers = follow(expand(experiment, facts), given)
    architecture = Architecture(facts.input_shape, tuple(layers))
    _check_output(architecture, experiment, facts)
    return architecture


def _check_output(
    architecture: Architecture, experiment: ExperimentConfig, facts: DataFacts
) -> None:
    last = architecture.layers[-1]
    shape, loss_name = last.output_shape, experiment.loss.name
    what = f"layer {len(architecture.layers) - 1} ({last.config.type})"
    if len(shape) != 1:
        raise DataError(
            f"{what} gives the shape {list(shape)} per example, expected one vector; "
            f"the data's shape is {list(facts.input_shape)}",
            key=last.key,
            hint="put {type: flatten} before the first dense layer",
        )
    is_classification = facts.class_names is not None
    if is_classification and loss_name == "binary_crossentropy" and facts.num_outputs > 2:
        raise DataError(
            f"binary_crossentropy is for two classes, the data has {facts.num_outputs}",
            key=("loss",),
            hint="use sparse_categorical_crossentropy",
        )
    wanted = num_model_outputs(loss_name, facts)
    # The sparse loss can live with outputs that no label ever names; a warning says so.
    may_exceed = is_classification and loss_name == "sparse_categorical_crossentropy"
    if shape[0] < wanted or (shape[0] > wanted and not may_exceed):
        has = f"{facts.num_outputs} {'classes' if is_classification else 'targets per example'}"
        raise DataError(
            f"{what} gives {shape[0]} outputs, expected {wanted}: the data has {has}",
            key=(*last.key, "units") if isinstance(last.config, DenseLayer) else last.key,
        )
