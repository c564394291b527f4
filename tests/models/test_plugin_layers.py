"""A plugin's layers, losses and metrics are what their planner and their documentation say."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from bmtrain.config.plugin_tables import LossEntry, MetricEntry, PluginFile, Plugins
from bmtrain.config.resolved import experiment_from_plain
from bmtrain.config.sections.base import Section
from bmtrain.config.sections.metrics import built_in_facts
from bmtrain.errors import DataError, PluginError

HEAD = """\
from typing import Literal
from bmtrain import plugins

class Odd(plugins.Section):
    type: Literal["odd"]

def plan(config, given):
    return {plan}

def build(config, seed, place):
    import keras
    {build}

plugins.register_layer(Odd, planner=plan, builder=build)
"""
KERNEL = "plugins.planned(config, given, (2,), {'kernel': (3, 2)})"
DENSE = "return keras.layers.Dense(2, use_bias=False, kernel_initializer={})"
SEEDED = DENSE.format("plugins.initializer('he_normal', seed, 'kernel', place)")
OF_MODEL = "return keras.Sequential([keras.layers.Dense(2)])"
RANDOM = "return keras.layers.GaussianNoise(1.0)"
WITH_LOSS = (
    "return keras.layers.ActivityRegularization(l2=1.0)",
    "plugins.planned(config, given)",
)
STATISTICS = "return keras.layers.BatchNormalization()"
FOUR = "{name: given.shape for name in ('gamma', 'beta', 'moving_mean', 'moving_variance')}"


@pytest.fixture
def built(tmp_path, runtime, dataset):
    """(plan, build) -> the architecture and the Keras model of one such layer, of (5, 3) inputs."""
    from bmtrain.models.architecture import plan_architecture
    from bmtrain.models.layers.building import build_model
    from bmtrain.plugins.loading import load_plugins

    facts = dataset(np.zeros((5, 3), np.float32), np.zeros((5, 2), np.float32)).facts

    def make(plan="", build="", *after, text=None, layer=None):
        path = tmp_path / "odd.py"
        path.write_text(text or HEAD.format(plan=plan, build=build))
        mapping = {
            "name": "odd",
            "data": {"source": "/data/small.npz"},
            "model": {"type": "layers", "layers": [layer or {"type": "odd"}, *after]},
            "loss": {"name": "mean_squared_error"},
            "optimizer": {"name": "adam"},
            "training": {"epochs": 1},
        }
        experiment = experiment_from_plain(mapping, plugins=load_plugins([path]))
        architecture = plan_architecture(experiment, facts)
        return architecture, build_model(architecture, seed=3)

    return make


def test_planned_and_built_agree_and_begin_as_the_built_in_layer(built, experiment):
    from bmtrain.models.architecture import plan_architecture
    from bmtrain.models.layers.building import build_model, named_variables

    architecture, model = built(KERNEL, SEEDED)
    layer = {"type": "dense", "units": 2, "use_bias": False, "kernel_initializer": "he_normal"}
    twin = build_model(plan_architecture(experiment(layer), architecture_facts()), seed=3)
    ours, theirs = named_variables(model), named_variables(twin)
    assert list(ours) == list(architecture.variable_shapes) == ["layers.0.kernel"]
    np.testing.assert_array_equal(
        ours["layers.0.kernel"].numpy(), theirs["layers.0.kernel"].numpy()
    )
    assert architecture.num_kernel_parameters == 6


def architecture_facts():
    from bmtrain.data.examples.dataset import DataFacts

    return DataFacts("regression", (3,), "float32", None, 2, None, None, 5, "00" * 32)


def test_a_layer_inside_of_a_residual_is_saved_under_its_planned_names(tmp_path, built):
    from bmtrain.models.layers.building import named_variables

    plan = "plugins.planned(config, given, variables={'inside.kernel': (3, 3)})"
    build = SEEDED.replace("Dense(2", "Dense(3")
    inside = {"type": "residual", "layers": [{"type": "odd"}]}
    architecture, model = built(plan, build, inside, {"type": "dense", "units": 2})
    assert list(named_variables(model)) == list(architecture.variable_shapes)
    assert "layers.1.layers.0.inside.kernel" in architecture.variable_shapes


@pytest.mark.parametrize(
    ("plan", "build", "message"),
    [
        ("(2,)", SEEDED, r"planner gives \(2,\), expected what plugins.planned returns"),
        ("plugins.planned(config, given, (0,))", SEEDED, r"the output shape \(0,\), expected who"),
        ("plugins.planned(config, given, (2,), {'a b': (1,)})", SEEDED, "a variable 'a b'"),
        ("plugins.planned(config, given, (3,))", SEEDED, r"gives \[2\] .*planner says \[3\]"),
        (
            "plugins.planned(config, given, (2,))",
            SEEDED,
            r"variables kernel \[3, 2\], .* says none",
        ),
        (KERNEL.replace("kernel", "weight"), SEEDED, r"kernel \[3, 2\], .* says weight \[3, 2\]"),
        (KERNEL, DENSE.format("'he_normal'"), "gives kernel other initial values each time"),
        (KERNEL, OF_MODEL, "gives Sequential, expected a keras.layers.Layer that is no model"),
        (KERNEL, "return 3", "gives int, expected a keras.layers.Layer"),
        ("plugins.planned(config, given)", RANDOM, "with a random generator of its own"),
        (WITH_LOSS[1], WITH_LOSS[0], "with add_loss, which no training here looks at"),
        (
            "plugins.planned(config, given)",
            "return type('Odd', (keras.layers.Layer,), {'call': lambda self: 1})()",
            "a layer that cannot be called: TypeError",
        ),
        (f"plugins.planned(config, given, None, {FOUR})", STATISTICS, "non-trainable variables ar"),
    ],
)
def test_what_is_other_than_planned_is_told_before_training(built, plan, build, message):
    with pytest.raises(PluginError, match=message):
        built(plan, build, {"type": "dense", "units": 2})


def test_what_a_planner_says_of_its_input_is_told_with_the_layer_and_its_key(built):
    with pytest.raises(DataError, match=r"layer 0 \(odd\): pictures only") as caught:
        built("(_ for _ in ()).throw(plugins.DataError('pictures only'))", SEEDED)
    assert caught.value.key == ("model", "layers", 0)


def test_a_loss_that_is_no_value_per_example_is_told(runtime):
    import tensorflow as tf

    from bmtrain.models.plugin_values import plugin_loss

    entry = LossEntry(name="mine", section=Section, builder=lambda _: lambda t, o: (o - t) ** 2)
    loss = plugin_loss(entry, None)
    with pytest.raises(PluginError, match=r"a value for each example, shape \[4\], got \[4, 2\]"):
        loss(tf.zeros((4, 2)), tf.zeros((4, 2)))


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda targets: targets, r"takes \(targets, outputs\), got \(targets\)"),
        (lambda targets, outputs: None, "expected a tensor, got None"),
        (3, r"expected a function of \(targets, outputs\), got 3"),
    ],
)
def test_a_loss_that_no_training_can_call_is_told_with_its_line(runtime, loss, message):
    import tensorflow as tf

    from bmtrain.models.plugin_values import plugin_loss

    entry = LossEntry(name="mine", section=Section, builder=lambda _: loss)
    with pytest.raises(PluginError, match=message) as caught:
        plugin_loss(entry, None)(tf.zeros((4, 2)), tf.zeros((4, 2)))
    assert caught.value.diagnostics[0].source == __file__


def test_the_layer_that_the_readme_shows_computes_and_is_exported(tmp_path, runtime, built):
    import keras

    from bmtrain.exports.keras_file import EXPORTER
    from bmtrain.models.layers.building import named_variables

    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (text,) = re.findall(
        r"```python\n(from functools [^`]*`check`[^`]*register_layer[^`]*)```", readme
    )
    layer = {"type": "low_rank", "units": 2, "rank": 2}
    _, model = built(text=text, layer=layer)
    assert EXPORTER.require_model is not None
    EXPORTER.require_model(model)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    inputs = np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3)
    u, v = (variable.numpy() for variable in named_variables(model).values())
    np.testing.assert_allclose(again(inputs), inputs @ u @ v, rtol=1e-5, atol=1e-6)


def test_a_figure_of_a_split_gets_probabilities_also_where_the_model_gives_logits(experiment):
    from bmtrain.models.split_figures import split_figures

    seen = []

    def figure(labels, outputs):
        seen.append((labels, outputs))
        return 0.25

    entry = MetricEntry(
        name="mine",
        facts=built_in_facts("expected_calibration_error"),
        of_split=figure,
    )
    given = experiment(
        {"type": "dense", "units": 2},
        loss={"name": "categorical_crossentropy", "from_logits": True},
    )
    known = Plugins((PluginFile("x.py", None, "0" * 64, (entry,)),))
    plain = given.model_dump(mode="json") | {"metrics": ["mine"]}
    experiment = experiment_from_plain(plain, plugins=known)
    logits = np.log(np.array([[0.25, 0.75]], np.float32)) + 3
    assert split_figures(experiment)["mine"](logits, np.array([1])) == 0.25
    np.testing.assert_allclose(seen[0][1], [[0.25, 0.75]], rtol=1e-6)
    assert seen[0][1].dtype == np.float64


def test_what_a_layers_call_raises_is_told_as_the_plugin_said_it(built, tmp_path):
    from bmtrain.config.plugin_faults import plugin_fault

    build = (
        "class Bad(keras.layers.Layer):\n        def call(self, x):\n            return input[x]\n"
        "    return Bad()"
    )
    with pytest.raises(TypeError) as caught:
        built(KERNEL, build)
    fault = plugin_fault(caught.value)
    assert fault is not None
    (found,) = fault.diagnostics
    assert found.message.startswith("TypeError: 'builtin_function_or_method' object is not subsc")
    assert (found.source, found.line) == (str(tmp_path / "odd.py"), 14)
    assert found.source_line.strip() == "return input[x]"
