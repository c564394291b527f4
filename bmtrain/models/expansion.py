"""From the config's model to plain layers: presets are written out. No TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from bmtrain.config.sections import model as sections
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.config.sections.layers.arguments import Activation
from bmtrain.config.sections.layers.attention import PositionalEmbeddingLayer
from bmtrain.config.sections.layers.composite import (
    PatchEmbeddingLayer,
    ResidualLayer,
    TransformerBlockLayer,
)
from bmtrain.config.sections.layers.convolution import Conv2dLayer
from bmtrain.config.sections.layers.core import (
    ActivationLayer,
    DenseLayer,
    FlattenLayer,
    ReshapeLayer,
)
from bmtrain.config.sections.layers.embedding import EmbeddingLayer
from bmtrain.config.sections.layers.normalization import (
    BatchNormalizationLayer,
    LayerNormalizationLayer,
)
from bmtrain.config.sections.layers.pooling import (
    GlobalAveragePooling1dLayer,
    GlobalAveragePooling2dLayer,
    MaxPooling2dLayer,
)
from bmtrain.config.sections.layers.recurrent import BidirectionalLayer, LstmLayer
from bmtrain.config.sections.layers.regularizing import DropoutLayer
from bmtrain.config.sections.layers.union import Layer
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
    made = PRESETS[model.type](model, facts)
    return [(layer, PRESET) for layer in (*made, _output_layer(experiment, facts))]


def _mlp(model: sections.MlpModel, facts: DataFacts) -> list[Layer]:
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
        layers += _dropout(model.dropout)
    return layers


def _cnn(model: sections.CnnModel, facts: DataFacts) -> list[Layer]:
    layers = _channels(facts)
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
    dropout = _dropout(model.dropout)
    for units in model.dense:
        layers += [*dropout, DenseLayer(type="dense", units=units, activation=model.activation)]
    return [*layers, *dropout]


def _lstm(model: sections.LstmModel, facts: DataFacts) -> list[Layer]:
    layers: list[Layer] = []
    if facts.vocabulary_size is not None:
        layers.append(
            EmbeddingLayer(type="embedding", output_dim=model.embedding_dim, mask_zero=True)
        )
    for number in range(1, model.num_layers + 1):
        is_last = number == model.num_layers
        layer = LstmLayer(type="lstm", units=model.units, return_sequences=not is_last)
        layers.append(
            BidirectionalLayer(type="bidirectional", layer=layer) if model.bidirectional else layer
        )
        layers += _dropout(model.dropout)
    return layers


def _transformer(model: sections.TransformerModel, facts: DataFacts) -> list[Layer]:
    if facts.vocabulary_size is not None:
        first: Layer = EmbeddingLayer(type="embedding", output_dim=model.width, mask_zero=True)
    else:
        first = DenseLayer(type="dense", units=model.width)
    return [first, *_encoder(model)]


def _encoder(model: sections.TransformerModel | sections.VitModel) -> list[Layer]:
    """From a sequence to the mean of its steps."""
    block = TransformerBlockLayer(
        type="transformer_block",
        num_heads=model.num_heads,
        intermediate_dim=model.intermediate_dim or 4 * model.width,
        dropout=model.dropout,
        remat=model.remat,
    )
    return [
        PositionalEmbeddingLayer(type="positional_embedding"),
        *_dropout(model.dropout),
        *[block] * model.num_layers,
        LayerNormalizationLayer(type="layer_normalization", epsilon=block.layer_norm_epsilon),
        GlobalAveragePooling1dLayer(type="global_average_pooling1d"),
    ]


def _vit(model: sections.VitModel, facts: DataFacts) -> list[Layer]:
    patches = PatchEmbeddingLayer(
        type="patch_embedding", patch_size=model.patch_size, output_dim=model.width
    )
    return [*_channels(facts), patches, *_encoder(model)]


def _resnet(model: sections.ResnetModel, facts: DataFacts) -> list[Layer]:
    layers = [*_channels(facts), *_normalized_convolution(model.filters[0])]
    relu = ActivationLayer(type="activation", activation="relu")
    layers.append(relu)
    before = model.filters[0]
    for stage, filters in enumerate(model.filters):
        for block in range(model.blocks):
            strides = 2 if stage > 0 and block == 0 else 1
            has_other_shape = strides > 1 or before != filters
            residual = ResidualLayer(
                type="residual",
                layers=(
                    *_normalized_convolution(filters, strides=strides),
                    relu,
                    *_normalized_convolution(filters),
                ),
                shortcut=_normalized_convolution(filters, 1, strides) if has_other_shape else (),
                remat=model.remat,
            )
            layers += [residual, relu]
            before = filters
    layers.append(GlobalAveragePooling2dLayer(type="global_average_pooling2d"))
    return layers


def _normalized_convolution(
    filters: int, kernel_size: int = 3, strides: int = 1
) -> tuple[Layer, ...]:
    """The normalisation's mean would cancel a bias."""
    convolution = Conv2dLayer(
        type="conv2d",
        filters=filters,
        kernel_size=kernel_size,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
    )
    return convolution, BatchNormalizationLayer(type="batch_normalization", momentum=0.9)


def _channels(facts: DataFacts) -> list[Layer]:
    """An axis for the one channel of a picture that has none."""
    if len(facts.input_shape) != 2:
        return []
    return [ReshapeLayer(type="reshape", target_shape=(*facts.input_shape, 1))]


#: Presets but their output layer: type -> (config, facts) -> plain layers.
PRESETS: Final[dict[str, Callable[[Any, DataFacts], list[Layer]]]] = {
    "mlp": _mlp,
    "cnn": _cnn,
    "lstm": _lstm,
    "transformer": _transformer,
    "vit": _vit,
    "resnet": _resnet,
}


def _dropout(rate: float) -> list[Layer]:
    return [DropoutLayer(type="dropout", rate=rate)] if rate else []


def _output_layer(experiment: ExperimentConfig, facts: DataFacts) -> Layer:
    return DenseLayer(
        type="dense",
        units=num_model_outputs(experiment.loss.name, facts),
        activation=_output_activation(experiment),
    )


def _output_activation(experiment: ExperimentConfig) -> Activation:
    loss = experiment.loss
    if not loss.is_crossentropy or takes_logits(experiment):
        return "linear"
    return "sigmoid" if loss.name == "binary_crossentropy" else "softmax"
