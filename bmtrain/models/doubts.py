"""What is allowed in a model but rarely meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from bmtrain.config.sections.layers.core import DenseLayer
from bmtrain.config.sections.layers.pooling import GlobalAveragePooling1dLayer
from bmtrain.config.sections.layers.recurrent import BidirectionalLayer, RecurrentSection
from bmtrain.config.sections.layers.regularizing import DropoutLayer
from bmtrain.data.examples.dataset import DataFacts
from bmtrain.models.architecture import Architecture
from bmtrain.models.expansion import PRESET, ConfigKey
from bmtrain.models.shapes.planned import PlannedLayer


def architecture_warnings(
    architecture: Architecture, facts: DataFacts
) -> list[tuple[ConfigKey, str]]:
    """What is allowed but rarely meant, each with the config key it is about."""
    found: list[tuple[ConfigKey, str]] = []
    for position, layer in enumerate(architecture.layers):
        is_dense = isinstance(layer.config, DenseLayer)
        if is_dense and len(layer.input_shape) > 1 and not architecture.takes_tokens:
            text = (
                f"layer {position} (dense) gets the shape {list(layer.input_shape)} and acts on "
                "its last axis alone; put {type: flatten} before it if one vector is meant"
            )
            found.append((layer.key, text))
    found += _doubtful_layers(architecture.layers)
    found += _counted_padding(architecture)
    num_outputs = architecture.output_shape[0]
    if facts.class_names is not None and num_outputs > facts.num_outputs:
        text = (
            f"the model has {num_outputs} outputs for {facts.num_outputs} classes; "
            "the others can never be right"
        )
        found.append((architecture.layers[-1].key, text))
    return found


def _counted_padding(architecture: Architecture) -> Iterator[tuple[ConfigKey, str]]:
    """The first layer that takes padding for steps of the sequence."""
    for position, layer in enumerate(architecture.layers):
        what = f"layer {position} ({layer.config.type})"
        if layer.forgets_mask:
            text = (
                f"{what} takes padding for values, whatever mask_zero says: it knows of no mask, "
                "and those behind it do not, either"
            )
            yield layer.key, text
            return
        remedy = "; mask_zero: true in the embedding passes over it"
        if architecture.takes_tokens and not layer.is_masked:
            match layer.config:
                case RecurrentSection() | BidirectionalLayer():
                    yield layer.key, f"{what} reads padding as tokens{remedy}"
                    return
                case GlobalAveragePooling1dLayer():
                    yield layer.key, f"{what} averages over padding, too{remedy}"
                    return


def _doubtful_layers(layers: Sequence[PlannedLayer]) -> Iterator[tuple[ConfigKey, str]]:
    for position, (layer, following) in enumerate(pairwise(layers)):
        first, second = layer.config, following.config
        if not isinstance(first, DenseLayer) or first.activation != "linear":
            continue
        if isinstance(second, DenseLayer):
            if layer.key == PRESET:
                text = "with it all dense layers are one linear map together; use another, relu say"
                yield (*PRESET, "activation"), text
                return
            text = (
                f"layers {position} and {position + 1} (dense) are one linear map together; "
                f"give layer {position} an activation, relu say"
            )
            yield layer.key, text
    if isinstance(layers[-1].config, DropoutLayer):
        text = (
            f"layer {len(layers) - 1} (dropout) is the last and zeroes outputs in training; "
            "put it before the last dense layer"
        )
        yield layers[-1].key, text
