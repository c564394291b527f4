"""The model's output and the loss must agree."""

import pytest

SOFTMAX = "{type: flatten}, {type: dense, units: 10, activation: softmax}"
LINEAR = "{type: flatten}, {type: dense, units: 1}"


def dense(units: int, activation: str) -> str:
    return f"{{type: dense, units: {units}, activation: {activation}}}"


def convolution(activation: str) -> str:
    return f"{{type: conv2d, filters: 10, kernel_size: 3, activation: {activation}}}"


def activation(name: str) -> str:
    return f"{{type: activation, activation: {name}}}"


def logits(loss: str) -> str:
    return f"{{name: {loss}, from_logits: true}}"


SPARSE, ONE_HOT, BINARY = (
    "sparse_categorical_crossentropy", "categorical_crossentropy", "binary_crossentropy")  # fmt: skip


@pytest.mark.parametrize(
    ("layers", "loss"),
    [
        (SOFTMAX, SPARSE),
        (SOFTMAX, ONE_HOT),
        (dense(10, "linear"), logits(SPARSE)),
        (dense(10, "log_softmax"), logits(SPARSE)),
        (dense(1, "sigmoid"), BINARY),
        (dense(1, "linear"), logits(BINARY)),
        (f"{dense(10, 'linear')}, {activation('softmax')}", SPARSE),
        (f"{dense(10, 'softmax')}, {activation('linear')}", SPARSE),
        (f"{dense(10, 'linear')}, {activation('softmax')}, {{type: dropout, rate: 0.1}}", SPARSE),
        (f"{dense(40, 'softmax')}, {{type: reshape, target_shape: [-1]}}", SPARSE),
        (f"{convolution('softmax')}, {{type: global_average_pooling2d}}", SPARSE),
        (f"{convolution('linear')}, {{type: flatten}}, {activation('softmax')}", SPARSE),
        (f"{dense(10, 'relu')}, {{type: group_normalization}}", logits(SPARSE)),
        (f"{dense(10, 'softmax')}, {{type: gaussian_noise, stddev: 0.1}}", SPARSE),
        (f"{dense(10, 'relu')}, {{type: batch_normalization}}", logits(SPARSE)),
        (f"{dense(2, 'sigmoid')}, {{type: flatten}}", BINARY),
        (LINEAR, "mse"),
        (LINEAR, "half_mean_squared_error"),
        (dense(10, "sigmoid"), "mae"),
    ],
)
def test_outputs_that_fit_the_loss_pass(load, layers, loss, config):
    assert load(text=config(layers=layers, loss=loss)).warnings == ()


@pytest.mark.parametrize(
    ("layers", "loss", "key", "words"),
    [
        (dense(10, "linear"), SPARSE, "model.layers.0.activation",
         ("expected softmax at the model's end, got linear; write 'activation: softmax' here, or "
         "'loss: {name: sparse_categorical_crossentropy, from_logits: true}'")),
        (dense(10, "relu"), ONE_HOT, "model.layers.0.activation", "with 'activation: linear'"),
        (dense(10, "log_softmax"), SPARSE, "model.layers.0.activation", "got log_softmax"),
        (dense(10, "sigmoid"), SPARSE, "model.layers.0.activation", "expected softmax"),
        (dense(1, "linear"), BINARY, "model.layers.0.activation", "expected sigmoid"),
        (f"{dense(10, 'softmax')}, {activation('relu')}", SPARSE, "model.layers.1.activation",
         "got relu"),
        (f"{dense(10, 'softmax')}, {{type: layer_normalization}}", SPARSE,
         "model.layers.1.activation", "got linear"),
        ("{type: flatten}", SPARSE, "model.layers.0.activation", "got linear"),
        (SOFTMAX, logits(SPARSE), "model.layers.1.activation",
         "the loss takes logits (from_logits: true) and applies softmax itself: expected linear"),
        (SOFTMAX, logits(ONE_HOT), "model.layers.1.activation", "or 'from_logits: false'"),
        (dense(1, "sigmoid"), logits(BINARY), "model.layers.0.activation", "applies sigmoid itself"),
        (dense(2, "sigmoid"), BINARY, "model.layers.0.units", "expected 1 unit, got 2"),
        (f"{dense(3, 'linear')}, {activation('sigmoid')}", BINARY, "model.layers.0.units",
         "expected 1 unit, got 3"),
        (dense(1, "softmax"), SPARSE, "model.layers.0.units",
         "expected at least 2 units, got 1; for two classes and one output use binary_crossentropy"),
        (dense(1, "softmax"), "mse", "model.layers.0.activation",
         "a softmax over one unit is always 1; write 'activation: linear'"),
        (dense(1, "log_softmax"), "mse", "model.layers.0.activation", "is always 0"),
    ],
)  # fmt: skip
def test_outputs_that_contradict_the_loss_are_errors(errors, layers, loss, key, words, config):
    (diagnostic,) = errors(text=config(layers=layers, loss=loss))
    assert diagnostic.key == key
    assert words in diagnostic.message
    assert diagnostic.line == 3


def test_the_activation_that_contradicts_is_underlined(errors, config):
    (diagnostic,) = errors(text=config(loss=logits(SPARSE)))
    start = diagnostic.column - 1
    assert diagnostic.source_line[start : start + diagnostic.length] == "softmax"


def test_a_contradicting_default_activation_underlines_its_layer(errors, config):
    (diagnostic,) = errors(text=config(layers="{type: dense, units: 10}"))
    start = diagnostic.column - 1
    shown = diagnostic.source_line[start : start + diagnostic.length]
    assert shown == "{type: dense, units: 10}"


def only_warning(loaded):
    (warning,) = loaded.warnings
    assert warning.severity == "warning"
    return warning


def test_logits_through_a_nonlinearity_are_doubtful(load, config):
    warning = only_warning(load(text=config(layers=dense(10, "relu"), loss=logits(SPARSE))))
    assert warning.message == "logits are usually linear, these pass through relu"


def test_a_softmax_in_a_regression_is_doubtful(load, config):
    warning = only_warning(load(text=config(loss="mse")))
    assert (warning.key, warning.line) == ("model.layers.1.activation", 3)
    assert "data.task: classification" in warning.message


def test_a_softmax_under_a_regression_loss_fits_classification(load, config):
    data = "{source: mnist, task: classification}"
    text = config(loss="mse", data=data, metrics="accuracy")
    assert load(text=text).warnings == ()


@pytest.mark.parametrize("loss", [SPARSE, ONE_HOT, BINARY, logits(BINARY), "mse", "huber"])
def test_the_outputs_of_the_preset_fit_every_loss(load, loss, config):
    text = config(loss=loss).replace("{layers: [" + SOFTMAX + "]}", "{type: mlp, hidden: [8]}")
    assert load(text=text).warnings == ()


def test_a_convolution_at_the_end_is_asked_for_probabilities_too(errors, config):
    layers = f"{convolution('relu')}, {{type: global_average_pooling2d}}"
    (diagnostic,) = errors(text=config(layers=layers, loss=SPARSE))
    assert diagnostic.key == "model.layers.0.activation"
    assert "expected softmax at the model's end, got relu" in diagnostic.message
