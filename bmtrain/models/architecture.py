"""From a config and the facts of the data to plain layers and their shapes. No TensorFlow.

Shapes are of one example, without the batch axis. What is computed here is
what Keras builds, so a model that does not fit its data is refused before
TensorFlow is imported, and a checkpoint's tensors are checked before they are
allocated.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bmtrain.config.sections import model as sections
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.data.examples.dataset import DataFacts
from bmtrain.errors import DataError
from bmtrain.models.expansion import ConfigKey, expand, num_model_outputs
from bmtrain.models.sequence_shapes import (
    FORGETFUL_LAYERS,
    SEQUENCE_LAYERS,
    check_input,
    embedding_shapes,
    hands_mask_on,
    sequence_shapes,
)

Shape = tuple[int, ...]

#: What the L2 penalty sees: no biases, embeddings, gammas or betas.
KERNELS = frozenset({"kernel", "recurrent_kernel"})


@dataclass(frozen=True, slots=True)
class PlannedLayer:
    """One plain layer with the shapes that follow from the data.

    ``variables`` maps a variable's name (kernel, bias, gamma, …) to its shape;
    those in ``non_trainable`` are statistics, not parameters of the gradient. A layer
    ``is_masked`` if it is told which steps of its input are padding.
    """

    config: sections.Layer
    key: ConfigKey
    input_shape: Shape
    output_shape: Shape
    variables: Mapping[str, Shape]
    non_trainable: frozenset[str] = frozenset()
    is_masked: bool = False

    @property
    def forgets_mask(self) -> bool:
        """Whether it takes padding for values, though it is told."""
        return self.is_masked and isinstance(self.config, FORGETFUL_LAYERS)

    @property
    def kernels(self) -> dict[str, Shape]:
        """Those of the variables that multiply."""
        return {n: s for n, s in self.variables.items() if n.rpartition(".")[2] in KERNELS}

    @property
    def forward_flops(self) -> int:
        """Multiplications and additions of its products for one example."""
        is_window = isinstance(self.config, sections.Conv1dLayer)
        rows = math.prod((self.output_shape if is_window else self.input_shape)[:-1])
        return 2 * rows * sum(map(math.prod, self.kernels.values()))


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
        return isinstance(self.layers[0].config, sections.EmbeddingLayer)

    @property
    def training_flops(self) -> int:
        """The same for one example in one step: backward is about twice the forward pass.

        Kaplan et al. (2020), section 2.1.
        """
        return 3 * self.forward_flops


def plan_architecture(experiment: ExperimentConfig, facts: DataFacts) -> Architecture:
    """Follow the data's shape through the layers.

    Raises:
        DataError: a layer cannot follow the shape it gets, or the output does
            not fit the labels; names the layer and carries its config key.
    """
    shape = facts.input_shape
    planned: list[PlannedLayer] = []
    is_masked = False
    for position, (config, key) in enumerate(expand(experiment, facts)):
        check_input(config, key, position, shape, facts)
        layer = _plan_layer(config, key, position, shape, facts)
        planned.append(dataclasses.replace(layer, is_masked=is_masked))
        shape, is_masked = layer.output_shape, hands_mask_on(config, is_masked)
    architecture = Architecture(facts.input_shape, tuple(planned))
    _check_output(architecture, experiment, facts)
    return architecture


def _plan_layer(
    config: sections.Layer, key: ConfigKey, position: int, shape: Shape, facts: DataFacts
) -> PlannedLayer:
    variables: dict[str, Shape] = {}
    non_trainable: frozenset[str] = frozenset()
    output = shape
    match config:
        case sections.DenseLayer():
            variables["kernel"] = (shape[-1], config.units)
            if config.use_bias:
                variables["bias"] = (config.units,)
            output = (*shape[:-1], config.units)
        case sections.EmbeddingLayer():
            variables = embedding_shapes(config, facts, f"layer {position} (embedding)", key)
            config = config.model_copy(update={"input_dim": variables["embeddings"][0]})
            output = (*shape, config.output_dim)
        case _ if isinstance(config, SEQUENCE_LAYERS):
            variables, output = sequence_shapes(config, shape, position, key)
        case sections.FlattenLayer():
            output = (math.prod(shape),)
        case sections.ReshapeLayer():
            output = _reshaped(config.target_shape, shape, key, position)
        case sections.LayerNormalizationLayer():
            variables = _scale_and_center(config, shape)
        case sections.BatchNormalizationLayer():
            variables = _scale_and_center(config, shape)
            variables |= {"moving_mean": shape[-1:], "moving_variance": shape[-1:]}
            non_trainable = frozenset({"moving_mean", "moving_variance"})
        case sections.ActivationLayer() | sections.DropoutLayer():
            pass
    return PlannedLayer(config, key, shape, output, variables, non_trainable)


def _scale_and_center(
    config: sections.LayerNormalizationLayer | sections.BatchNormalizationLayer, shape: Shape
) -> dict[str, Shape]:
    named = {"gamma": config.scale, "beta": config.center}
    return {name: shape[-1:] for name, wanted in named.items() if wanted}


def _reshaped(target: Sequence[int], shape: Shape, key: ConfigKey, position: int) -> Shape:
    size = math.prod(shape)
    known = math.prod(entry for entry in target if entry != -1)
    num_free = sum(entry == -1 for entry in target)
    fits = known > 0 and num_free <= 1 and (size % known == 0 if num_free else size == known)
    if not fits:
        raise DataError(
            f"layer {position} (reshape) cannot make {list(target)} of the shape it gets, "
            f"{list(shape)} ({size} values)",
            key=(*key, "target_shape"),
            hint="the product must be equal; one entry may be -1",
        )
    return tuple(size // known if entry == -1 else entry for entry in target)


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
            key=(*last.key, "units") if isinstance(last.config, sections.DenseLayer) else last.key,
        )
