"""The config's schema with what plugins add to it: the same sections, their choices wider."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from functools import cache
from typing import Annotated, Any, ForwardRef, Literal, TypeVar, Union, get_args

from pydantic import Field, create_model

from bmtrain.config.plugin_tables import Plugins
from bmtrain.config.sections.augmentation import Augmentation
from bmtrain.config.sections.base import Section
from bmtrain.config.sections.data import DataFormat, DataSection
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.config.sections.layers.composite import ResidualLayer
from bmtrain.config.sections.layers.union import Layer
from bmtrain.config.sections.loss import Loss
from bmtrain.config.sections.metrics import Metric
from bmtrain.config.sections.model import LayersModel, Model
from bmtrain.config.sections.training import TrainingSection

S = TypeVar("S", bound=Section)


def schema_with(plugins: Plugins) -> type[ExperimentConfig]:
    """The whole config's class; ``ExperimentConfig`` itself where there is no plugin.

    Its sections are subclasses of the built-in ones, and know ``plugins``.
    """
    return ExperimentConfig if not plugins.files else _made(plugins)


def data_section_with(plugins: Plugins) -> type[DataSection]:
    """The class of its ``data:``."""
    section = schema_with(plugins).model_fields["data"].annotation
    assert isinstance(section, type)
    assert issubclass(section, DataSection)
    return section


@cache
def _made(plugins: Plugins) -> type[ExperimentConfig]:
    layer = _layers(plugins)
    layers_model = _changed(LayersModel, layers=_tuple_of(layer))
    model = _union(Model, "type", replacing={LayersModel: layers_model})
    loss = _union(Loss, "name", [entry.section for entry in plugins.losses.values()])
    augmentation = _union(
        Augmentation, "type", [entry.section for entry in plugins.augmentations.values()]
    )
    data = _changed(DataSection, format=_one_of(DataFormat, plugins.formats))
    training = _changed(TrainingSection, augmentation=_tuple_of(augmentation))
    experiment = _changed(
        ExperimentConfig,
        data=data,
        model=model,
        loss=loss,
        metrics=_tuple_of(_metrics(plugins)),
        training=training,
    )
    experiment.plugins = data.plugins = plugins
    return experiment


def _layers(plugins: Plugins) -> Any:
    """The union of layers; a residual holds all of them, itself among them."""
    any_layer = _tuple_of(ForwardRef("Layer"))
    residual = _changed(ResidualLayer, layers=any_layer, shortcut=any_layer)
    added = [entry.section for entry in plugins.layers.values()]
    union = _union(Layer, "type", added, replacing={ResidualLayer: residual})
    residual.model_rebuild(force=True, _types_namespace={"Layer": union})
    return union


def _tuple_of(item: Any) -> Any:
    return tuple[item, ...]


def _one_of(names: Any, added: Iterable[str]) -> Any:
    return Literal[(names, *added)]


def _metrics(plugins: Plugins) -> Any:
    name, top_k = get_args(Metric)
    return _one_of(name, plugins.metrics) | top_k


def _union(
    annotated: Any,
    discriminator: str,
    added: Iterable[type[Section]] = (),
    *,
    replacing: dict[type[Section], type[Section]] | None = None,
) -> Any:
    members = get_args(get_args(annotated)[0])
    kept = [(replacing or {}).get(member, member) for member in members]
    return Annotated[Union[(*kept, *added)], Field(discriminator=discriminator)]


def _changed(section: type[S], **annotations: Any) -> type[S]:
    """A subclass of the same name in which some keys have another annotation, and all else stays."""
    fields: dict[str, Any] = {
        name: (annotation, copy.copy(section.model_fields[name]))
        for name, annotation in annotations.items()
    }
    return create_model(
        section.__name__,
        __base__=section,
        __module__=section.__module__,
        __doc__=section.__doc__,
        **fields,
    )
