"""``preprocessing.json``: the facts of the data, and back with every value checked."""

from __future__ import annotations

import dataclasses
from typing import Any, get_args

import numpy as np

from bmtrain import strict_json
from bmtrain.checkpoint.content import Array
from bmtrain.data.encodings.encoding import Encoding, encoding_as_json, encoding_from_json
from bmtrain.data.examples.dataset import DataFacts, Task
from bmtrain.data.examples.preprocessing import Preprocessing

_INPUT_DTYPES = frozenset(
    {"bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"}
    | {"float16", "float32", "float64"}
)
_NORMALIZE = ("unit", "standardize", "none")
_MAX_RANK = 16
_LARGEST = 2**40
_MAX_FLOAT32 = float(np.finfo(np.float32).max)
_STATISTICS = {"offset", "scale"}


def encode_facts(preprocessing: Preprocessing) -> bytes:
    """The content of preprocessing.json. Raises ``ValueError`` beyond JSON's bounds."""
    facts = preprocessing.facts
    names = [field.name for field in dataclasses.fields(facts)]
    document = {"normalize": preprocessing.normalize} | {
        name: getattr(facts, name) for name in names
    }
    document["encoding"] = encoding_as_json(facts.encoding)
    return strict_json.encode(document) + b"\n"


def statistics(preprocessing: Preprocessing) -> dict[str, Array]:
    """The content of preprocessing.safetensors."""
    return {"offset": preprocessing.offset, "scale": preprocessing.scale}


def parse_facts(content: bytes) -> tuple[DataFacts, str]:
    """The facts, and the kind of normalisation.

    Raises:
        ValueError: naming the entry that is missing, unknown or out of range.
    """
    document = strict_json.decode(content)
    names = {field.name for field in dataclasses.fields(DataFacts)} | {"normalize"}
    if not isinstance(document, dict) or document.keys() != names:
        raise ValueError(f"expected the keys {', '.join(sorted(names))}")
    normalize = _one_of(document.pop("normalize"), _NORMALIZE, "normalize")
    shape = document["input_shape"]
    if not isinstance(shape, list) or not 1 <= len(shape) <= _MAX_RANK:
        raise ValueError("input_shape: expected a list of sizes, at least one")
    facts = DataFacts(
        task=_one_of(document["task"], get_args(Task), "task"),
        input_shape=tuple(_count(size, "input_shape") for size in shape),
        input_dtype=_one_of(document["input_dtype"], _INPUT_DTYPES, "input_dtype"),
        class_names=_names(document["class_names"], "class_names"),
        num_outputs=_count(document["num_outputs"], "num_outputs"),
        feature_names=_names(document["feature_names"], "feature_names"),
        label_name=_optional_text(document["label_name"], "label_name"),
        num_train_examples=_count(document["num_train_examples"], "num_train_examples"),
        fingerprint=_text(document["fingerprint"], "fingerprint"),
        encoding=encoding_from_json(document["encoding"]),
        weight_name=_optional_text(document["weight_name"], "weight_name"),
        class_weights=_weights(document["class_weights"]),
    )
    _check_together(facts)
    return facts, normalize


def _check_together(facts: DataFacts) -> None:
    if (facts.class_names is not None) != (facts.task == "classification"):
        raise ValueError("class_names: expected names for classification, null for regression")
    if facts.class_names is not None and len(facts.class_names) != facts.num_outputs:
        raise ValueError(f"class_names: expected num_outputs = {facts.num_outputs} names")
    if facts.class_weights is not None and len(facts.class_weights) != len(facts.class_names or ()):
        raise ValueError("class_weights: expected one per class")
    if facts.encoding is not None:
        _require_encoded(facts, facts.encoding)
    if facts.feature_names is not None and facts.input_shape != (len(facts.feature_names),):
        raise ValueError(f"feature_names: expected one per input, {facts.input_shape}")


def _require_encoded(facts: DataFacts, encoding: Encoding) -> None:
    for name in ("feature_names", "input_shape", "input_dtype"):
        if getattr(facts, name) != getattr(encoding, name):
            raise ValueError(f"encoding: it gives another {name} than the one that is recorded")


def join(facts: DataFacts, normalize: str, tensors: dict[str, Array]) -> Preprocessing:
    """Facts and statistics together. Raises ``ValueError`` where they do not fit."""
    if tensors.keys() != _STATISTICS:
        raise ValueError("expected the tensors offset and scale")
    for name, tensor in tensors.items():
        if tensor.dtype != np.float32 or tensor.shape not in ((), facts.input_shape):
            raise ValueError(f"tensor {name}: expected float32 of shape () or {facts.input_shape}")
        if not np.isfinite(tensor).all():
            raise ValueError(f"tensor {name}: a value is not finite")
    return Preprocessing(facts, normalize, tensors["offset"], tensors["scale"])


def _one_of(value: Any, choices: Any, what: str) -> Any:
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{what}: expected one of {', '.join(sorted(choices))}")
    return value


def _count(value: Any, what: str) -> int:
    if type(value) is not int or not 1 <= value <= _LARGEST:
        raise ValueError(f"{what}: expected a whole number >= 1")
    return value


def _text(value: Any, what: str) -> str:
    if type(value) is not str:
        raise ValueError(f"{what}: expected a text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{what}: half a surrogate pair is not a text") from None
    return value


def _optional_text(value: Any, what: str) -> str | None:
    return None if value is None else _text(value, what)


def _weights(value: Any) -> tuple[float, ...] | None:
    if value is None:
        return None
    is_sound = isinstance(value, list) and all(
        isinstance(weight, float) and 0 <= weight <= _MAX_FLOAT32 for weight in value
    )
    strict_json.require(is_sound, "class_weights: expected numbers >= 0")
    return tuple(value)


def _names(value: Any, what: str) -> tuple[str, ...] | None:
    if value is None:
        return None
    strict_json.require(isinstance(value, list), f"{what}: expected a list of names")
    return tuple(_text(name, what) for name in value)
