"""The planned shapes are what Keras builds; what does not fit is refused by name and key."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bmtrain.config.sections.layers.core import DenseLayer
from bmtrain.data.examples.dataset import DataFacts
from bmtrain.errors import DataError
from bmtrain.models.architecture import plan_architecture
from bmtrain.models.doubts import architecture_warnings
from bmtrain.models.expansion import expand, num_model_outputs

SPARSE = {"name": "sparse_categorical_crossentropy"}
BINARY = {"name": "binary_crossentropy"}


def facts(input_shape, *, num_outputs=10, classes=True, dtype="float32"):
    return DataFacts(
        task="classification" if classes else "regression",
        input_shape=tuple(input_shape),
        input_dtype=dtype,
        class_names=tuple(map(str, range(num_outputs))) if classes else None,
        num_outputs=num_outputs,
        feature_names=None,
        label_name=None,
        num_train_examples=100,
        fingerprint="00" * 32,
    )


def assert_keras_builds_the_plan(architecture):
    """Names, shapes, which are trained, the count and the output, against the built model."""
    from bmtrain.models.layers.building import build_model, named_variables

    model = build_model(architecture, seed=0)
    built = {name: tuple(v.shape) for name, v in named_variables(model).items()}
    assert built == architecture.variable_shapes
    assert model.output_shape == (None, *architecture.output_shape)
    assert model.count_params() == architecture.num_parameters
    not_trained = {
        f"layers.{position}.{name}"
        for position, layer in enumerate(architecture.layers)
        for name in layer.non_trainable
    }
    trained = {id(v) for v in model.trainable_variables}
    assert not_trained == {n for n, v in named_variables(model).items() if id(v) not in trained}


def test_the_default_mlp_has_101770_parameters(runtime, experiment):
    layers = (
        {"type": "flatten"},
        {"type": "dense", "units": 128, "activation": "relu"},
        {"type": "dense", "units": 10, "activation": "softmax"},
    )
    architecture = plan_architecture(experiment(*layers, loss=SPARSE), facts((28, 28)))
    assert architecture.num_parameters == 101_770
    assert architecture.num_kernel_parameters == 784 * 128 + 128 * 10
    assert architecture.forward_flops == 2 * (784 * 128 + 128 * 10)
    assert_keras_builds_the_plan(architecture)


LAYERS = {
    "dense": {"type": "dense", "units": 3},
    "dense without bias": {"type": "dense", "units": 3, "use_bias": False},
    "activation": {"type": "activation", "activation": "relu"},
    "dropout": {"type": "dropout", "rate": 0.5},
    "batch_normalization": {"type": "batch_normalization"},
    "bare batch_normalization": {"type": "batch_normalization", "center": False, "scale": False},
    "layer_normalization": {"type": "layer_normalization"},
    "bare layer_normalization": {"type": "layer_normalization", "center": False, "scale": False},
    "flatten": {"type": "flatten"},
    "reshape": {"type": "reshape", "target_shape": [3, -1, 2]},
}


@pytest.mark.parametrize("input_shape", [(12,), (2, 6), (2, 3, 2)])
@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
def test_a_layers_shapes_are_those_that_keras_builds(runtime, experiment, layer, input_shape):
    layers = ({"type": "activation", "activation": "linear"}, layer, {"type": "flatten"})
    plan = plan_architecture(
        experiment(*layers, {"type": "dense", "units": 10}, loss=SPARSE), facts(input_shape)
    )
    assert_keras_builds_the_plan(plan)


@st.composite
def _stacks(draw):
    """Layers that can follow an input shape, and the shape."""
    shape = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    input_shape, layers = tuple(shape), []
    for kind in draw(st.lists(st.sampled_from(sorted(LAYERS)), max_size=6)):
        layer = LAYERS[kind]
        if kind == "reshape":
            target = draw(st.permutations(shape))
            layer = {"type": "reshape", "target_shape": [*target[:-1], -1]}
            shape = target
        elif kind == "flatten":
            shape = [math.prod(shape)]
        elif kind.startswith("dense"):
            shape = [*shape[:-1], 3]
        layers.append(layer)
    return input_shape, (*layers, {"type": "flatten"}, {"type": "dense", "units": 10})


@settings(max_examples=15)
@given(_stacks())
def test_any_stack_of_layers_is_built_as_planned(runtime, experiment, stack):
    input_shape, layers = stack
    plan = plan_architecture(experiment(*layers, loss=SPARSE), facts(input_shape))
    assert_keras_builds_the_plan(plan)


# --- the preset -------------------------------------------------------------------------


def expanded(experiment, model, *, loss=SPARSE, data=None):
    """The preset's layers as (type, the arguments that are not defaults)."""
    config = experiment(model={"type": "mlp", **model}, loss=loss)
    layers = expand(config, data or facts((5,), num_outputs=3))
    assert {key for _, key in layers} == {("model",)}
    return [layer.model_dump(exclude_defaults=True) for layer, _ in layers]


def test_an_mlp_is_hidden_layers_and_a_softmax_over_the_classes(experiment):
    assert expanded(experiment, {"hidden": [8, 4], "activation": "tanh"}) == [
        {"type": "dense", "units": 8, "activation": "tanh"},
        {"type": "dense", "units": 4, "activation": "tanh"},
        {"type": "dense", "units": 3, "activation": "softmax"},
    ]


def test_an_mlp_flattens_images_and_hides_nothing_if_asked_for_nothing(experiment):
    data = facts((28, 28), num_outputs=10)
    assert expanded(experiment, {"hidden": []}, data=data) == [
        {"type": "flatten"},
        {"type": "dense", "units": 10, "activation": "softmax"},
    ]


def test_an_mlp_normalises_between_a_layer_without_bias_and_its_activation(experiment):
    model = {"hidden": [8], "batch_normalization": True, "dropout": 0.5}
    assert expanded(experiment, model) == [
        {"type": "dense", "units": 8, "use_bias": False},
        {"type": "batch_normalization"},
        {"type": "activation", "activation": "relu"},
        {"type": "dropout", "rate": 0.5},
        {"type": "dense", "units": 3, "activation": "softmax"},
    ]


def expanded_cnn(experiment, model, shape):
    config = experiment(model={"type": "cnn", **model}, loss=SPARSE)
    layers = expand(config, facts(shape, num_outputs=3))
    assert {key for _, key in layers} == {("model",)}
    return [layer.model_dump(mode="json", exclude_defaults=True) for layer, _ in layers]


CONVOLUTION = {"type": "conv2d", "kernel_size": 3, "padding": "same"}


def test_a_cnn_is_convolutions_that_halve_then_dense_layers(experiment):
    model = {"filters": [4, 8], "dense": [16], "dropout": 0.5}
    assert expanded_cnn(experiment, model, (28, 20, 3)) == [
        CONVOLUTION | {"filters": 4, "activation": "relu"},
        {"type": "max_pooling2d"},
        CONVOLUTION | {"filters": 8, "activation": "relu"},
        {"type": "max_pooling2d"},
        {"type": "flatten"},
        {"type": "dropout", "rate": 0.5},
        {"type": "dense", "units": 16, "activation": "relu"},
        {"type": "dropout", "rate": 0.5},
        {"type": "dense", "units": 3, "activation": "softmax"},
    ]


def test_a_cnn_gives_a_grey_picture_its_channel_and_normalises_before_the_activation(experiment):
    model = {"filters": [4], "kernel_size": [5, 3], "batch_normalization": True}
    assert expanded_cnn(experiment, model, (28, 20)) == [
        {"type": "reshape", "target_shape": [28, 20, 1]},
        CONVOLUTION | {"filters": 4, "kernel_size": [5, 3], "use_bias": False},
        {"type": "batch_normalization"},
        {"type": "activation", "activation": "relu"},
        {"type": "max_pooling2d"},
        {"type": "flatten"},
        {"type": "dense", "units": 3, "activation": "softmax"},
    ]


@pytest.mark.parametrize("normalized", [False, True])
def test_a_cnn_is_built_as_planned(runtime, experiment, normalized):
    model = {"type": "cnn", "filters": [4, 8], "dense": [16], "batch_normalization": normalized}
    plan = plan_architecture(experiment(model=model, loss=SPARSE), facts((9, 13)))
    assert plan.layers[-3].output_shape == (2 * 3 * 8,)
    assert_keras_builds_the_plan(plan)


def test_a_cnn_of_a_table_or_of_too_small_a_picture_is_told(experiment):
    error = refusal(experiment, (), facts((7,)), model={"type": "cnn", "filters": [4]}, loss=SPARSE)
    assert "takes a picture" in error.message
    assert error.key == ("model",)
    model = {"type": "cnn", "filters": [4, 4, 4]}
    error = refusal(experiment, (), facts((7, 4)), model=model, loss=SPARSE)
    assert error.message == "layer 6 (max_pooling2d) has windows of 2 × 2, its input is 1 × 1"
    assert error.key == ("model",)
    assert "a shorter list of filters" in error.hint


@pytest.mark.parametrize(
    ("loss", "num_outputs", "classes", "units", "activation"),
    [
        (SPARSE, 3, True, 3, "softmax"),
        (SPARSE | {"from_logits": True}, 3, True, 3, "linear"),
        ({"name": "categorical_crossentropy"}, 3, True, 3, "softmax"),
        (BINARY, 2, True, 1, "sigmoid"),
        (BINARY | {"from_logits": True}, 2, True, 1, "linear"),
        ({"name": "mean_squared_error"}, 4, False, 4, "linear"),
        ({"name": "half_mean_squared_error"}, 1, False, 1, "linear"),
        ({"name": "huber"}, 3, True, 3, "linear"),
    ],
)
def test_an_mlps_output_follows_from_the_loss_and_the_data(
    experiment, loss, num_outputs, classes, units, activation
):
    data = facts((5,), num_outputs=num_outputs, classes=classes)
    config = experiment(model={"type": "mlp", "hidden": [2]}, loss=loss)
    architecture = plan_architecture(config, data)
    last = architecture.layers[-1].config
    assert isinstance(last, DenseLayer)
    assert (last.units, last.activation) == (units, activation)
    assert architecture.output_shape == (num_model_outputs(loss["name"], data),)


# --- what does not fit ------------------------------------------------------------------


def refusal(experiment, layers, data, **changes):
    with pytest.raises(DataError) as caught:
        plan_architecture(experiment(*layers, **changes), data)
    assert caught.value.exit_code == 3
    return caught.value


def test_too_few_outputs_for_the_classes_names_the_layer_and_points_at_its_units(experiment):
    layers = ({"type": "flatten"}, {"type": "dense", "units": 9})
    error = refusal(experiment, layers, facts((28, 28)), loss=SPARSE)
    assert error.message == "layer 1 (dense) gives 9 outputs, expected 10: the data has 10 classes"
    assert error.key == ("model", "layers", 1, "units")


def test_more_outputs_than_classes_fit_the_sparse_loss_alone_and_are_warned_about(experiment):
    layers = ({"type": "dense", "units": 12},)
    data = facts((4,))
    architecture = plan_architecture(experiment(*layers, loss=SPARSE), data)
    ((key, text),) = architecture_warnings(architecture, data)
    assert key == ("model", "layers", 0)
    assert "12 outputs for 10 classes" in text
    for name in ("categorical_crossentropy", "mean_squared_error"):
        error = refusal(experiment, layers, data, loss={"name": name})
        assert "gives 12 outputs, expected 10" in error.message


def test_a_binary_loss_over_more_than_two_classes_points_at_the_loss(experiment):
    error = refusal(experiment, ({"type": "dense", "units": 1},), facts((4,)), loss=BINARY)
    assert error.key == ("loss",)
    assert "the data has 10" in error.message
    assert "sparse_categorical_crossentropy" in error.hint


def test_a_regression_needs_one_output_per_target(experiment):
    data = facts((4,), num_outputs=2, classes=False)
    error = refusal(experiment, ({"type": "dense", "units": 3},), data)
    assert error.message == (
        "layer 0 (dense) gives 3 outputs, expected 2: the data has 2 targets per example"
    )


def test_an_output_that_is_no_vector_says_where_to_flatten(experiment):
    layers = ({"type": "dense", "units": 5}, {"type": "dense", "units": 10})
    error = refusal(experiment, layers, facts((28, 28)), loss=SPARSE)
    assert "layer 1 (dense) gives the shape [28, 10]" in error.message
    assert "flatten" in error.hint
    assert error.key == ("model", "layers", 1)


@pytest.mark.parametrize("target", [[5, 2], [-1, 5], [3, 3, 3], [-1, -1]])
def test_a_reshape_that_cannot_be_names_the_shape_it_gets(experiment, target):
    layers = ({"type": "reshape", "target_shape": target}, {"type": "flatten"})
    error = refusal(experiment, layers, facts((3, 4)), loss=SPARSE)
    assert error.message.startswith("layer 0 (reshape) cannot make")
    assert "[3, 4] (12 values)" in error.message
    assert error.key == ("model", "layers", 0, "target_shape")


def test_a_dense_layer_on_an_input_of_higher_rank_is_warned_about(experiment):
    layers = ({"type": "dense", "units": 5}, {"type": "flatten"}, {"type": "dense", "units": 10})
    data = facts((28, 28))
    architecture = plan_architecture(experiment(*layers, loss=SPARSE), data)
    ((key, text),) = architecture_warnings(architecture, data)
    assert key == ("model", "layers", 0)
    assert "[28, 28]" in text
    assert "last axis alone" in text


def test_a_dense_layer_of_higher_rank_multiplies_once_per_row(experiment):
    layers = ({"type": "dense", "units": 5}, {"type": "flatten"}, {"type": "dense", "units": 10})
    architecture = plan_architecture(experiment(*layers, loss=SPARSE), facts((28, 7)))
    by_hand = 2 * (28 * 7 * 5 + 28 * 5 * 10)
    assert architecture.forward_flops == by_hand
    assert np.isscalar(architecture.forward_flops)
