"""The table of layers against the model that Keras builds, and the lines against the file."""

import math
from pathlib import Path

import pytest

from bmtrain.config.load import load_config
from bmtrain.config.plugin_tables import NO_PLUGINS
from bmtrain.workflows.checking.model import model_section
from bmtrain.workflows.preparation import plan, read_data
from tests.config_plugins import plugins_of

MODELS = {
    "preset": "{type: mlp, hidden: [8, 5], dropout: 0.2, batch_normalization: true}",
    "plain": "{layers: [{type: dense, units: 7, activation: tanh, use_bias: false}, "
    "{type: layer_normalization}, {type: dense, units: 3, activation: softmax}]}",
    "reshaped": "{layers: [{type: reshape, target_shape: [2, 2]}, {type: dense, units: 6, "
    "activation: relu}, {type: flatten}, {type: batch_normalization, scale: false}, "
    "{type: dropout, rate: 0.5}, {type: dense, units: 3}, {type: activation, activation: softmax}]}",
}


def section_of(path, *overrides, plugins=NO_PLUGINS):
    loaded = load_config(path, overrides, plugins=plugins)
    prepared = plan(loaded, read_data(loaded))
    return prepared, model_section(prepared, loaded)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_shapes_and_parameters_are_those_of_kerass_own_model(runtime, project, model):
    from bmtrain.models.layers.building import build_model

    prepared, section = section_of(project / "points.yaml", f"model={model}")
    built = build_model(prepared.architecture, seed=0)
    facts = section.facts
    assert facts["parameters"] == built.count_params()
    assert facts["trainable_parameters"] == sum(
        math.prod(variable.shape) for variable in built.trainable_variables
    )
    assert [layer["parameters"] for layer in facts["layers"]] == [
        layer.count_params() for layer in built.layers
    ]
    assert [tuple(layer["output_shape"]) for layer in facts["layers"]] == [
        tuple(layer.output.shape[1:]) for layer in built.layers
    ]
    assert [row[2] for row in section.tables[0].rows] == [
        f"{layer.count_params():,}" for layer in built.layers
    ]


def test_a_format_that_cannot_hold_the_model_is_told_before_it_is_trained(project):
    model = (
        "{layers: [{type: reshape, target_shape: [2, 2]}, {type: lstm, units: 2}, "
        "{type: dense, units: 3, activation: softmax}]}"
    )
    _, section = section_of(project / "points.yaml", f"model={model}")
    told = [found.message for found in section.findings if "export" in found.message]
    why = "layer 1 (lstm) is a loop, which has no built-in operation"
    assert told == [f"no export to litert: {why}"]
    assert section.facts["not_exported"] == {"litert": why}
    _, section = section_of(project / "points.yaml")
    assert section.facts["not_exported"] == {}


def test_each_layer_has_the_line_that_it_is_written_in(tmp_path, project):
    text = (project / "points.yaml").read_text().replace("./points", f"{project}/points")
    lines = [line for line in text.splitlines() if not line.startswith("model")]
    layers = [
        "model:",
        "  layers:",
        "    - {type: dense, units: 7, activation: relu}  # first",
        "    - type: dropout  # second",
        "      rate: 0.5",
        "    - {type: dense,  # third",
        "       units: 3, activation: softmax}",
    ]
    path = tmp_path / "mine.yaml"
    path.write_text("\n".join([*lines, *layers]))
    written = path.read_text().splitlines()
    expected = [
        next(number for number, line in enumerate(written, 1) if word in line)
        for word in ("first", "second", "third")
    ]
    _, section = section_of(path)
    found = [layer["origin"] for layer in section.facts["layers"]]
    assert found == [f"{path}:{line}" for line in expected]
    _, section = section_of(path, "model.layers.1={type: dense, units: 4, activation: relu}")
    assert [layer["origin"] for layer in section.facts["layers"]][1] == "override 1"


def test_a_presets_layers_have_the_presets_line(project):
    text = (project / "points.yaml").read_text().splitlines()
    line = next(number for number, part in enumerate(text, 1) if part.startswith("model"))
    _, section = section_of(project / "points.yaml")
    assert len(section.facts["layers"]) == 5
    assert {layer["origin"] for layer in section.facts["layers"]} == {
        f"{project / 'points.yaml'}:{line}"
    }


def test_moving_statistics_are_told_apart(project):
    """Of 8 features each two; batch normalisation has four numbers for each."""
    _, section = section_of(project / "points.yaml")
    (found,) = [f.message for f in section.findings if f.level == "ok"]
    # 4·8 + 4·8 + 8·3 + 3
    assert found == "5 layers, 91 parameters, 16 of them moving statistics; 4 in, 3 out"


@pytest.mark.parametrize("path", sorted(Path("configs").rglob("*.yaml")), ids=str)
def test_the_models_of_the_configs_here_have_no_doubtful_layer(path):
    _, section = section_of(path, plugins=plugins_of(path))
    assert [f for f in section.findings if f.level != "ok"] == []
