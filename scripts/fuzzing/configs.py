"""Configs and arguments to damage: the schema's own words in all the wrong places."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from bmtrain.config.json_schema import json_schema
from bmtrain.config.load import load_config
from bmtrain.config.resolved import plain
from fuzzing.files import Files, fitted
from fuzzing.mutations import Draw, altered, damaged, damaged_files, odd_values, times
from fuzzing.words import YAML_AFTER, YAML_BEFORE, YAML_BYTES, YAML_TEXTS, YAML_UNITS

ROOT = Path(__file__).resolve().parents[2]

#: Every section once.
WHOLE: dict[str, Any] = {
    "name": "whole",
    "seed": 1,
    "data": {
        "source": "./flowers.csv",
        "label": "kind",
        "features": ["a", "b"],
        "normalize": "standardize",
        "splits": {"validation": 0.1, "test": {"fraction": 0.2, "replace": True}},
        "train_examples": 100,
    },
    "model": {
        "layers": [
            {"type": "flatten"},
            {"type": "dense", "units": 8, "activation": "relu"},
            {"type": "batch_normalization"},
            {"type": "dropout", "rate": 0.5},
            {"type": "dense", "units": 3},
        ]
    },
    "loss": {"name": "sparse_categorical_crossentropy", "from_logits": True},
    "metrics": ["accuracy"],
    "optimizer": {"name": "sgd", "learning_rate": 0.1, "momentum": 0.9},
    "regularization": {"l2_lambda": 1.0, "l2_convention": "mean"},
    "training": {
        "epochs": 3,
        "batch_size": 32,
        "early_stopping": {"monitor": "validation.loss", "patience": 2},
    },
    "expect": ["test.accuracy >= 0.5"],
}


@cache
def words() -> tuple[bytes, ...]:
    """YAML's own, and every name in the schema."""
    texts = dict.fromkeys((*YAML_TEXTS, *_names_in(json_schema())))
    return (*(text.encode() for text in texts), *YAML_BYTES)


def _names_in(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        yield from (name for name in schema.get("enum", ()) if isinstance(name, str))
        for value in schema.values():
            yield from _names_in(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _names_in(value)


@cache
def yaml_seeds() -> Sequence[Files]:
    """The configs of this project, one with every section, and one that extends another."""
    files: list[Files] = [{"config.yaml": yaml.safe_dump(WHOLE).encode()}]
    files += [{"config.yaml": path.read_bytes()} for path in sorted(ROOT.glob("configs/*.yaml"))]
    over = b"extends: base.yaml\noptimizer: {name: adam}\nmodel: {type: mlp, hidden: [4]}\n"
    return (*files, {"config.yaml": over, "base.yaml": yaml.safe_dump(WHOLE).encode()})


def yaml_inputs(seeds: Sequence[Files]) -> st.SearchStrategy[Files]:
    """Damaged configs, odd trees, and long repetitions."""
    return st.one_of(
        damaged_files(seeds, words()),
        _trees().map(lambda content: {"config.yaml": content}),
        _repetitions().map(lambda content: {"config.yaml": content}),
        _extending(),
    ).map(fitted)


@cache
def _written_out() -> dict[str, Any]:
    """The whole config with every default: no key of the schema's sections is missing."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "whole.yaml"
        path.write_text(yaml.safe_dump(WHOLE))
        return plain(load_config(path).experiment)


@st.composite
def _trees(draw: Draw) -> bytes:
    """The whole config with other values in some places, as JSON or in block style."""
    names = [word.decode(errors="ignore") for word in words()]
    values = (
        odd_values()
        | st.sampled_from(names)
        | st.dictionaries(st.sampled_from(names), odd_values())
    )
    document: Any = _written_out()
    # One change mostly: a second one is often told instead of it.
    for _ in range(draw(st.sampled_from((1, 1, 1, 2, 4)))):
        document = draw(altered(document, values))
    if draw(st.booleans()):
        return json.dumps(document, ensure_ascii=draw(st.booleans())).encode(errors="replace")
    # allow_unicode: characters beyond ASCII as they are.
    text = yaml.safe_dump(document, allow_unicode=draw(st.booleans()), sort_keys=False)
    return text.encode(errors="replace")


@st.composite
def _repetitions(draw: Draw) -> bytes:
    """A unit of text from once to as often as fits, between two others."""
    unit = draw(st.sampled_from(YAML_UNITS))
    repeated = range(draw(times(unit)))
    middle = "".join(unit.replace("{n}", str(number)) for number in repeated)
    before, after = draw(st.sampled_from(YAML_BEFORE)), draw(st.sampled_from(YAML_AFTER))
    return str(before + middle + after).encode()


@st.composite
def _extending(draw: Draw) -> Files:
    """Files that extend each other, and themselves."""
    names = ("config.yaml", "base.yaml", "a.yaml", "b.yaml")
    places = (*names, "./base.yaml", "../x.yaml", "/dev/null", "/", "~", "~x/y", "", "nul\\0", "é")
    files = {}
    for name in names[: draw(st.integers(1, 4))]:
        base = draw(st.sampled_from(places))
        rest = draw(damaged(yaml.safe_dump(WHOLE).encode(), words(), most=2))
        files[name] = f"extends: {json.dumps(base)}\n".encode() + rest
    return files


@cache
def override_seeds() -> Sequence[Files]:
    """Arguments as people type them."""
    texts = (
        (b"training.epochs=5", b"optimizer.learning_rate=3e-4", b"name=other"),
        (b"model={type: mlp, hidden: [3, 4]}", b"model.hidden.1=64", b"--expect=test.loss < 1"),
        (b"data.source=./x.csv", b"data.label=kind", b"data.splits.test=0.1", b"loss=mse"),
        (b"optimizer={name: sgd, momentum: 0.5}", b"metrics=[]", b"expect=null"),
    )
    return tuple({"arguments": b"\0".join(arguments)} for arguments in texts)


def override_inputs(seeds: Sequence[Files]) -> st.SearchStrategy[Files]:
    """Damaged arguments, and keys of all kinds with values of all kinds."""
    arguments = st.lists(_argument(), max_size=6).map(b"\0".join)
    return st.one_of(
        damaged_files(seeds, words()),
        arguments.map(lambda content: {"arguments": content}),
    ).map(fitted)


@st.composite
def _argument(draw: Draw) -> bytes:
    parts = st.sampled_from(words()) | st.sampled_from(
        (b"0", b"-1", b"9" * 30, b"", b"\xff", b"\xd9\xa1")
    )
    key = b".".join(draw(st.lists(parts, min_size=1, max_size=4)))
    separator = draw(st.sampled_from((b"=", b"=", b"=", b"", b"==", b" = ", b".=")))
    repeated = draw(st.sampled_from((1, 1, 1, 99, 120)))
    value = draw(
        st.one_of(
            odd_values().map(lambda value: json.dumps(value).encode()),
            st.lists(st.sampled_from(words()), max_size=5).map(b" ".join),
            _repetitions(),
        )
    )
    start = draw(st.sampled_from((b"", b"", b"--expect=", b"--expect=test.")))
    return bytes(start + b".".join([key] * repeated) + separator + value).replace(b"\0", b"")
