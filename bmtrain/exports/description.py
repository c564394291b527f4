"""What an export says of itself, as plain JSON: inputs, preprocessing, layers, outputs, names."""

from __future__ import annotations

from typing import Any, Final, Literal

from bmtrain.config.plugin_records import plugin_records
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.data.encodings.encoding import encoding_as_json
from bmtrain.data.encodings.image_encoding import ImageEncoding
from bmtrain.data.encodings.text_encoding import TOKEN_RULES
from bmtrain.data.examples.dataset import DataFacts
from bmtrain.data.examples.preprocessing import Preprocessing
from bmtrain.models.architecture import Architecture
from bmtrain.models.decision import takes_logits
from bmtrain.models.shapes.planned import PlannedLayer
from bmtrain.version import __version__

#: What inputs and outputs are called in every format that names them.
INPUTS: Final = "inputs"
OUTPUTS: Final = "outputs"
#: The description's own name where a format has a place for it.
NAME: Final = "bmtrain"
#: Say how a model began and was trained, not what it computes.
_OF_TRAINING: Final = (
    "_initializer",
    "_regularizer",
    "_constraint",
    "momentum",
    "unit_forget_bias",
    "remat",
)
#: Of a residual layer; a layer in there is described as any other.
_PATHS: Final = ("layers", "shortcut")

Values = Literal["probabilities", "logits", "scores", "targets"]


def output_values(experiment: ExperimentConfig, preprocessing: Preprocessing) -> Values:
    """What the model's outputs are: exports leave them as they were trained."""
    if preprocessing.facts.class_names is None:
        return "targets"
    if not experiment.loss.is_crossentropy:
        return "scores"
    return "logits" if takes_logits(experiment) else "probabilities"


def _formula(facts: DataFacts) -> str:
    if facts.vocabulary_size is None:
        return "(float32(x) - offset) * scale"
    return f"{TOKEN_RULES} {facts.vocabulary_size} numbers in all."


def describe(
    experiment: ExperimentConfig, architecture: Architecture, preprocessing: Preprocessing
) -> dict[str, Any]:
    """The description; layer i's variables are the tensors ``layers.i.NAME``.

    A single output under ``binary_crossentropy`` is about the second class. ``plugins`` is there
    where a layer is of one.
    """
    facts = preprocessing.facts
    plugins = [r.document() for r in plugin_records(experiment) if "layers" in r.uses]
    return {
        "format_version": 1,
        "made_by": f"bmtrain {__version__}",
        "name": experiment.name,
        "inputs": {
            "name": INPUTS,
            "shape": list(facts.input_shape),
            "dtype": facts.input_dtype,
            "feature_names": facts.feature_names,
            "vocabulary_size": facts.vocabulary_size,
            "encoding": _of_encoding(preprocessing),
        },
        "preprocessing": {
            "formula": _formula(facts),
            "normalize": preprocessing.normalize,
            "offset": preprocessing.offset.tolist(),
            "scale": preprocessing.scale.tolist(),
        },
        "layers": [_of_layer(layer) for layer in architecture.layers],
        "outputs": {
            "name": OUTPUTS,
            "shape": list(architecture.output_shape),
            "values": output_values(experiment, preprocessing),
            "class_names": facts.class_names,
            "label_name": facts.label_name,
        },
        "data_fingerprint": facts.fingerprint,
        **({"plugins": plugins} if plugins else {}),
    }


def _of_layer(layer: PlannedLayer) -> dict[str, Any]:
    document = _computed(layer.config.model_dump(mode="json", exclude=set(_PATHS))) | {
        "output_shape": list(layer.output_shape),
        "hands_mask_on": layer.hands_mask_on,
    }
    if layer.inner:
        document |= {path: [] for path in _PATHS}
    for name, inner in layer.inner.items():
        document[name.partition(".")[0]].append(_of_layer(inner))
    return document


def _computed(settings: dict[str, Any]) -> dict[str, Any]:
    """Those that say what is computed; a bidirectional layer's other one has its own."""
    return {
        key: _computed(value) if isinstance(value, dict) else value
        for key, value in settings.items()
        if not key.endswith(_OF_TRAINING)
    }


def _of_encoding(preprocessing: Preprocessing) -> dict[str, Any] | None:
    """What made the inputs of a table's cells or of pictures; null: they are inputs as they are."""
    encoding = preprocessing.facts.encoding
    document = encoding_as_json(encoding)
    if document is not None and isinstance(encoding, ImageEncoding):
        document["in_words"] = encoding.in_words
    return document
