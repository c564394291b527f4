"""Checkpoints to damage, sealed again so that the damage gets past the sums."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from bmtrain import tensor_files
from bmtrain.checkpoint.content import Checkpoint
from bmtrain.checkpoint.manifest import FILES, MANIFEST, PREPROCESSING, TENSOR_FILES
from bmtrain.checkpoint.write import write_checkpoint
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.data.examples.dataset import DataFacts
from bmtrain.data.examples.preprocessing import Preprocessing
from bmtrain.training_state import TrainingState
from fuzzing.files import Files, fitted, read_files
from fuzzing.mutations import Draw, altered, as_json, damaged, damaged_files, odd_values
from fuzzing.words import CHECKPOINT_WORDS

_LENGTH_BYTES = 8


def _experiment() -> ExperimentConfig:
    return ExperimentConfig.model_validate(
        {
            "name": "small",
            "seed": 3,
            "data": {"source": "/data/small.csv", "label": "kind"},
            "model": {"type": "mlp", "hidden": (2,)},
            "loss": {"name": "sparse_categorical_crossentropy"},
            "metrics": ("accuracy",),
            "optimizer": {"name": "adam", "learning_rate": 0.1},
            "training": {"epochs": 2, "early_stopping": {}},
        }
    )


def _checkpoint() -> Checkpoint:
    facts = DataFacts(
        task="classification",
        input_shape=(3,),
        input_dtype="float32",
        class_names=("grün", "red"),
        num_outputs=2,
        feature_names=("a", "b", "c"),
        label_name="kind",
        num_train_examples=7,
        fingerprint="ab" * 32,
    )
    ones = np.ones(3, np.float32)
    shapes = {
        "layers.0.kernel": (3, 2),
        "layers.0.bias": (2,),
        "layers.1.kernel": (2, 2),
        "layers.1.bias": (2,),
    }
    return Checkpoint(
        experiment=_experiment(),
        preprocessing=Preprocessing(facts, "standardize", ones, ones),
        engine={"mode": "xla", "threads": 2},
        state=TrainingState(epoch=1, step=10, accumulators={"loss": 0.5}, best_value=0.7),
        log_bytes=123,
        model={name: np.ones(shape, np.float32) for name, shape in shapes.items()},
        optimizer={
            "0.iterations": np.array(3, np.int64),
            "1.momentum": np.ones((3, 2), np.float32),
        },
    )


@cache
def seeds() -> Sequence[Files]:
    """One small checkpoint."""
    with tempfile.TemporaryDirectory(prefix="bmtrain-fuzz-") as scratch:
        write_checkpoint(Path(scratch) / "c", _checkpoint())
        return (read_files(Path(scratch) / "c", MANIFEST),)


def inputs(found: Sequence[Files]) -> st.SearchStrategy[Files]:
    """Damage, damage under a new seal, and other values under a new seal."""
    return st.one_of(
        damaged_files(found, CHECKPOINT_WORDS),
        damaged_files(found, CHECKPOINT_WORDS).map(resealed),
        _other_documents().map(resealed),
        _other_headers().map(resealed),
        _other_manifests(),
    ).map(fitted)


@st.composite
def _other_documents(draw: Draw) -> Files:
    """Other facts of the data."""
    files = dict(seeds()[0])
    document = json.loads(files[PREPROCESSING])
    for _ in range(draw(st.integers(1, 3))):
        document = draw(altered(document, odd_values()))
    return files | {PREPROCESSING: as_json(document)}


@st.composite
def _other_headers(draw: Draw) -> Files:
    """Other headers before the same tensors, or before others."""
    files = dict(seeds()[0])
    name = draw(st.sampled_from(TENSOR_FILES))
    content = files[name]
    length = int.from_bytes(content[:_LENGTH_BYTES], "little")
    header, data = (
        content[_LENGTH_BYTES : _LENGTH_BYTES + length],
        content[_LENGTH_BYTES + length :],
    )
    document = json.loads(header)
    for _ in range(draw(st.integers(1, 3))):
        document = draw(altered(document, odd_values()))
    header = draw(damaged(as_json(document, None), CHECKPOINT_WORDS, most=1))
    data = draw(damaged(data, most=1))
    return files | {name: len(header).to_bytes(_LENGTH_BYTES, "little") + header + data}


@st.composite
def _other_manifests(draw: Draw) -> Files:
    """Another manifest, validly sealed: other values, or other bytes."""
    files = dict(seeds()[0])
    document = _manifest(files)
    for _ in range(draw(st.integers(1, 3))):
        document = draw(altered(document, odd_values()))
    body = as_json(document).removesuffix(b"\n}")
    if draw(st.booleans()):
        body = draw(damaged(body, CHECKPOINT_WORDS, most=2))
    return files | {MANIFEST: sealed(body)}


def _manifest(files: Files) -> Any:
    document = json.loads(files[MANIFEST])
    del document["sha256"]
    return document


def sealed(body: bytes) -> bytes:
    """A manifest's bytes with the seal that belongs to them."""
    return body + f',\n "sha256": "{hashlib.sha256(body).hexdigest()}"\n}}\n'.encode()


def resealed(files: Files) -> Files:
    """The files, with a manifest that agrees with them as far as they can be understood."""
    try:
        document = _manifest(files)
        entries = {name: document["files"][name] for name in FILES}
        for name, entry in entries.items():
            _agree(entry, name, files.get(name, b""))
    except (ValueError, LookupError, TypeError, RecursionError):
        return files  # the manifest itself is what was damaged
    return {**files, MANIFEST: sealed(as_json(document).removesuffix(b"\n}"))}


def _agree(entry: dict[str, Any], name: str, content: bytes) -> None:
    entry |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    if name not in TENSOR_FILES:
        return
    try:
        places = tensor_files.places_in(content)
    except ValueError:
        return
    entry["tensors"] = {
        tensor: {
            "dtype": place.dtype,
            "shape": list(place.shape),
            "sha256": hashlib.sha256(content[place.begin : place.end]).hexdigest(),
        }
        for tensor, place in places.items()
    }
