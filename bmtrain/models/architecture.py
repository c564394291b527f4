"""From a config and the facts of the data to plain layers and their shapes. No TensorFlow.

Shapes are of one example, without the batch axis. What is computed here is
what Keras builds, so a model that does not fit its data is refused before
TensorFlow is imported, and a checkpoint's tensors are checked before they are
allocated.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bmtrain.config.sections import model as sections
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.config.sections.loss import CROSSENTROPIES
from bmtrain.data.dataset import DataFacts
from bmtrain.errors import DataError

Shape = tuple[int, ...]
ConfigKey = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class PlannedLayer:
    """One plain layer with the shapes that follow from the data.

    ``variables`` maps a variable's name (kernel, bias, gamma, …) to its shape;
    those in ``non_trainable`` are statistics, not parameters of the gradient.
    """

    config: sections.Layer
    key: ConfigKey
    input_shape: Shape
    output_shape: Shape
    variables: Mapping[str, Shape]
    non_trainable: frozenset[str] = frozenset()


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
        return sum(
            math.prod(shape)
            for name, shape in self.variable_shapes.items()
            if name.endswith(".kernel")
        )

    @property
    def forward_flops(self) -> int:
        """Multiplications and additions of the dense products for one example, forward.

        A training step costs about three times as much (Kaplan et al. 2020, §2.1).
        """
        total = 0
        for layer in self.layers:
            if "kernel" in layer.variables:
                rows = math.prod(layer.input_shape[:-1])
                total += 2 * rows * math.prod(layer.variables["kernel"])
        return total


def num_model_outputs(loss_name: str, facts: DataFacts) -> int:
    """Outputs that the data asks for: one under binary cross-entropy, else one per class or target."""
    return 1 if loss_name == "binary_crossentropy" else facts.num_outputs


def expand(
    experiment: ExperimentConfig, facts: DataFacts
) -> list[tuple[sections.Layer, ConfigKey]]:
    """Plain layers of the config's model, each with the config key it comes from."""
    model = experiment.model
    if isinstance(model, sections.LayersModel):
        return [(layer, ("model", "layers", i)) for i, layer in enumerate(model.layers)]
    return [(layer, ("model",)) for layer in _expand_mlp(model, experiment, facts)]


def _expand_mlp(
    model: sections.MlpModel, experiment: ExperimentConfig, facts: DataFacts
) -> list[sections.Layer]:
    layers: list[sections.Layer] = []
    if len(facts.input_shape) > 1:
        layers.append(sections.FlattenLayer(type="flatten"))
    for units in model.hidden:
        if model.batch_normalization:
            # The bias would be cancelled by the normalisation's mean.
            layers += [
                sections.DenseLayer(type="dense", units=units, use_bias=False),
                sections.BatchNormalizationLayer(type="batch_normalization"),
                sections.ActivationLayer(type="activation", activation=model.activation),
            ]
        else:
            layers.append(
                sections.DenseLayer(type="dense", units=units, activation=model.activation)
            )
        if model.dropout:
            layers.append(sections.DropoutLayer(type="dropout", rate=model.dropout))
    layers.append(
        sections.DenseLayer(
            type="dense",
            units=num_model_outputs(experiment.loss.name, facts),
            activation=_output_activation(experiment),
        )
    )
    return layers


def _output_activation(experiment: ExperimentConfig) -> sections.Activation:
    loss = experiment.loss
    if loss.name not in CROSSENTROPIES or getattr(loss, "from_logits", False):
        return "linear"
    return "sigmoid" if loss.name == "binary_crossentropy" else "softmax"


def plan_architecture(experiment: ExperimentConfig, facts: DataFacts) -> Architecture:
    """Follow the data's shape through the layers.

    Raises:
        DataError: a layer cannot follow the shape it gets, or the output does
            not fit the labels; names the layer and carries its config key.
    """
    shape = facts.input_shape
    planned: list[PlannedLayer] = []
    for position, (config, key) in enumerate(expand(experiment, facts)):
        layer = _plan_layer(config, key, position, shape)
        planned.append(layer)
        shape = layer.output_shape
    architecture = Architecture(facts.input_shape, tuple(planned))
    _check_output(architecture, experiment, facts)
    return architecture


def _plan_layer(
    config: sections.Layer, key: ConfigKey, position: int, shape: Shape
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
    position = len(architecture.layers) - 1
    what = f"layer {position} ({last.config.type})"
    shape = last.output_shape
    if len(shape) != 1:
        raise DataError(
            f"{what} gives the shape {list(shape)} per example, expected one vector; "
            f"the data's shape is {list(facts.input_shape)}",
            key=last.key,
            hint="put {type: flatten} before the first dense layer",
        )
    wanted = num_model_outputs(experiment.loss.name, facts)
    key = (*last.key, "units") if isinstance(last.config, sections.DenseLayer) else last.key
    if facts.class_names is not None:
        _check_class_outputs(shape[0], wanted, what, key, experiment, facts)
    elif shape[0] != wanted:
        raise DataError(
            f"{what} gives {shape[0]} outputs, the data has {wanted} targets per example", key=key
        )


def _check_class_outputs(  # one message needs all of them
    outputs: int,
    wanted: int,
    what: str,
    key: ConfigKey,
    experiment: ExperimentConfig,
    facts: DataFacts,
) -> None:
    num_classes = facts.num_outputs
    binary = experiment.loss.name == "binary_crossentropy"
    if binary and num_classes > 2:
        raise DataError(
            f"binary_crossentropy is for two classes, the data has {num_classes}",
            key=("loss",),
            hint="use sparse_categorical_crossentropy",
        )
    if outputs < wanted:
        raise DataError(
            f"{what} gives {outputs} outputs, the data has {num_classes} classes", key=key
        )
    if outputs > wanted and experiment.loss.name != "sparse_categorical_crossentropy":
        raise DataError(
            f"{what} gives {outputs} outputs, expected {wanted} for {num_classes} classes", key=key
        )


def architecture_warnings(
    architecture: Architecture, facts: DataFacts
) -> list[tuple[ConfigKey, str]]:
    """What is allowed but rarely meant, each with the config key it is about."""
    found: list[tuple[ConfigKey, str]] = []
    for position, layer in enumerate(architecture.layers):
        if isinstance(layer.config, sections.DenseLayer) and len(layer.input_shape) > 1:
            text = (
                f"layer {position} (dense) gets the shape {list(layer.input_shape)} and acts on "
                "its last axis alone; put {type: flatten} before it if one vector is meant"
            )
            found.append((layer.key, text))
    num_outputs = architecture.output_shape[0]
    if facts.class_names is not None and num_outputs > facts.num_outputs:
        text = (
            f"the model has {num_outputs} outputs for {facts.num_outputs} classes; "
            "the others can never be right"
        )
        found.append((architecture.layers[-1].key, text))
    return found
