"""Settings that are legal one by one and pointless or impossible together."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator

from bmtrain.config.finding import Finding
from bmtrain.config.nodes import KeyPath
from bmtrain.config.sections.base import Section
from bmtrain.config.sections.data import DataSection, SplitsSection, TokensSection
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.config.sections.layers.attention import MultiHeadAttentionLayer
from bmtrain.config.sections.layers.composite import (
    PatchEmbeddingLayer,
    ResidualLayer,
    TransformerBlockLayer,
)
from bmtrain.config.sections.layers.convolution import (
    Conv1dLayer,
    Conv2dLayer,
    DepthwiseConv1dLayer,
    DepthwiseConv2dLayer,
    SeparableConv1dLayer,
    SeparableConv2dLayer,
)
from bmtrain.config.sections.layers.core import DenseLayer, ReshapeLayer
from bmtrain.config.sections.layers.initializers import UniformInitializer
from bmtrain.config.sections.layers.recurrent import BidirectionalLayer, RecurrentSection
from bmtrain.config.sections.model import LayersModel, TransformerModel, VitModel
from bmtrain.config.sections.optimizer import KerasOptimizer, Optimizer, Sgd

_WITH_KERNELS = (
    DenseLayer,
    Conv1dLayer,
    Conv2dLayer,
    DepthwiseConv1dLayer,
    DepthwiseConv2dLayer,
    SeparableConv1dLayer,
    SeparableConv2dLayer,
    RecurrentSection,
    BidirectionalLayer,
    MultiHeadAttentionLayer,
    TransformerBlockLayer,
    PatchEmbeddingLayer,
    ResidualLayer,
)
_CLIPS = ("clipvalue", "clipnorm", "global_clipnorm")
#: Of tables of numbers and categories.
_NOT_OF_TEXTS = ("features", "categorical", "missing")


def _float32(value: float) -> float:
    """The nearest float32; infinite where there is none."""
    try:
        nearest: float = struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return math.inf
    return nearest


def _out_of_float32(experiment: ExperimentConfig) -> Iterator[Finding]:
    """The steps compute in float32: a figure that is 0 or infinite there is another one."""
    sections: dict[str, Section] = {
        "model": experiment.model,
        "optimizer": experiment.optimizer,
        "regularization": experiment.regularization,
    }
    figures: list[tuple[KeyPath, object]] = [
        figure for name, section in sections.items() for figure in _figures(section, (name,))
    ]
    class_weight = experiment.training.class_weight
    if isinstance(class_weight, dict):
        figures += [(("training", "class_weight", c), w) for c, w in class_weight.items()]
    for place, value in figures:
        if not isinstance(value, float) or value == 0:
            continue
        nearest = _float32(value)
        if nearest == 0 or math.isinf(nearest):
            what = "0" if nearest == 0 else "infinite"
            message = f"{value!r} is {what} in float32, in which the steps are computed"
            yield Finding(place, message)


def _figures(section: Section, key: KeyPath) -> Iterator[tuple[KeyPath, object]]:
    """All values in a section and in those within it, by their keys."""
    for place, inner in _sections(section, key):
        yield from _entries(inner, place)


def _entries(section: Section, key: KeyPath) -> Iterator[tuple[KeyPath, object]]:
    """A section's values by their keys, those of its lists one by one."""
    for name, value in section:
        if isinstance(value, tuple):
            yield from (((*key, name, index), item) for index, item in enumerate(value))
        else:
            yield (*key, name), value


def _sections(section: Section, key: KeyPath) -> Iterator[tuple[KeyPath, Section]]:
    """A section and all within it, by their keys."""
    yield key, section
    for place, value in _entries(section, key):
        if isinstance(value, Section):
            yield from _sections(value, place)


def setting_findings(experiment: ExperimentConfig) -> Iterator[Finding]:
    """Impossible shapes, figures out of range, a penalty on nothing, an optimizer's options."""
    model, optimizer = experiment.model, experiment.optimizer
    yield from _out_of_float32(experiment)
    yield from _fold(experiment.data.splits)
    yield from _of_texts(experiment.data)
    if isinstance(model, LayersModel):
        has_kernels = any(isinstance(layer, _WITH_KERNELS) for layer in model.layers)
        if experiment.regularization.l2_lambda > 0 and not has_kernels:
            key = ("regularization", "l2_lambda")
            yield Finding(key, "no effect: the model has no kernels", "warning")
    if isinstance(model, (TransformerModel, VitModel)) and model.width % model.num_heads:
        message = f"{model.num_heads} heads do not divide model.width, {model.width}"
        yield Finding(("model", "num_heads"), message)
    for place, section in _sections(model, ("model",)):
        yield from _layer(section, place)
    yield from _optimizer(optimizer)


def _optimizer(optimizer: Optimizer) -> Iterator[Finding]:
    if isinstance(optimizer, Sgd) and optimizer.nesterov and optimizer.momentum == 0:
        yield Finding(("optimizer", "nesterov"), "no effect: momentum is 0", "warning")
    if not isinstance(optimizer, KerasOptimizer):
        return
    clips = [name for name in _CLIPS if getattr(optimizer, name) is not None]
    if len(clips) > 1:
        message = f"one way to clip at most: '{clips[0]}' is given, too"
        yield Finding(("optimizer", clips[-1]), message)
    default = KerasOptimizer.model_fields["ema_momentum"].default
    if not optimizer.use_ema and optimizer.ema_momentum != default:
        yield Finding(("optimizer", "ema_momentum"), "no effect: use_ema is false", "warning")
    if optimizer.exclude_from_weight_decay and not getattr(optimizer, "weight_decay", None):
        key = ("optimizer", "exclude_from_weight_decay")
        yield Finding(key, "no effect: there is no weight_decay", "warning")


def _fold(splits: SplitsSection) -> Iterator[Finding]:
    if splits.fold is None:
        return
    key = ("data", "splits", "fold")
    number, count = map(int, splits.fold.split("/"))
    if number > count or count < 2:
        yield Finding(key, f"expected a fold from 1 to K of at least 2 (k/K), got {splits.fold}")
    if splits.validation is not None:
        yield Finding(key, "the fold is the validation split: leave data.splits.validation out")


def _of_texts(data: DataSection) -> Iterator[Finding]:
    if data.text is None:
        if data.tokens != TokensSection():
            message = "no effect without data.text, the column that holds the texts"
            yield Finding(("data", "tokens"), message, "warning")
        return
    if data.text == data.label:
        yield Finding(("data", "text"), "it is the label, the column to predict")
    for key in _NOT_OF_TEXTS:
        if getattr(data, key) != DataSection.model_fields[key].default:
            message = "with data.text that column is the only feature; leave this out"
            yield Finding(("data", key), message)
    if data.normalize not in ("auto", "none"):
        message = "the numbers of tokens are names and cannot be scaled; leave this out"
        yield Finding(("data", "normalize"), message)


def _layer(section: Section, key: KeyPath) -> Iterator[Finding]:
    """What no data could make possible, in a layer or what it is made of."""
    if isinstance(section, ReshapeLayer):
        shape = list(section.target_shape)
        if 0 in shape or shape.count(-1) > 1:
            message = f"expected sizes >= 1, at most one of them -1 (what is left), got {shape}"
            yield Finding((*key, "target_shape"), message)
    if isinstance(section, (Conv1dLayer, Conv2dLayer)):
        wishes = (section.strides, section.dilation_rate)
        if all(wish not in (1, (1, 1)) for wish in wishes):
            message = "strides and dilation_rate cannot both be other than 1"
            yield Finding((*key, "dilation_rate"), message)
    if isinstance(section, UniformInitializer) and section.minval >= section.maxval:
        message = f"expected a number > minval, {section.minval:g}, got {section.maxval:g}"
        yield Finding((*key, "maxval"), message)
