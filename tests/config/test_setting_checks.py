"""Settings that are legal one by one and pointless or impossible together."""

import pytest

from bmtrain.config.setting_checks import setting_findings


def only_warning(loaded):
    (warning,) = loaded.warnings
    assert warning.severity == "warning"
    return warning


def test_a_penalty_without_kernels_is_doubtful(load, config):
    more = "regularization: {l2_lambda: 1}"
    layers = "{type: flatten}, {type: activation, activation: softmax}"
    warning = only_warning(load(text=config(layers=layers, more=more)))
    assert (warning.key, warning.line) == ("regularization.l2_lambda", 8)


def test_nesterov_without_momentum_is_doubtful(load, config):
    text = config(optimizer="{name: sgd, nesterov: true}")
    assert only_warning(load(text=text)).message == "no effect: momentum is 0"
    assert load("optimizer.momentum=0.9", text=text).warnings == ()


def test_two_ways_to_clip_are_an_error(errors, config):
    (told,) = errors(text=config(optimizer="{name: adam, clipvalue: 1, global_clipnorm: 1}"))
    assert told.key == "optimizer.global_clipnorm"
    assert told.message == "one way to clip at most: 'clipvalue' is given, too"


@pytest.mark.parametrize(
    ("option", "key", "message"),
    [
        ("ema_momentum: 0.9", "ema_momentum", "no effect: use_ema is false"),
        ("exclude_from_weight_decay: [bias]", "exclude_from_weight_decay",
         "no effect: there is no weight_decay"),
    ],
)  # fmt: skip
def test_an_option_of_what_is_off_is_doubtful(load, config, option, key, message):
    warning = only_warning(load(text=config(optimizer=f"{{name: adam, {option}}}")))
    assert (warning.key, warning.message) == (f"optimizer.{key}", message)
    load(text=config(optimizer=f"{{name: adamw, use_ema: true, {option}}}"))


@pytest.mark.parametrize("shape", ["[0]", "[-1, -1]", "[2, -1, -1]"])
def test_a_target_shape_that_no_data_has_is_an_error(errors, shape, config):
    layers = (
        f"{{type: reshape, target_shape: {shape}}}, {{type: dense, units: 10, activation: softmax}}"
    )
    (diagnostic,) = errors(text=config(layers=layers))
    assert diagnostic.key == "model.layers.0.target_shape"
    assert diagnostic.message.endswith(f"got {shape}")


@pytest.mark.parametrize(
    ("extents", "key", "message"),
    [
        ("strides: 2, dilation_rate: 2", "dilation_rate", "cannot both be other than 1"),
        ("strides: [1, 1], dilation_rate: 2", None, ""),
        ("strides: 0", "strides", "expected an integer >= 1, or a list of 2 integers >= 1, got 0"),
        ("strides: big", "strides", "or a list of 2 integers >= 1, got 'big'"),
        ("strides: [1, 2, 3]", "strides", "expected a list of 2 integers >= 1, got a list of 3"),
        ("strides: [1, x]", "strides.1", "expected an integer >= 1, got 'x'"),
    ],
)
def test_extents_of_pictures_are_one_number_or_two(config, errors, load, extents, key, message):
    convolution = f"{{type: conv2d, filters: 4, kernel_size: 3, {extents}}}"
    layers = f"{convolution}, {{type: flatten}}, {{type: dense, units: 10, activation: softmax}}"
    text = config(layers=layers)
    if key is None:
        assert load(text=text).warnings == ()
        return
    (diagnostic,) = errors(text=text)
    assert diagnostic.key == f"model.layers.0.{key}"
    assert message in diagnostic.message


@pytest.mark.parametrize(
    ("layer", "key", "message"),
    [
        ("type: conv1d, filters: 2, kernel_size: 2, strides: 2, dilation_rate: 2", "dilation_rate",
         "strides and dilation_rate cannot both be other than 1"),
        ("type: dense, units: 2, kernel_initializer: {name: random_uniform, minval: 1}",
         "kernel_initializer.maxval", "expected a number > minval, 1, got 0.05"),
        ("type: dense, units: 2, kernel_initializer: {name: random_normal, stddev: 1e-60}",
         "kernel_initializer.stddev", "1e-60 is 0 in float32, in which the steps are computed"),
        ("type: gru, units: 2, recurrent_regularizer: {l2: 1e99}",
         "recurrent_regularizer.l2", "1e+99 is infinite in float32, in which the steps are computed"),
        ("type: gru, units: 2, recurrent_constraint: {max_norm: 0}",
         "recurrent_constraint.max_norm", "expected a number > 0, got 0"),
        ("type: conv2d, filters: 2, kernel_size: 2, kernel_initializer: identity",
         "kernel_initializer", None),
        ("type: dense, units: 2, bias_initializer: orthogonal", "bias_initializer", None),
        ("type: dense, units: 2, bias_initializer: {name: orthogonal}", "bias_initializer.name",
         None),
        ("type: dense, units: 2, kernel_initializer: constant", "kernel_initializer", None),
        ("type: dense, units: 2, kernel_initializer: {name: zeros, value: 1}",
         "kernel_initializer.value", "unknown key"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_inside", [False, True])
def test_what_no_data_makes_possible_is_told_of_inner_layers_too(
    config, errors, layer, key, message, is_inside
):
    place = "model.layers.0.layers.0" if is_inside else "model.layers.0"
    layer = f"{{type: residual, layers: [{{{layer}}}]}}" if is_inside else f"{{{layer}}}"
    layers = f"{layer}, {{type: flatten}}, {{type: dense, units: 10, activation: softmax}}"
    (told,) = errors(text=config(layers=layers))
    assert told.key == f"{place}.{key}"
    assert told.message.startswith("expected one of zeros, ones" if message is None else message)
    # What is told first and last is short enough to be read.
    assert len(told.message) < 400


def test_contradictions_are_reported_all_at_once(errors, config):
    text = config(
        loss="{name: categorical_crossentropy, from_logits: true}",
        metrics="mse",
        more="expect: [test.x < 1]",
    )
    assert [d.line for d in errors(text=text)] == [3, 5, 8]


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("optimizer.learning_rate=1e-46", "1e-46 is 0 in float32"),
        ("optimizer.learning_rate=1e39", "1e+39 is infinite in float32"),
        ("optimizer.epsilon=1e-50", "1e-50 is 0 in float32"),
        ("regularization.l2_lambda=1e39", "1e+39 is infinite in float32"),
    ],
)
def test_a_figure_that_float32_does_not_have_is_an_error(errors, override, said):
    (diagnostic,) = errors(override)
    assert diagnostic.key == override.split("=")[0]
    assert said in diagnostic.message


def test_small_and_large_figures_that_float32_has_are_none(load):
    load("optimizer.learning_rate=1e-40", "regularization.l2_lambda=1e38")


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        ({"fold": "6/5"}, "expected a fold from 1 to K of at least 2 (k/K), got 6/5"),
        ({"fold": "1/1"}, "expected a fold from 1 to K of at least 2 (k/K), got 1/1"),
        ({"fold": "1/5", "validation": 0.1}, "the fold is the validation split"),
    ],
)
def test_a_fold_that_cannot_be_is_told(experiment, splits, message):
    data = {"source": "/data/a.csv", "label": "y", "splits": splits}
    found = list(setting_findings(experiment({"type": "dense", "units": 1}, data=data)))
    assert [(entry.key, entry.severity) for entry in found] == [
        (("data", "splits", "fold"), "error")
    ]
    assert found[0].message.startswith(message)


def test_class_weights_that_are_nothing_in_float32_are_told(experiment):
    training = {"epochs": 1, "class_weight": {"a": 1e-60, "b": 1e39, "c": 0.0, "d": 2.0}}
    found = list(setting_findings(experiment({"type": "dense", "units": 1}, training=training)))
    assert [entry.key[-1] for entry in found] == ["a", "b"]


def test_heads_of_a_transformer_divide_its_width(errors, load, config):
    model = "model={type: transformer, num_heads: 4}"
    (diagnostic,) = errors(model, "model.width=10", text=config())
    assert diagnostic.key == "model.num_heads"
    assert diagnostic.message == "4 heads do not divide model.width, 10"
    load(model, "model.width=12", text=config())
