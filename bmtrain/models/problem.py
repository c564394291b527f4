"""One optimization problem: model, data loss, metrics, penalty and optimizer, put together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import keras
import tensorflow as tf

from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.config.sections.learning_rate import ReduceOnPlateau
from bmtrain.config.sections.metrics import is_more_better
from bmtrain.data.examples.dataset import BLOCK_SIZE
from bmtrain.data.examples.preprocessing import Preprocessing
from bmtrain.models import metrics as metric_table
from bmtrain.models.architecture import Architecture
from bmtrain.models.augmentation import Augmentor
from bmtrain.models.decision import decision_threshold, takes_logits
from bmtrain.models.layers.building import build_model
from bmtrain.models.losses import build_loss
from bmtrain.models.memory import evaluated_at_once
from bmtrain.models.objective import l2_factor, l2_penalty, own_penalty, penalized_kernels
from bmtrain.models.optimizers import build_optimizer, moving_averages
from bmtrain.models.plugin_values import PerExample
from bmtrain.models.split_figures import SplitFigure, split_figures


@dataclass(frozen=True, slots=True)
class Problem:
    """What is minimised, by what, and what is reported.

    ``threshold`` is where a single output begins to mean the second class. ``averages``: the
    trainable variables, each with the moving average that is judged in its place.
    ``split_figures``: the metrics that are no mean over examples. ``block_size``: the examples
    that are evaluated at once. ``more_is_better`` says so of a metric.
    """

    model: keras.Sequential
    optimizer: keras.optimizers.Optimizer
    loss_name: str
    loss: PerExample
    metrics: Mapping[str, metric_table.Metric]
    kernels: list[keras.Variable]
    l2_factor: float
    preprocessing: Preprocessing
    num_classes: int | None
    threshold: float
    seed: int
    block_size: int = BLOCK_SIZE
    augmentor: Augmentor | None = None
    plateau: ReduceOnPlateau | None = None
    averages: Sequence[tuple[keras.Variable, keras.Variable]] = ()
    split_figures: Mapping[str, SplitFigure] = field(default_factory=dict)
    more_is_better: Callable[[str], bool] = is_more_better

    def penalty(self) -> tf.Tensor:
        """Of the present weights, over all kernels and of single layers: float32 scalar."""
        over_all, own = l2_penalty(self.kernels, self.l2_factor), own_penalty(self.model)
        return over_all if own is None else over_all + own


@contextmanager
def averaged_weights(problem: Problem) -> Iterator[None]:
    """Inside, the model has the moving averages of its weights, if any are kept."""
    present = [variable.value.read_value() for variable, _ in problem.averages]
    try:
        for variable, average in problem.averages:
            variable.assign(average.value)
        yield
    finally:
        for (variable, _), value in zip(problem.averages, present, strict=True):
            variable.assign(value)


def build_problem(
    experiment: ExperimentConfig, architecture: Architecture, preprocessing: Preprocessing
) -> Problem:
    """The problem with its initial weights: a pure function of the arguments."""
    facts = preprocessing.facts
    precision = experiment.training.precision
    model = build_model(architecture, seed=experiment.seed, precision=precision)
    penalty, augmentation = experiment.regularization, experiment.training.augmentation
    rate = experiment.optimizer.learning_rate
    timeline = experiment.training.timeline(facts.num_train_examples)
    optimizer = build_optimizer(experiment.optimizer, model.trainable_variables, timeline)
    return Problem(
        model=model,
        optimizer=optimizer,
        loss_name=experiment.loss.name,
        loss=build_loss(experiment.loss, experiment.plugins.losses),
        metrics=metric_table.build_metrics(
            experiment.metrics,
            takes_logits=takes_logits(experiment),
            added=experiment.plugins.metrics,
        ),
        kernels=penalized_kernels(model),
        l2_factor=l2_factor(penalty.l2_lambda, penalty.l2_convention, facts.num_train_examples),
        preprocessing=preprocessing,
        num_classes=facts.num_outputs if facts.class_names is not None else None,
        threshold=decision_threshold(experiment),
        seed=experiment.seed,
        block_size=evaluated_at_once(architecture),
        augmentor=Augmentor(
            augmentation, seed=experiment.seed, added=experiment.plugins.augmentations
        )
        if augmentation
        else None,
        plateau=rate if isinstance(rate, ReduceOnPlateau) else None,
        averages=moving_averages(optimizer, model.trainable_variables),
        split_figures=split_figures(experiment),
        more_is_better=experiment.more_is_better,
    )
