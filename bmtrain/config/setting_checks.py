"""Settings that are legal one by one and pointless or impossible together."""

from __future__ import annotations

from collections.abc import Iterator

from bmtrain.config.finding import Finding
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.config.sections.model import DenseLayer, LayersModel, ReshapeLayer
from bmtrain.config.sections.optimizer import Sgd


def setting_findings(experiment: ExperimentConfig) -> Iterator[Finding]:
    """Impossible shapes, a penalty on nothing, Nesterov's momentum without momentum."""
    model, optimizer = experiment.model, experiment.optimizer
    if isinstance(model, LayersModel):
        yield from _target_shapes(model)
        has_kernels = any(isinstance(layer, DenseLayer) for layer in model.layers)
        if experiment.regularization.l2_lambda > 0 and not has_kernels:
            key = ("regularization", "l2_lambda")
            yield Finding(key, "no effect: the model has no kernels", "warning")
    if isinstance(optimizer, Sgd) and optimizer.nesterov and optimizer.momentum == 0:
        yield Finding(("optimizer", "nesterov"), "no effect: momentum is 0", "warning")


def _target_shapes(model: LayersModel) -> Iterator[Finding]:
    for index, layer in enumerate(model.layers):
        if not isinstance(layer, ReshapeLayer):
            continue
        shape = list(layer.target_shape)
        if 0 in shape or shape.count(-1) > 1:
            yield Finding(
                ("model", "layers", index, "target_shape"),
                f"expected sizes >= 1, at most one of them -1 (what is left), got {shape}",
            )
