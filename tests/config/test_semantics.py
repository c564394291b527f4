"""Contradictions that no single setting shows."""

import pytest

HEAD = "name: x\ndata: {data}\nmodel: {{layers: [{layers}]}}\nloss: {loss}\nmetrics: [{metrics}]\n"
TAIL = "optimizer: {optimizer}\ntraining: {{epochs: 10{training}}}\n{more}\n"
SOFTMAX = "{type: flatten}, {type: dense, units: 10, activation: softmax}"
LINEAR = "{type: flatten}, {type: dense, units: 1}"


def config(
    *,
    layers: str = SOFTMAX,
    loss: str = "sparse_categorical_crossentropy",
    metrics: str = "",
    data: str = "{source: mnist}",
    optimizer: str = "adam",
    training: str = "",
    more: str = "",
) -> str:
    return (HEAD + TAIL).format(
        data=data, layers=layers, loss=loss, metrics=metrics, optimizer=optimizer,
        training=training, more=more,
    )  # fmt: skip


def dense(units: int, activation: str) -> str:
    return f"{{type: dense, units: {units}, activation: {activation}}}"


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
        (f"{dense(10, 'relu')}, {{type: batch_normalization}}", logits(SPARSE)),
        (f"{dense(2, 'sigmoid')}, {{type: flatten}}", BINARY),
        (LINEAR, "mse"),
        (LINEAR, "half_mean_squared_error"),
        (dense(10, "sigmoid"), "mae"),
    ],
)
def test_outputs_that_fit_the_loss_pass(load, layers, loss):
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
def test_outputs_that_contradict_the_loss_are_errors(errors, layers, loss, key, words):
    (diagnostic,) = errors(text=config(layers=layers, loss=loss))
    assert diagnostic.key == key
    assert words in diagnostic.message
    assert diagnostic.line == 3


def test_the_activation_that_contradicts_is_underlined(errors):
    (diagnostic,) = errors(text=config(loss=logits(SPARSE)))
    start = diagnostic.column - 1
    assert diagnostic.source_line[start : start + diagnostic.length] == "softmax"


def test_a_contradicting_default_activation_underlines_its_layer(errors):
    (diagnostic,) = errors(text=config(layers="{type: dense, units: 10}"))
    start = diagnostic.column - 1
    shown = diagnostic.source_line[start : start + diagnostic.length]
    assert shown == "{type: dense, units: 10}"


def only_warning(loaded):
    (warning,) = loaded.warnings
    assert warning.severity == "warning"
    return warning


def test_logits_through_a_nonlinearity_are_doubtful(load):
    warning = only_warning(load(text=config(layers=dense(10, "relu"), loss=logits(SPARSE))))
    assert warning.message == "logits are usually linear, these pass through relu"


def test_a_softmax_in_a_regression_is_doubtful(load):
    warning = only_warning(load(text=config(loss="mse")))
    assert (warning.key, warning.line) == ("model.layers.1.activation", 3)
    assert "data.task: classification" in warning.message


def test_a_softmax_under_a_regression_loss_fits_classification(load):
    data = "{source: mnist, task: classification}"
    text = config(loss="mse", data=data, metrics="accuracy")
    assert load(text=text).warnings == ()


@pytest.mark.parametrize("loss", [SPARSE, ONE_HOT, BINARY, logits(BINARY), "mse", "huber"])
def test_the_outputs_of_the_preset_fit_every_loss(load, loss):
    text = config(loss=loss).replace("{layers: [" + SOFTMAX + "]}", "{type: mlp, hidden: [8]}")
    assert load(text=text).warnings == ()


def test_cross_entropy_is_no_regression(errors):
    (diagnostic,) = errors(text=config(data="{source: mnist, task: regression}"))
    assert diagnostic.key == "data.task"
    assert diagnostic.message.startswith("expected classification under the loss")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metrics": "acc, accuracy"}, "'accuracy' is listed twice"),
        ({"metrics": "top_5_accuracy, mse"},
         "'mean_squared_error' is a figure of regression, and this is classification"),
        ({"metrics": "mse, accuracy", "loss": "mse", "layers": LINEAR},
         ("'accuracy' is a figure of classification, and this is regression (the loss is "
         "mean_squared_error); if the labels are classes, write 'data.task: classification'")),
        ({"metrics": "mse, acc", "loss": "mse", "layers": LINEAR,
          "data": "{source: mnist, task: regression}"},
         "'accuracy' is a figure of classification, and this is regression"),
        ({"metrics": "acc, top_5_accuracy", "loss": BINARY, "layers": dense(1, "sigmoid")},
         "'top_5_accuracy' needs more than two classes"),
    ],
)  # fmt: skip
def test_a_metric_that_does_not_fit_is_an_error(errors, options, message):
    (diagnostic,) = errors(text=config(**options))
    assert (diagnostic.key, diagnostic.message) == ("metrics.1", message)


def stopping(options: str) -> str:
    return f", early_stopping: {{{options}}}"


HELD_OUT = "{source: mnist, splits: {validation: 0.1}}"


@pytest.mark.parametrize("monitor", ["loss", "penalty", "objective", "accuracy", "acc"])
def test_a_reported_figure_may_be_monitored(load, monitor):
    training = stopping(f"monitor: validation.{monitor}")
    assert load(text=config(training=training, data=HELD_OUT, metrics="acc")).warnings == ()


def test_a_figure_that_is_not_reported_cannot_be_monitored(errors):
    training = stopping("monitor: validation.acuracy")
    text = config(training=training, data=HELD_OUT, metrics="accuracy")
    (diagnostic,) = errors(text=text)
    assert diagnostic.message == (
        "expected a figure of this run: loss, penalty, objective, accuracy; got 'acuracy'; "
        "did you mean 'accuracy'?"
    )
    (unlisted,) = errors(text=text.replace("acuracy", "top_5_accuracy").replace("[accuracy]", "[]"))
    assert unlisted.message.endswith("the others must be listed in 'metrics'")


@pytest.mark.parametrize(
    ("data", "passes"),
    [
        ("{source: mnist}", False),
        (HELD_OUT, True),
        ("{source: ./digits, format: idx}", False),
        ("{source: ./digits}", True),
        ("{source: ./digits.npz}", True),
        ("{source: ./flowers.csv, label: species}", False),
        ("{source: ./flowers.csv.gz, label: species}", False),
        ("{source: ./flowers.csv, label: species, splits: {validation: 0.2}}", True),
    ],
)
def test_a_validation_split_that_cannot_be_there_cannot_be_monitored(load, errors, data, passes):
    text = config(training=stopping(""), data=data)
    if passes:
        assert load(text=text).warnings == ()
        return
    (diagnostic,) = errors(text=text)
    assert diagnostic.key == "training.early_stopping.monitor"
    assert diagnostic.message == (
        "there is no validation split; give data.splits.validation, a fraction of the training part"
    )


def test_the_training_split_is_always_there(load):
    assert load(text=config(training=stopping("monitor: train.loss"))).warnings == ()


def test_a_directory_of_tables_may_bring_its_splits(load, tmp_path):
    (tmp_path / "flowers.csv").mkdir()
    text = config(training=stopping(""), data="{source: ./flowers.csv, label: species}")
    assert load(text=text).warnings == ()


@pytest.mark.parametrize(
    ("options", "key", "message"),
    [
        ("monitor: train.loss, mode: max", "mode", "a smaller loss is better, and mode is max"),
        ("monitor: train.accuracy, mode: min", "mode",
         "a larger accuracy is better, and mode is min"),
        ("monitor: train.loss, patience: 10", "patience",
         "patience 10 never ends a training of 10 epochs"),
    ],
)  # fmt: skip
def test_early_stopping_against_its_own_sense_is_doubtful(load, options, key, message):
    warning = only_warning(load(text=config(training=stopping(options), metrics="accuracy")))
    assert (warning.key, warning.message) == (f"training.early_stopping.{key}", message)


@pytest.mark.parametrize(
    ("expectation", "words"),
    [
        ("test.accuracy > 97", "can never hold: accuracy lies between 0 and 1; write 0.97 for 97 %"),
        ("test.accuracy >= 1.5", "lies between 0 and 1; write 0.015 for 1.5 %"),
        ("test.accuracy > 1", "can never hold: accuracy lies between 0 and 1"),
        ("test.accuracy < 0", "can never hold: accuracy lies between 0 and 1"),
        ("test.loss <= -0.1", "can never hold: loss is never negative"),
        ("test.acuracy >= 0.9", "did you mean 'accuracy'?"),
        ("test.mse <= 0.9", "got 'mean_squared_error'; the others must be listed in 'metrics'"),
        ("validation.loss < 1", "there is no validation split"),
        ("tset.loss < 1", ("expected a split of train, validation, test, got 'tset'; "
         "did you mean 'test'?")),
        ("accuracy >= 0.9", "expected SPLIT.METRIC"),
        ("test.loss < 1e999", "expected a finite number, got 1e999"),
    ],
)  # fmt: skip
def test_an_expectation_without_sense_is_an_error(errors, expectation, words):
    more = f"expect: [test.loss < 9, '{expectation}']"
    (diagnostic,) = errors(text=config(metrics="accuracy", more=more))
    assert words in diagnostic.message
    assert (diagnostic.key, diagnostic.line, diagnostic.column) == ("expect.1", 8, 25)


@pytest.mark.parametrize(
    "expectation", ["test.accuracy >= 0", "test.accuracy <= 1", "test.loss >= 0"]
)
def test_an_expectation_that_always_holds_is_doubtful(load, expectation):
    more = f"expect: ['{expectation}']"
    warning = only_warning(load(text=config(metrics="accuracy", more=more)))
    assert warning.message == "always holds"


def test_a_penalty_without_kernels_is_doubtful(load):
    more = "regularization: {l2_lambda: 1}"
    layers = f"{{type: flatten}}, {activation('softmax')}"
    warning = only_warning(load(text=config(layers=layers, more=more)))
    assert (warning.key, warning.line) == ("regularization.l2_lambda", 8)


def test_nesterov_without_momentum_is_doubtful(load):
    text = config(optimizer="{name: sgd, nesterov: true}")
    assert only_warning(load(text=text)).message == "no effect: momentum is 0"
    assert load("optimizer.momentum=0.9", text=text).warnings == ()


@pytest.mark.parametrize("shape", ["[0]", "[-1, -1]", "[2, -1, -1]"])
def test_a_target_shape_that_no_data_has_is_an_error(errors, shape):
    layers = f"{{type: reshape, target_shape: {shape}}}, {dense(10, 'softmax')}"
    (diagnostic,) = errors(text=config(layers=layers))
    assert diagnostic.key == "model.layers.0.target_shape"
    assert diagnostic.message.endswith(f"got {shape}")


def test_contradictions_are_reported_all_at_once(errors):
    text = config(loss=logits(SPARSE), metrics="mse", more="expect: [test.x < 1]")
    assert [d.line for d in errors(text=text)] == [3, 5, 8]
