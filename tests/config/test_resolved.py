import json
import math
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types as at
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic.fields import FieldInfo

from bmtrain.config.load import load_config
from bmtrain.config.resolved import experiment_from_plain, plain, resolved_yaml
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.config.semantics import semantic_problems
from bmtrain.config.source_text import SourceText
from bmtrain.config.validation import validate
from bmtrain.config.yaml_reader import read_yaml
from bmtrain.errors import ConfigError


def values(annotation, metadata=()):
    """Values of an annotation of the schema, from its types and limits alone."""
    for item in metadata:
        if isinstance(item, FieldInfo):
            return values(annotation, (*item.metadata, *(m for m in metadata if m is not item)))
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        return values(inner, (*metadata, *more))
    if get_origin(annotation) is Literal:
        return st.sampled_from(get_args(annotation))
    if get_origin(annotation) in (Union, UnionType):
        return st.one_of([values(branch, metadata) for branch in get_args(annotation)])
    if get_origin(annotation) is tuple:
        least = next((m.min_length for m in metadata if isinstance(m, at.MinLen)), 0)
        most = next((m.max_length for m in metadata if isinstance(m, at.MaxLen)), least + 2)
        inner = values(get_args(annotation)[0])
        return st.lists(inner, min_size=least, max_size=min(most, least + 2)).map(tuple)
    if get_origin(annotation) is dict:
        return st.dictionaries(*(values(inner) for inner in get_args(annotation)), max_size=3)
    if hasattr(annotation, "model_fields"):
        return sections(annotation)
    return scalars(annotation, metadata)


@cache
def sections(section):
    """Of a section; put off, for a layer may hold layers."""

    def made():
        fields = {
            name: values(info.annotation, (*info.metadata, info))
            if name != "monitor"
            else st.just("train.loss")
            for name, info in section.model_fields.items()
        }
        return st.fixed_dictionaries(fields)

    return st.deferred(made)


def scalars(annotation, metadata):
    if annotation is bool:
        return st.booleans()
    if annotation is str:
        pattern = next((m.pattern for m in metadata if getattr(m, "pattern", None)), None)
        texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
        odd = st.sampled_from(["no", "1e-3", "null", "~", "'", '"', "a: b", "#", "\x00", "\u2028",
                               "\ufeff", "😀", " x ", "-", "&a", "*a", "!!int", "012", "\\", "y",
                               "\x1b", "\t\r\n\x85", "/a/b.csv"])  # fmt: skip
        return st.from_regex(pattern.replace("$", r"\Z")) if pattern else texts | odd
    if annotation is type(None):
        return st.none()
    least: Any = next((m.ge for m in metadata if isinstance(m, at.Ge)), None)
    most: Any = next((m.le for m in metadata if isinstance(m, at.Le)), None)
    if annotation is int:
        return st.integers(least, most if most is not None else 2**63)
    above: Any = next((m.gt for m in metadata if isinstance(m, at.Gt)), None)
    below: Any = next((m.lt for m in metadata if isinstance(m, at.Lt)), None)
    return st.floats(
        least if above is None else above, most if below is None else below,
        exclude_min=above is not None,
        exclude_max=below is not None, allow_nan=False, allow_infinity=False,
    )  # fmt: skip


EXPERIMENTS = values(ExperimentConfig).map(ExperimentConfig.model_validate)


@settings(max_examples=150, deadline=None)
@given(EXPERIMENTS)
def test_resolved_yaml_reads_back_as_the_same_experiment(experiment):
    text = resolved_yaml(experiment)
    root, problems = read_yaml(text, SourceText.of("config.yaml", text, Path("/")))
    assert problems == []
    assert root is not None
    assert validate(root) == experiment


@settings(max_examples=100, deadline=None)
@given(EXPERIMENTS)
def test_another_reader_reads_the_same_from_resolved_yaml(experiment):
    """PyYAML, which follows YAML 1.1."""
    assert yaml.safe_load(resolved_yaml(experiment)) == plain(experiment)


@settings(max_examples=100, deadline=None)
@given(EXPERIMENTS)
def test_plain_data_goes_through_json_and_back(experiment):
    document = json.loads(json.dumps(plain(experiment), allow_nan=False))
    assert experiment_from_plain(document) == experiment


@settings(max_examples=150, deadline=None)
@given(EXPERIMENTS)
def test_semantic_checks_judge_every_experiment_without_a_crash(experiment):
    text = resolved_yaml(experiment)
    root, _ = read_yaml(text, SourceText.of("config.yaml", text, Path("/")))
    assert root is not None
    for problem in semantic_problems(experiment, root):
        assert problem.diagnostic().line > 0


def test_loading_the_resolved_file_gives_the_same_experiment(load, tmp_path, reference):
    text = reference.replace("source: mnist", "source: ./digits")
    first = load("optimizer.epsilon=1e-7", "loss=categorical_crossentropy", text=text).experiment
    path = tmp_path / "elsewhere" / "config.yaml"
    path.parent.mkdir()
    path.write_text(resolved_yaml(first), encoding="utf-8")
    second = load_config(path).experiment
    assert second == first
    assert resolved_yaml(second) == resolved_yaml(first)


def test_every_default_is_written_out(load):
    text = resolved_yaml(load().experiment)
    assert "  beta_1: 0.9\n" in text
    assert "  epsilon: 1.0e-07\n" in text
    assert "  early_stopping: null\n" in text
    assert "- {type: dense, units: 128, activation: relu, use_bias: true, " in text
    assert 'expect: ["test.accuracy >= 0.97"]\n' in text


def test_plain_data_is_json(load):
    document = plain(load().experiment)
    assert document["model"]["layers"][0] == {"type": "flatten"}
    assert document["metrics"] == ["accuracy"]
    assert json.loads(json.dumps(document)) == document


@pytest.fixture
def document(load):
    return plain(load().experiment)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("seed", 1.5, "seed: expected an integer >= 0, got 1.5"),
        ("seed", True, "seed: expected an integer >= 0, got true"),
        ("seed", 10**400, "seed: an integer out of range (64 bits)"),
        ("seed", math.nan, "seed: expected an integer >= 0, got nan"),
        ("seed", object(), "seed: expected a text, number, list or mapping"),
        ("optimizer", "adam", "optimizer: expected a mapping with 'name'"),
        ("metrics", ["acc"], "metrics.0: expected one of accuracy"),
        ("data", {1: 2}, "data: a key must be a text"),
        ("extends", "x.yaml", "extends: unknown key"),
        ("name", "\ud800", "name: a text with half a character"),
        ("expect", ["\ud800"], "expect.0: a text with half a character"),
        ("expect", ["x"] * 200_000, "too large or nested too deeply"),
    ],
)
def test_plain_data_that_is_off_is_refused(document, key, value, words):
    with pytest.raises(ConfigError) as caught:
        experiment_from_plain({**document, key: value}, source="manifest.json")
    assert words in caught.value.message
    assert caught.value.where == "manifest.json"
    assert {d.source for d in caught.value.diagnostics} == {"manifest.json"}


def test_cyclic_plain_data_is_refused(document):
    document["model"]["layers"].append(document)
    with pytest.raises(ConfigError, match="nested too deeply"):
        experiment_from_plain(document)


def test_plain_data_that_is_no_mapping_is_refused():
    with pytest.raises(ConfigError, match="expected a mapping with 'name', 'data'"):
        experiment_from_plain([1])  # type: ignore[arg-type]
