"""The model's output against the loss: probabilities or logits, one unit or several."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bmtrain.config.finding import Finding
from bmtrain.config.nodes import KeyPath
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.config.sections.layers.convolution import (
    Conv1dLayer,
    Conv2dLayer,
    DepthwiseConv1dLayer,
    DepthwiseConv2dLayer,
    SeparableConv1dLayer,
    SeparableConv2dLayer,
)
from bmtrain.config.sections.layers.core import ActivationLayer, DenseLayer
from bmtrain.config.sections.layers.normalization import (
    BatchNormalizationLayer,
    GroupNormalizationLayer,
    LayerNormalizationLayer,
    RmsNormalizationLayer,
    UnitNormalizationLayer,
)
from bmtrain.config.sections.layers.regularizing import (
    DropoutLayer,
    GaussianDropoutLayer,
    GaussianNoiseLayer,
)
from bmtrain.config.sections.model import LayersModel

_PROBABILITIES = ("softmax", "sigmoid")
#: Fine before a loss that applies softmax itself: softmax(log_softmax(x)) = softmax(x).
_LOGITS = ("linear", "log_softmax")


@dataclass(frozen=True, slots=True)
class _Output:
    """What reaches the loss: its activation, and the units if they follow from the config."""

    activation: str
    activation_key: KeyPath
    units: int | None
    units_key: KeyPath


def output_findings(experiment: ExperimentConfig) -> Iterator[Finding]:
    """A model of plain layers whose last activation or units contradict the loss."""
    model = experiment.model
    if not isinstance(model, LayersModel):
        return  # the mlp's output follows from the loss
    output = _output(model)
    if not experiment.loss.is_crossentropy:
        yield from _regression(output, experiment)
        return
    if getattr(experiment.loss, "from_logits", False):
        yield from _logits(output, experiment.loss.name)
    else:
        yield from _probabilities(output, experiment.loss.name)
    yield from _units(output, experiment.loss.name)


def _output(model: LayersModel) -> _Output:
    """Follow the layers backwards to the last activation and the last dense layer."""
    activation: tuple[str, int] | None = None
    units_are_known = True
    for index in range(len(model.layers) - 1, -1, -1):
        layer = model.layers[index]
        match layer:
            case DenseLayer():
                name, at = activation or (layer.activation, index)
                units = layer.units if units_are_known else None
                return _Output(name, _key(at, "activation"), units, _key(index, "units"))
            case ActivationLayer():
                if layer.activation != "linear":
                    activation = activation or (layer.activation, index)
            case (
                Conv1dLayer()
                | Conv2dLayer()
                | DepthwiseConv1dLayer()
                | DepthwiseConv2dLayer()
                | SeparableConv1dLayer()
                | SeparableConv2dLayer()
            ):
                name, at = activation or (layer.activation, index)
                return _Output(name, _key(at, "activation"), None, _key(index, "filters"))
            case (
                BatchNormalizationLayer()
                | LayerNormalizationLayer()
                | GroupNormalizationLayer()
                | RmsNormalizationLayer()
                | UnitNormalizationLayer()
            ):
                activation = activation or ("linear", index)
            case DropoutLayer() | GaussianDropoutLayer() | GaussianNoiseLayer():
                pass  # the identity in evaluation
            case _:
                units_are_known = False  # flatten and reshape change the last axis
    name, at = activation or ("linear", len(model.layers) - 1)
    return _Output(name, _key(at, "activation"), None, _key(at, "units"))


def _key(index: int, name: str) -> KeyPath:
    return ("model", "layers", index, name)


def _wanted(loss: str) -> str:
    return "sigmoid" if loss == "binary_crossentropy" else "softmax"


def _probabilities(output: _Output, loss: str) -> Iterator[Finding]:
    wanted = _wanted(loss)
    if output.activation != wanted:
        yield Finding(
            output.activation_key,
            f"{loss} takes probabilities: expected {wanted} at the model's end, "
            f"got {output.activation}; write 'activation: {wanted}' here, or "
            f"'loss: {{name: {loss}, from_logits: true}}'"
            + (" with 'activation: linear'" if output.activation not in _LOGITS else ""),
        )


def _logits(output: _Output, loss: str) -> Iterator[Finding]:
    if output.activation in _PROBABILITIES:
        yield Finding(
            output.activation_key,
            f"the loss takes logits (from_logits: true) and applies {_wanted(loss)} itself: "
            f"expected linear at the model's end, got {output.activation}; "
            "write 'activation: linear' here, or 'from_logits: false'",
        )
    elif output.activation not in _LOGITS:
        yield Finding(
            output.activation_key,
            f"logits are usually linear, these pass through {output.activation}",
            "warning",
        )


def _units(output: _Output, loss: str) -> Iterator[Finding]:
    if output.units is None:
        return
    if loss == "binary_crossentropy" and output.units != 1:
        yield Finding(
            output.units_key,
            "binary_crossentropy has one output, the second class's probability: "
            f"expected 1 unit, got {output.units}",
        )
    elif loss != "binary_crossentropy" and output.units == 1:
        yield Finding(
            output.units_key,
            f"{loss} has one output per class: expected at least 2 units, got 1; "
            "for two classes and one output use binary_crossentropy",
        )


def _regression(output: _Output, experiment: ExperimentConfig) -> Iterator[Finding]:
    if output.activation not in ("softmax", "log_softmax"):
        return
    if output.units == 1:
        constant = "1" if output.activation == "softmax" else "0"
        message = f"a {output.activation} over one unit is always {constant}"
        yield Finding(output.activation_key, f"{message}; write 'activation: linear'")
    elif experiment.data.task != "classification":
        yield Finding(
            output.activation_key,
            f"{output.activation} ties the outputs of a regression together; usually 'linear' is "
            "meant, or 'data.task: classification'",
            "warning",
        )
