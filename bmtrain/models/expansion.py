"""From the config's model to plain layers: presets are written out. No TensorFlow."""

from __future__ import annotations

from typing import Final

from bmtrain.config.sections import model as sections
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.config.sections.layers.arguments import Activation
from bmtrain.config.sections.layers.convolution import Conv2dLayer
from bmtrain.config.sections.layers.core import (
    ActivationLayer,
    DenseLayer,
    FlattenLayer,
    ReshapeLayer,
)
from bmtrain.config.sections.layers.normalization import BatchNormalizationLayer
from bmtrain.config.sections.layers.pooling import MaxPooling2dLayer
from bmtrain.config.sections.layers.regularizing import DropoutLayer
from bmtrain.config.sections.layers.union import Layer
from bmtrain.config.sections.loss import CROSSENTROPIES
from bmtrain.data.examples.dataset import DataFacts
from bmtrain.models.decision import takes_logits

ConfigKey = tuple[str | int, ...]

#: The key of the layers that a preset stands for: the config does not have them one by one.
PRESET: Final[ConfigKey] = ("model",)


def num_model_outputs(loss_name: str, facts: DataFacts) -> int:
    """Outputs that the data asks for: one under binary cross-entropy, else one per class or target."""
    return 1 if loss_name == "binary_crossentropy" else facts.num_outputs


def expand(experiment: ExperimentConfig, facts: DataFacts) -> list[tuple[Layer, ConfigKey]]:
    """Plain layers of the config's model, each with the config key it comes from."""
    model = experiment.model
    if isinstance(model, sections.LayersModel):
        return [(layer, ("model", "layers", i)) for i, layer in enumerate(model.layers)]
    if isinstance(model, sections.MlpModel):
        layers = _expand_mlp(model, facts)
    else:
        layers = _expand_cnn(model, facts)
    return [(layer, PRESET) for layer in (*layers, _output(experiment, facts))]


def _expand_mlp(model: sections.MlpModel, facts: DataFacts) -> list[Layer]:
    layers: list[Layer] = []
    if len(facts.input_shape) > 1:
        layers.append(FlattenLayer(type="flatten"))
    for units in model.hidden:
        if model.batch_normalization:
            # The bias would be cancelled by the normalisation's mean.
            layers += [
                DenseLayer(type="dense", units=units, use_bias=False),
                BatchNormalizationLayer(type="batch_normalization"),
                ActivationLayer(type="activation", activation=model.activation),
            ]
        else:
            layers.append(DenseLayer(type="dense", units=units, activation=model.activation))
        if model.dropout:
            layers.append(DropoutLayer(type="dropout", rate=model.dropout))
    return layers


def _expand_cnn(model: sections.CnnModel, facts: DataFacts) -> list[Layer]:
    layers: list[Layer] = []
    if len(facts.input_shape) == 2:
        layers.append(ReshapeLayer(type="reshape", target_shape=(*facts.input_shape, 1)))
    for filters in model.filters:
        convolution = Conv2dLayer(
            type="conv2d",
            filters=filters,
            kernel_size=model.kernel_size,
            padding="same",
            activation="linear" if model.batch_normalization else model.activation,
            # The bias would be cancelled by the normalisation's mean.
            use_bias=not model.batch_normalization,
        )
        layers.append(convolution)
        if model.batch_normalization:
            layers += [
                BatchNormalizationLayer(type="batch_normalization"),
                ActivationLayer(type="activation", activation=model.activation),
            ]
        layers.append(MaxPooling2dLayer(type="max_pooling2d"))
    layers.append(FlattenLayer(type="flatten"))
    dropout = [DropoutLayer(type="dropout", rate=model.dropout)] if model.dropout else []
    for units in model.dense:
        layers += [*dropout, DenseLayer(type="dense", units=units, activation=model.activation)]
    return [*layers, *dropout]


def _output(experiment: ExperimentConfig, facts: DataFacts) -> DenseLayer:
    return DenseLayer(
        type="dense",
        units=num_model_outputs(experiment.loss.name, facts),
        activation=_output_activation(experiment),
    )


def _output_activation(experiment: ExperimentConfig) -> Activation:
    loss = experiment.loss
    if loss.name not in CROSSENTROPIES or takes_logits(experiment):
        return "linear"
    return "sigmoid" if loss.name == "binary_crossentropy" else "softmax"
