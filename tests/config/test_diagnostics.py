"""What the user is told about a config that does not fit the schema: words, place, key."""

from typing import get_args

import pytest

from bmtrain.config.sections.layers.union import Layer
from bmtrain.config.source_text import MAX_PROBLEMS, MAX_SHOWN_LINE
from bmtrain.errors import ConfigError

NUM_LAYERS = len(get_args(get_args(Layer)[0]))
LAYERS = f"dense, activation, dropout, … ({NUM_LAYERS}; bmtrain schema lists them)"
METRICS = "accuracy, precision, recall, … (22; bmtrain schema lists them), or top_K_accuracy ({name: top_k_categorical_accuracy, k: K}) with a K >= 2"
OPTIMIZERS = "gradient_descent, sgd, adam, adamw, rmsprop, adagrad, nadam, lion, muon"


def changed(reference, old, new):
    assert old in reference
    return reference.replace(old, new)


def test_the_example_of_an_unknown_key_and_a_word_for_a_number(errors, reference):
    text = changed(reference, "learning_rate", "learning_rte").replace("epochs: 5", "epochs: five")
    first, second = errors(text=text)
    assert (first.key, first.message) == (
        "optimizer.learning_rte", "unknown key; did you mean 'learning_rate'?")  # fmt: skip
    assert (first.line, first.column, first.length) == (11, 25, 12)
    assert first.source_line == "optimizer: {name: adam, learning_rte: 0.001}"
    assert (second.key, second.message) == (
        "training.epochs", "expected an integer >= 1, got 'five'")  # fmt: skip
    assert (second.line, second.column, second.length) == (12, 20, 4)


@pytest.mark.parametrize(
    ("old", "new", "key", "message"),
    [
        # numbers
        ("seed: 0", "seed: -1", "seed", "expected an integer >= 0, got -1"),
        ("seed: 0", "seed: 4294967296", "seed",
         "expected an integer >= 0 and <= 4294967295, got 4294967296"),
        ("seed: 0", "seed: 1.0", "seed", "expected an integer >= 0, got 1.0"),
        ("seed: 0", "seed: true", "seed", "expected an integer >= 0, got true"),
        ("seed: 0", "seed: '7'", "seed", "expected an integer >= 0, got '7'; remove the quotes"),
        ("seed: 0", "seed: 60_000", "seed", "expected an integer >= 0, got '60_000'; write 60000"),
        ("seed: 0", "seed: [1]", "seed", "expected an integer >= 0, got a list of 1"),
        ("seed: 0", "seed: {a: 1}", "seed", "expected an integer >= 0, got a mapping"),
        ("seed: 0", "seed: " + "9" * 5000, "seed",
         "an integer of 5000 characters is out of range (64 bits)"),
        ("seed: 0", "seed: '" + "9" * 5000 + "'", "seed",
         "expected an integer >= 0, got '" + "9" * 59 + "…'"),
        ("epochs: 5", "epochs: 0", "training.epochs", "expected an integer >= 1, got 0"),
        ("epochs: 5", "epochs: 1e1", "training.epochs", "expected an integer >= 1, got 1e1"),
        ("0.001", ".nan", "optimizer.learning_rate", "expected a number > 0, got .nan"),
        ("0.001", "-.inf", "optimizer.learning_rate", "expected a number > 0, got -.inf"),
        ("0.001", "1e999", "optimizer.learning_rate", "expected a number > 0, got 1e999"),
        ("0.001", "-0.1", "optimizer.learning_rate", "expected a number > 0, got -0.1"),
        ("0.001", "0", "optimizer.learning_rate", "expected a number > 0, got 0"),
        ("0.001", "true", "optimizer.learning_rate", "expected a number > 0, got true"),
        ("0.001", "10%", "optimizer.learning_rate",
         "expected a number > 0, got '10%'; write 0.1"),
        ("seed: 0", "seed: 60,000", "seed", "expected an integer >= 0, got '60,000'; write 60000"),
        ("seed: 0", "seed: 0,001", "seed", "expected an integer >= 0, got '0,001'"),
        ("units: 128", "units: 2000000", "model.layers.1.units",
         "expected an integer >= 1 and <= 1000000, got 2000000"),
        # bools
        ("0.001", "0.001, amsgrad: yes", "optimizer.amsgrad",
         "expected true or false, got 'yes'; write true"),
        ("0.001", "0.001, amsgrad: 'False'", "optimizer.amsgrad",
         "expected true or false, got 'False'; remove the quotes"),
        ("0.001", "0.001, amsgrad: 1", "optimizer.amsgrad", "expected true or false, got 1"),
        ("0.001", "'1,5'", "optimizer.learning_rate",
         "expected a number > 0, got '1,5'; a decimal point is written 1.5"),
        # texts
        ("name: mnist", "name: my run", "name",
         "expected 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit, got 'my run'"),
        ("name: mnist", "name: 3", "name",
         "expected 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit, got 3"),
        ("source: mnist", "source: ''", "data.source",
         "expected a text of 1 to 4096 characters, got ''"),
        ("source: mnist", "source: 3", "data.source",
         "expected a text of 1 to 4096 characters, got 3"),
        ("source: mnist", "source: [x]", "data.source",
         "expected a text of 1 to 4096 characters, got a list of 1"),
        ("source: mnist", f"source: {'x' * 4097}", "data.source",
         f"expected a text of 1 to 4096 characters, got '{'x' * 59}…'"),
        # choices
        ("relu", "rleu", "model.layers.1.activation",
         ("expected one of linear, relu, relu6, … (26; bmtrain schema lists them), got 'rleu'; "
         "did you mean 'relu'?")),
        ("type: flatten", "type: flaten", "model.layers.0.type",
         f"expected one of {LAYERS}, got 'flaten'; did you mean 'flatten'?"),
        ("type: flatten", "type: BatchNormalization", "model.layers.0.type",
         f"expected one of {LAYERS}, got 'BatchNormalization'; did you mean 'batch_normalization'?"),
        ("type: flatten", "type: 3", "model.layers.0.type", f"expected one of {LAYERS}, got 3"),
        ("{type: flatten}", "{units: 3}", "model.layers.0.type",
         f"missing; expected one of {LAYERS}"),
        ("{type: flatten}", "flatten", "model.layers.0",
         f"expected a mapping with 'type': one of {LAYERS}, got 'flatten'"),
        ("{type: flatten}", "~", "model.layers.0",
         f"expected a mapping with 'type': one of {LAYERS}, got ~"),
        ("{type: flatten}", "", "model.layers.0",
         f"expected a mapping with 'type': one of {LAYERS}, got null"),
        ("name: adam", "name: Adam", "optimizer.name",
         f"expected one of {OPTIMIZERS}, got 'Adam'; did you mean 'adam'?"),
        ("name: adam, ", "", "optimizer.name", f"missing; expected one of {OPTIMIZERS}"),
        ("name: adam", "name: null", "optimizer.name", f"missing; expected one of {OPTIMIZERS}"),
        ("name: adam", "name: [adam]", "optimizer.name", f"expected one of {OPTIMIZERS}, got a list of 1"),
        ("{name: adam, learning_rate: 0.001}", "[adam]", "optimizer",
         f"expected a mapping with 'name': one of {OPTIMIZERS}, got a list of 1"),
        ("name: adam", "name: gd", "optimizer.name",
         f"expected one of {OPTIMIZERS}, got 'gd'; did you mean 'gradient_descent'?"),
        ("[accuracy]", "[accuracy, prec]", "metrics.1",
         f"expected one of {METRICS}, got 'prec'; did you mean 'precision'?"),
        ("batch_size: 32", "batch_size: ful", "training.batch_size",
         "expected an integer >= 1, or full, got 'ful'; did you mean 'full'?"),
        ("batch_size: 32", "batch_size: 0", "training.batch_size",
         "expected an integer >= 1, or full, got 0"),
        ("batch_size: 32", "threads: 5000", "training.threads",
         "expected an integer >= 1 and <= 4096, or auto, got 5000"),
        ("batch_size: 32", "early_stopping: {monitor: loss}", "training.early_stopping.monitor",
         "expected train.METRIC or validation.METRIC, for example validation.loss, got 'loss'"),
        ("sparse_categorical_crossentropy", "3", "loss",
         ("expected a mapping with 'name': one of sparse_categorical_crossentropy, "
         "categorical_crossentropy, binary_crossentropy, mean_squared_error, mean_absolute_error, "
         "huber, half_mean_squared_error, got 3")),
        ("sparse_categorical_crossentropy", "{name: [mse]}", "loss.name",
         ("expected one of sparse_categorical_crossentropy, categorical_crossentropy, "
         "binary_crossentropy, mean_squared_error, mean_absolute_error, huber, "
         "half_mean_squared_error, got a list of 1")),
        ("batch_size: 32", "early_stopping: 5", "training.early_stopping",
         ("expected a mapping with any of 'monitor', 'patience', 'min_delta', 'mode', 'restore_best', "
         "got 5")),
        ("batch_size: 32", "early_stopping: {monitor: 5}", "training.early_stopping.monitor",
         "expected train.METRIC or validation.METRIC, for example validation.loss, got 5"),
        # mappings and lists
        ("{source: mnist}", "5", "data",
         ("expected a mapping with 'source' (optional: 'format', 'task', 'label', 'features', "
         "'text', 'tokens', 'categorical', 'missing', 'sample_weight', 'image', 'normalize', "
         "'storage', 'splits', 'train_examples'), got 5")),
        ("{epochs: 5, batch_size: 32}", "5", "training",
         ("expected a mapping with 'epochs' (optional: 'batch_size', 'class_weight', 'engine', 'precision', 'threads', 'device', "
         "'steps_per_call', 'augmentation', 'early_stopping', 'checkpoint'), got 5")),
        ("[accuracy]", "accuracy", "metrics",
         f"expected a list of items, each one of {METRICS}, got 'accuracy'"),
        ('["test.accuracy >= 0.97"]', "{test.accuracy: 0.97}", "expect",
         "expected a list of texts, got a mapping"),
        ("source: mnist", "source: mnist, features: []", "data.features",
         "expected a non-empty list of texts, got an empty list"),
        ("{type: flatten}", "{type: reshape, target_shape: [1,1,1,1,1,1,1,1,1]}",
         "model.layers.0.target_shape",
         "expected a list of 1 to 8 integers >= -1, got a list of 9"),
        ("{source: mnist}", "{source: mnist, splits: {test: [0.1]}}", "data.splits.test",
         ("expected a number > 0 and < 1, or a mapping with 'fraction' (optional: 'replace'), "
         "or the path of a table (./more.csv), got a list of 1")),
        ("{source: mnist}", "{source: mnist, splits: {test: 1.5}}", "data.splits.test",
         ("expected a number > 0 and < 1, or a mapping with 'fraction' (optional: 'replace'), "
         "or the path of a table (./more.csv), got 1.5")),
        ("{source: mnist}", "{source: ./x.csv, splits: {validation: more}}", "data.splits.validation",
         "expected a number > 0 and < 1, or the path of a table (./more.csv), got 'more'"),
        ("{source: mnist}", "{source: ./x.csv, splits: {validation: '0.1'}}", "data.splits.validation",
         ("expected a number > 0 and < 1, or the path of a table (./more.csv), got '0.1'; "
         "remove the quotes")),
        ("{source: mnist}", "{source: ./x.csv, splits: {validation: [./a.csv]}}",
         "data.splits.validation",
         "expected a number > 0 and < 1, or the path of a table (./more.csv), got a list of 1"),
        ("{source: mnist}", "{source: mnist, splits: {test: {fraction: 2}}}",
         "data.splits.test.fraction", "expected a number > 0 and < 1, got 2"),
        ("{source: mnist}", "{source: mnist, splits: {test: {replace: true}}}",
         "data.splits.test.fraction", "missing; expected a number > 0 and < 1"),
        # keys
        ("epochs: 5, ", "", "training.epochs", "missing; expected an integer >= 1"),
        ("epochs: 5", "epochs: null", "training.epochs", "missing; expected an integer >= 1"),
        ("loss: sparse_categorical_crossentropy\n", "", "loss",
         ("missing; expected a mapping with 'name': one of sparse_categorical_crossentropy, "
         "categorical_crossentropy, binary_crossentropy, mean_squared_error, mean_absolute_error, "
         "huber, half_mean_squared_error")),
        ("units: 128, ", "", "model.layers.1.units", "missing; expected an integer >= 1"),
        ("seed: 0", "seeds: 0", "seeds", "unknown key; did you mean 'seed'?"),
        ("seed: 0", "epochs: 3", "epochs", "unknown key; did you mean 'training.epochs'?"),
        ("seed: 0", "lr: 3", "lr", "unknown key; did you mean 'optimizer.learning_rate'?"),
        ("seed: 0", "lambda: 3", "lambda", "unknown key; did you mean 'regularization.l2_lambda'?"),
        ("seed: 0", "xyzzy: 3", "xyzzy", "unknown key"),
        ("0.001", "0.001, batch_size: 3", "optimizer.batch_size",
         "unknown key; did you mean 'training.batch_size'?"),
        ("{type: flatten}", "{type: flatten, xyzzy: 3}", "model.layers.0.xyzzy",
         "unknown key; there are no options here"),
        ("{type: flatten}", "{type: dropout, rate: 0.5, xyzzy: 3}", "model.layers.0.xyzzy",
         "unknown key; expected one of rate"),
        ("units: 128", "units: 128, neurons: 3", "model.layers.1.neurons",
         "unknown key; did you mean 'units'?"),
        ("seed: 0", "seed: 0\n1: 2", "1", "unknown key"),
        ("seed: 0", "seed: 0\nseed: 1", "seed", "duplicate key; it is already given on line 2"),
    ],
)  # fmt: skip
def test_one_fault_is_one_message(errors, reference, old, new, key, message):
    (diagnostic,) = errors(text=changed(reference, old, new))
    assert (diagnostic.key, diagnostic.message) == (key, message)
    assert diagnostic.severity == "error"


def test_a_missing_key_points_at_its_section(errors, reference):
    (diagnostic,) = errors(text=changed(reference, "epochs: 5, ", ""))
    assert (diagnostic.line, diagnostic.column, diagnostic.length) == (12, 1, len("training"))


def test_a_missing_key_of_a_layer_points_at_the_layer(errors, reference):
    (diagnostic,) = errors(text=changed(reference, "units: 128, ", ""))
    assert (diagnostic.line, diagnostic.column) == (7, 7)
    assert diagnostic.length == len("{type: dense, activation: relu}")


def test_a_null_in_the_place_of_a_needed_value_is_the_place(errors, reference):
    (diagnostic,) = errors(text=changed(reference, "epochs: 5", "epochs: null"))
    assert (diagnostic.line, diagnostic.column) == (12, 12)


def test_a_missing_section_has_no_line(errors):
    found = errors(text="name: x\n")
    assert {d.key for d in found} == {"data", "model", "loss", "optimizer", "training"}
    assert all(d.line == 0 and d.source_line == "" for d in found)


def test_everything_is_reported_at_once_in_the_order_of_the_lines(errors, reference):
    text = (
        reference.replace("seed: 0", "seed: x\nseed: 1")
        .replace("type: flatten", "type: flat")
        .replace("[accuracy]", "[acuracy]")
        .replace("0.97", "0.97")
        + "more: 1\n"
    )
    found = errors(text=text)
    assert [d.line for d in found] == [2, 3, 7, 11, 15]
    assert [d.key for d in found] == ["seed", "seed", "model.layers.0.type", "metrics.0", "more"]


def test_the_error_of_the_whole_says_the_first_and_how_many(load):
    with pytest.raises(ConfigError) as caught:
        load("seed=x", "training.epochs=0", "sede=1")
    assert caught.value.message == "seed: expected an integer >= 0, got 'x' (and 2 more)"
    assert str(caught.value.where).endswith("config.yaml")


def test_thousands_of_faults_are_counted_and_not_listed(errors, reference):
    text = changed(reference, "[accuracy]", f"[{'x, ' * 5000}]")
    found = errors(text=text)
    assert len(found) == MAX_PROBLEMS + 1
    assert found[-1].message == "4900 more errors are not shown"


def test_a_file_with_very_many_faults_is_not_read_to_its_end(errors):
    found = errors(text="a:\n  " * 10_000)
    assert found[0].message == "duplicate key; it is already given on line 2"
    assert len(found) == MAX_PROBLEMS + 1
    assert found[-1].message == f"more than {MAX_PROBLEMS} errors; the rest was not read"
    assert found[-1].line > MAX_PROBLEMS


def test_a_very_long_line_is_not_shown(errors, reference):
    text = changed(reference, "seed: 0", f"seed: {'x' * MAX_SHOWN_LINE}")
    (diagnostic,) = errors(text=text)
    assert diagnostic.source_line == ""
    assert len(diagnostic.message) < 120


def test_a_model_type_that_layers_do_not_name_is_asked_for(errors, reference):
    text = reference.partition("model:")[0] + "model: {hidden: [3]}\n" + (
        "loss: sparse_categorical_crossentropy\noptimizer: adam\ntraining: {epochs: 1}\n")  # fmt: skip
    (diagnostic,) = errors(text=text)
    expected = "missing; expected one of layers, mlp, cnn, lstm, transformer, vit, resnet"
    assert diagnostic.message == expected
