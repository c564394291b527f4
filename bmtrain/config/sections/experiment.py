"""The whole config of one experiment."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from bmtrain.config.plugin_tables import NO_PLUGINS, Plugins
from bmtrain.config.sections.base import Section
from bmtrain.config.sections.data import DataSection
from bmtrain.config.sections.loss import Loss
from bmtrain.config.sections.metrics import Metric, MetricFacts, built_in_facts
from bmtrain.config.sections.model import Model
from bmtrain.config.sections.optimizer import Optimizer
from bmtrain.config.sections.tracking import TrackSection
from bmtrain.config.sections.training import RegularizationSection, TrainingSection


class ExperimentConfig(Section):
    """One experiment: data, model, loss, optimizer, training, and what it must reach."""

    #: What its names are looked up in besides the built-in tables: ``bmtrain.config.schema``.
    plugins: ClassVar[Plugins] = NO_PLUGINS

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
        description="Names the run directory: letters, digits, '.', '_', '-'.",
    )
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = Field(
        default=0, description="Initial weights, splits, order and dropout follow from it."
    )
    data: DataSection = Field(description="The examples: their source, splits and scaling.")
    model: Model = Field(description="Plain layers, or a preset that stands for some.")
    loss: Loss = Field(
        description="What is minimised: the mean over examples; a name, or {name: …}."
    )
    metrics: tuple[Metric, ...] = Field(
        default=(),
        description="Reported beside the loss; what is no mean over examples of whole validation "
        "and test splits alone.",
    )
    optimizer: Optimizer = Field(
        description="How the parameters follow the gradient; a name, or {name: …}."
    )
    regularization: RegularizationSection = Field(
        default_factory=RegularizationSection, description="The L2 penalty over all kernels."
    )
    training: TrainingSection = Field(description="How long, in which batches, and on what.")
    track: TrackSection = Field(
        default_factory=TrackSection, description="Other programs that follow the run."
    )
    expect: tuple[str, ...] = Field(
        default=(), description="SPLIT.METRIC (>=|<=|>|<) NUMBER; a missed one is exit code 4."
    )

    def metric_facts(self, metric: str) -> MetricFacts:
        """What kind of figure one of its metrics is, or ``loss``, ``penalty`` or ``objective``."""
        added = self.plugins.metrics.get(metric)
        return built_in_facts(metric) if added is None else added.facts

    def more_is_better(self, metric: str) -> bool:
        """Whether it is of a metric; of all other figures less is."""
        return self.metric_facts(metric).more_is_better

    @property
    def mean_metrics(self) -> tuple[str, ...]:
        """Its metrics that are means over examples, which the steps add up."""
        return tuple(name for name in self.metrics if self.metric_facts(name).is_mean)
