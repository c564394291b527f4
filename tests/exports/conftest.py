"""Models with weights that show every mistake, as exports get them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from bmtrain.data.examples.normalization import fit_preprocessing
from bmtrain.exports.description import describe
from bmtrain.exports.exporter import Content
from bmtrain.models.architecture import plan_architecture


@dataclass(frozen=True)
class Exportable:
    """What is exported, raw inputs for it, and what Keras makes of them."""

    content: Content
    features: Any
    outputs: Any


@pytest.fixture
def exportable(runtime, experiment, dataset, random):
    """(layers, features, normalize, loss, labels) -> Exportable, with weights drawn at random."""

    def make(layers, features, normalize="none", loss="half_mean_squared_error", labels=None):
        from bmtrain.models.layers.building import build_model, named_variables
        from bmtrain.models.preprocessing import with_raw_inputs

        if labels is None:
            labels = np.zeros((len(features), layers[-1].get("units", 4)), np.float32)
        config = experiment(*layers, loss=loss if isinstance(loss, dict) else {"name": loss})
        data = dataset(features, labels)
        preprocessing = fit_preprocessing(data, normalize)
        architecture = plan_architecture(config, data.facts)
        model = build_model(architecture, seed=0)
        for name, variable in named_variables(model).items():
            values = random.normal(size=variable.shape)
            variable.assign(np.abs(values) + 0.1 if "variance" in name else values)
        scaled = (features.astype(np.float32) - preprocessing.offset) * preprocessing.scale
        content = Content(
            architecture=architecture,
            facts=data.facts,
            weights={name: v.numpy() for name, v in named_variables(model).items()},
            description=describe(config, architecture, preprocessing),
            keras_model=with_raw_inputs(preprocessing, model),
        )
        return Exportable(content, features, model(scaled, training=False).numpy())

    return make
