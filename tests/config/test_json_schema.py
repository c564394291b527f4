import jsonschema
import pytest

from bmtrain.config.json_schema import json_schema
from bmtrain.config.nodes import to_plain
from bmtrain.config.resolved import plain
from bmtrain.config.source_text import SourceText
from bmtrain.config.yaml_reader import read_yaml


@pytest.fixture(scope="module")
def validator():
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def parsed(text, tmp_path):
    """As an editor sees it: lists are arrays, nulls are kept."""
    root, problems = read_yaml(text, SourceText.of("x", text, tmp_path))
    assert root is not None
    assert problems == []

    def listed(value):
        if isinstance(value, dict):
            return {key: listed(item) for key, item in value.items()}
        return [listed(item) for item in value] if isinstance(value, tuple) else value

    return listed(to_plain(root))


CHANGES = [
    ("seed: 0", "seed: 1"),
    ("{name: adam, learning_rate: 0.001}", "adam"),
    ("{name: adam, learning_rate: 0.001}", "{name: gradient_descent, learning_rate: 1}"),
    ("loss: sparse_categorical_crossentropy", "loss: {name: mse}"),
    ("[accuracy]", "[acc, top_5_accuracy, f1_macro, auc]"),
    ("[accuracy]", "[acc, {name: top_k_categorical_accuracy, k: 7}, top_12_accuracy]"),
    ("batch_size: 32", "batch_size: full, early_stopping: {monitor: train.acc}"),
    ("{source: mnist}", "{source: mnist, splits: {test: {fraction: 0.1, replace: true}}}"),
    ("{source: mnist}", "{source: ./x.csv, label: y, splits: {test: 0.1, validation: 0.1}}"),
    ("{source: mnist}", "{source: ./x.csv, label: y, splits: {test: ./t.csv, validation: v.csv}}"),
]


@pytest.mark.parametrize(("old", "new"), CHANGES)
def test_the_schema_takes_what_loads(validator, load, reference, tmp_path, old, new):
    text = reference.replace(old, new).replace("activation: softmax", "activation: softmax")
    if "mse" in new:
        text = text.replace("softmax", "linear").replace("[accuracy]", "[mse, mae, rmse]")
        text = text.replace("accuracy >= 0.97", "mse < 1")
    load(text=text)
    validator.validate(parsed(text, tmp_path))


def test_the_schema_takes_resolved_configs(validator, load):
    validator.validate(plain(load().experiment))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("seed: 0", "seed: -1"),
        ("seed: 0", "seed: five"),
        ("seed: 0", "sede: 0"),
        ("name: mnist\n", ""),
        ("epochs: 5, ", ""),
        ("units: 128, ", ""),
        ("type: flatten", "type: flaten"),
        ("{name: adam, learning_rate: 0.001}", "adm"),
        ("{name: adam, learning_rate: 0.001}", "gradient_descent"),
        ("name: adam", "name: sgd, beta_1: 0.9"),
        ("[accuracy]", "[precison]"),
        ("[accuracy]", "[top_0_accuracy]"),
        ("[accuracy]", "[{name: top_k_categorical_accuracy, k: 1}]"),
        ("[accuracy]", "[{name: top_k_categorical_accuracy, k: 3, of: 4}]"),
        ("0.001", "0"),
    ],
)
def test_the_schema_refuses_what_does_not_load(validator, errors, reference, tmp_path, old, new):
    text = reference.replace(old, new)
    assert errors(text=text)
    assert not validator.is_valid(parsed(text, tmp_path))


@pytest.mark.parametrize(
    "config",
    [
        {"extends": "base.yaml"},
        {"extends": "base.yaml", "optimizer": {"learning_rate": 0.1}},
        {"extends": "base.yaml", "training": {"batch_size": 8}, "seed": None},
        {"extends": "base.yaml", "training": {"early_stopping": None}},
    ],
)
def test_a_file_that_extends_another_need_not_be_whole(validator, config):
    validator.validate(config)


@pytest.mark.parametrize(
    "config",
    [
        {"extends": 3},
        {"extends": "base.yaml", "sede": 1},
        {"extends": "base.yaml", "training": {"epochs": "five"}},
        {"extends": "base.yaml", "optimizer": {"learning_rte": 0.1}},
    ],
)
def test_a_file_that_extends_another_is_still_checked(validator, config):
    assert not validator.is_valid(config)


def test_null_restores_a_default_and_nothing_else(validator, load):
    whole = plain(load().experiment)
    validator.validate({**whole, "seed": None, "metrics": None, "extends": None})
    assert not validator.is_valid({**whole, "training": None})


def test_what_a_setting_means_is_in_the_schema():
    definitions = json_schema()["$defs"]
    assert definitions["Sgd"]["description"].startswith("Stochastic gradient descent")
    assert "drawn after the splits" in str(definitions["DataSection"])
    assert all("description" in section for section in definitions.values())


def test_every_argument_is_documented_and_what_selects_a_section_by_what_it_is():
    schema = json_schema()
    sections = {"the config": schema["else"], "a part of it": schema["then"], **schema["$defs"]}
    short = {
        f"{name}.{key}": about.get("description", "")
        for name, section in sections.items()
        for key, about in section.get("properties", {}).items()
        if len(about.get("description", "")) < 10
    }
    assert short == {}
    dense = schema["$defs"]["DenseLayer"]
    assert dense["properties"]["type"]["description"].startswith("activation(x · kernel + bias)")
