"""Metrics, the monitored figure and expectations must exist and make sense."""

import pytest

from bmtrain.config.figure_checks import class_count_findings
from bmtrain.errors import ConfigError

LINEAR = "{type: flatten}, {type: dense, units: 1}"


def only_warning(loaded):
    (warning,) = loaded.warnings
    assert warning.severity == "warning"
    return warning


def test_cross_entropy_is_no_regression(errors, config):
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
        ({"metrics": "acc, top_5_accuracy", "loss": "binary_crossentropy", "layers": "{type: dense, units: 1, activation: sigmoid}"},
         "'top_5_accuracy' needs more than two classes"),
    ],
)  # fmt: skip
def test_a_metric_that_does_not_fit_is_an_error(errors, options, message, config):
    (diagnostic,) = errors(text=config(**options))
    assert (diagnostic.key, diagnostic.message) == ("metrics.1", message)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("{name: top_k_categorical_accuracy, k: 3}", "top_3_accuracy"),
        ("{name: sparse_top_k_categorical_accuracy, k: 12}", "top_12_accuracy"),
        ("{name: top_k_categorical_accuracy}", "top_5_accuracy"),
        ("top_k_categorical_accuracy", "top_5_accuracy"),
        ("top_99_accuracy", "top_99_accuracy"),
    ],
)
def test_top_k_takes_any_k_by_kerass_name_and_by_ours(load, config, written, name):
    text = config(metrics=written, training=stopping(f"monitor: train.{name}"))
    assert load(text=text).experiment.metrics == (name,)


@pytest.mark.parametrize("k", ["0", "1", "-3", "2.5", "many", "true"])
def test_a_k_that_is_none_is_told_where_it_stands(errors, config, k):
    (told,) = errors(text=config(metrics=f"{{name: top_k_categorical_accuracy, k: {k}}}"))
    assert told.key == "metrics.0"
    assert (
        "or top_K_accuracy ({name: top_k_categorical_accuracy, k: K}) with a K >= 2, got 'top_"
        in told.message
    )
    assert told.source_line[told.column - 1 :].startswith(k)


@pytest.mark.parametrize(
    ("k", "severity", "message"),
    [
        (4, "error", "'top_4_accuracy': the data has 3 classes and no 4th"),
        (3, "warning", "'top_3_accuracy' of 3 classes is always 1"),
        (2, None, None),
    ],
)
def test_a_k_of_no_use_for_the_datas_classes_is_told(load, config, k, severity, message):
    loaded = load(text=config(metrics=f"accuracy, top_{k}_accuracy"))
    found = list(class_count_findings(loaded.experiment, 3))
    assert [(f.key, f.severity, f.message) for f in found] == (
        [(("metrics", 1), severity, message)] if message else []
    )


def stopping(options: str) -> str:
    return f", early_stopping: {{{options}}}"


HELD_OUT = "{source: mnist, splits: {validation: 0.1}}"


@pytest.mark.parametrize("monitor", ["loss", "penalty", "objective", "accuracy", "acc"])
def test_a_reported_figure_may_be_monitored(load, monitor, config):
    training = stopping(f"monitor: validation.{monitor}")
    assert load(text=config(training=training, data=HELD_OUT, metrics="acc")).warnings == ()


def test_a_figure_that_is_not_reported_cannot_be_monitored(errors, config):
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
def test_a_validation_split_that_cannot_be_there_cannot_be_monitored(
    load, errors, data, passes, config
):
    text = config(training=stopping(""), data=data)
    if passes:
        assert load(text=text).warnings == ()
        return
    (diagnostic,) = errors(text=text)
    assert diagnostic.key == "training.early_stopping.monitor"
    assert diagnostic.message == (
        "there is no validation split; give data.splits.validation, a fraction of the training part"
    )


def test_the_training_split_is_always_there(load, config):
    assert load(text=config(training=stopping("monitor: train.loss"))).warnings == ()


def test_a_directory_of_tables_may_bring_its_splits(load, tmp_path, config):
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
def test_early_stopping_against_its_own_sense_is_doubtful(load, options, key, message, config):
    warning = only_warning(load(text=config(training=stopping(options), metrics="accuracy")))
    assert (warning.key, warning.message) == (f"training.early_stopping.{key}", message)


def test_a_patience_of_thousands_is_written_so(load, reference):
    stopping = "epochs: 1, early_stopping: {monitor: train.loss, patience: 5000}"
    warning = only_warning(load(text=reference.replace("epochs: 5", stopping)))
    assert warning.message == "patience 5,000 never ends a training of 1 epoch"


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
def test_an_expectation_without_sense_is_an_error(errors, expectation, words, config):
    more = f"expect: [test.loss < 9, '{expectation}']"
    (diagnostic,) = errors(text=config(metrics="accuracy", more=more))
    assert words in diagnostic.message
    assert (diagnostic.key, diagnostic.line, diagnostic.column) == ("expect.1", 8, 25)


@pytest.mark.parametrize(
    "expectation", ["test.accuracy >= 0", "test.accuracy <= 1", "test.loss >= 0"]
)
def test_an_expectation_that_always_holds_is_doubtful(load, expectation, config):
    more = f"expect: ['{expectation}']"
    warning = only_warning(load(text=config(metrics="accuracy", more=more)))
    assert warning.message == "always holds"


@pytest.mark.parametrize("key", ["expect", "monitor"])
def test_a_figure_of_whole_splits_is_none_of_the_train_line(errors, config, key):
    told = "expect: [train.f1_macro > 0.5]"
    training = ", early_stopping: {monitor: train.f1_macro, patience: 2}"
    parts = {"more": told} if key == "expect" else {"training": training}
    (diagnostic,) = errors(text=config(metrics="f1_macro", **parts))
    assert diagnostic.message == (
        "'f1_macro' is of whole splits: validation and test have it, train does not"
    )


def test_probabilities_are_asked_of_a_crossentropys_model_alone(errors, config):
    text = config(
        metrics="log_loss, f1_macro", loss="mse",
        data="{source: mnist, task: classification}",
    )  # fmt: skip
    (diagnostic,) = errors(text=text)
    assert diagnostic.key == "metrics.0"
    assert "is of probabilities" in diagnostic.message


@pytest.mark.parametrize(
    ("metric", "text", "message"),
    [
        ("mcc", "test.mcc > 1.5", "can never hold: matthews_corrcoef lies between -1 and 1"),
        ("mcc", "test.mcc >= -1", "always holds"),
        ("mcc", "test.mcc >= 0", None),
        ("auc", "test.auc > 97", "can never hold: roc_auc lies between 0 and 1; write 0.97"),
        ("log_loss", "test.log_loss < 3", None),
    ],
)
def test_what_a_figure_can_be_is_known(load, config, metric, text, message):
    loaded = config(metrics=metric, more=f"expect: [{text}]")
    try:
        found = [entry.message for entry in load(text=loaded).warnings]
    except ConfigError as error:
        found = [entry.message for entry in error.diagnostics]
    assert [entry[: len(message or "")] for entry in found] == ([message] if message else [])


def test_less_is_better_for_losses_over_classes(load, config):
    stopping = ", early_stopping: {monitor: validation.log_loss, mode: max, patience: 2}"
    text = config(
        metrics="log_loss", training=stopping, data="{source: mnist, splits: {validation: 0.1}}"
    )
    (warning,) = load(text=text).warnings
    assert warning.message == "a smaller log_loss is better, and mode is max"
