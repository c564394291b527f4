"""What is misspelt is never overlooked, and what stands beside and under it is told in one go."""

import pytest


def told(errors, reference, old, new, *overrides):
    """(key, what follows the key's fault) of each error, in the order of their places."""
    assert old in reference
    return [(d.key, d.message) for d in errors(*overrides, text=reference.replace(old, new))]


def keys(*arguments):
    return [key for key, _ in told(*arguments)]


# --- null restores known keys only ----------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "key", "message"),
    [
        ("seed: 0", "foo: null", "foo", "unknown key"),
        ("seed: 0", "sede:", "sede", "unknown key; did you mean 'seed'?"),
        ("0.001}", "0.001, lr: null}", "optimizer.lr",
         "unknown key; did you mean 'learning_rate'?"),
        ("0.001}", "0.001, lr}", "optimizer.lr", "unknown key; did you mean 'learning_rate'?"),
        ("{type: flatten}", "{type: flatten, units: ~}", "model.layers.0.units",
         "unknown key; there are no options here"),
        ("{source: mnist}", "{source: mnist, splits: {test: {fraction: 0.1, x}}}",
         "data.splits.test.x", "unknown key; expected one of fraction, replace"),
        ("batch_size: 32", "early_stopping: {x: null}", "training.early_stopping.x",
         "unknown key; expected one of monitor, patience, min_delta, mode, restore_best"),
    ],
)  # fmt: skip
def test_an_unknown_key_is_an_error_even_without_a_value(errors, reference, old, new, key, message):
    assert told(errors, reference, old, new) == [(key, message)]


def test_a_plural_is_meant_before_a_longer_name_that_begins_so(errors, reference):
    """It is the only error: the key that is missing has been found."""
    wrong = told(errors, reference, "type: dense, units: 128", "type: lstm, unit: 128")
    assert wrong == [("model.layers.1.unit", "unknown key; did you mean 'units'?")]
    wrong = told(errors, reference, "training: {epochs: 5", "training: {epoch: 5")
    assert wrong == [("training.epoch", "unknown key; did you mean 'epochs'?")]


def test_an_unknown_override_is_an_error_even_if_it_restores_a_default(errors):
    (diagnostic,) = errors("seed=null", "foo=null")
    assert (diagnostic.source, diagnostic.message) == ("override 2", "unknown key")


def test_a_known_key_without_a_value_has_its_default(load, reference):
    text = (
        reference.replace("{name: adam, learning_rate: 0.001}", "{name: adam, learning_rate}")
        .replace(
            "batch_size: 32", "batch_size: null, early_stopping: {monitor: train.loss, patience: ~}"
        )
        .replace("{source: mnist}", "{source: mnist, splits: {test: {fraction: 0.1, replace}}}")
        .replace("units: 128,", "units: 128, use_bias: null,")
    )
    experiment = load(text=text).experiment
    assert experiment.optimizer.learning_rate == 0.001
    assert experiment.training.early_stopping.patience == 5
    assert experiment.data.splits.test.replace is False


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("0.001}", "1,5}", [("optimizer.5", "unknown key; a decimal point is written 1.5")]),
        ("0.001}", "1,5e-3, beta_1: 0.9}",
         [("optimizer.5e-3", "unknown key; a decimal point is written 1.5e-3")]),
        ("0.001}", "0,001}",
         [("optimizer.learning_rate", "expected a number > 0, got 0"),
          ("optimizer.001", "unknown key; a decimal point is written 0.001")]),
        ("epochs: 5", "epochs: 1,000", [("training.000", "unknown key; write 1000")]),
        # Not the rest of the number before it.
        ("epochs: 5", "epochs: 1, 000", [("training.000", "unknown key")]),
        ("epochs: 5", "epochs: 1,5", [("training.5", "unknown key")]),
        ("seed: 0", "seed: 0\n5: null", [("5", "unknown key")]),
        ("{source: mnist}", "{source: mnist,5}", [("data.5", "unknown key")]),
        ("{source: mnist}", "{5,source: mnist}", [("data.5", "unknown key")]),
    ],
)  # fmt: skip
def test_a_decimal_comma_is_recognised_by_what_follows_it(errors, reference, old, new, expected):
    found = told(errors, reference, old, new)
    assert [key for key, _ in found] == [key for key, _ in expected]
    for (_, message), (_, start) in zip(found, expected, strict=True):
        assert message.startswith(start.removesuffix("..."))
        assert "decimal" in start or "decimal" not in message


# --- told at once, wholly -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("{name: adam, learning_rate: 0.001}", "{name: Adam, lr: 0.1}",
         ["optimizer.name", "optimizer.lr"]),
        ("{name: adam, learning_rate: 0.001}", "{name: Adam, beta_1: 7, beta_3: 1}",
         ["optimizer.name", "optimizer.beta_1", "optimizer.beta_3"]),
        ("{name: adam, learning_rate: 0.001}", "gd",
         ["optimizer.learning_rate", "optimizer.name"]),
        ("{name: adam, learning_rate: 0.001}", "{nme: Adam, lr: 0.1}",
         ["optimizer.nme", "optimizer.name", "optimizer.lr"]),
        ("{name: adam, learning_rate: 0.001}", "{type: adam, lr: 0.1}",
         ["optimizer.type", "optimizer.lr"]),
        ("{type: flatten}", "{name: Dense, neurons: 3, activaton: rleu}",
         ["model.layers.0.name", "model.layers.0.type", "model.layers.0.neurons",
          "model.layers.0.activaton", "model.layers.0.activation"]),
        ("{type: flatten}", "{type: dens}", ["model.layers.0.units", "model.layers.0.type"]),
        # Which of two is meant is not guessed, and then nothing is said of the rest.
        ("{type: flatten}", "{type: normalization, x: 3}", ["model.layers.0.type"]),
        ("{type: flatten}", "{type: xyzzy, x: 3}", ["model.layers.0.type"]),
    ],
)  # fmt: skip
def test_beside_a_misspelt_name_the_rest_is_checked_as_it_is_meant(
    errors, reference, old, new, expected
):
    assert keys(errors, reference, old, new) == expected


def test_a_guess_makes_nothing_valid(errors, reference):
    assert keys(errors, reference, "name: adam", "name: Adam") == ["optimizer.name"]


def test_under_a_misspelt_section_all_is_told_and_no_echo(errors, reference):
    old = "training: {epochs: 5, batch_size: 32}"
    assert told(errors, reference, old, "trainig: {epochs: 5}") == [
        ("trainig", "unknown key; did you mean 'training'?")
    ]
    assert keys(errors, reference, old, "trainig: {epoch: 5, batch_size: 0}") == [
        "trainig", "training.epoch", "training.batch_size"]  # fmt: skip
    assert keys(errors, reference, old, "trainig: {batch_size: 8}") == [
        "trainig", "training.epochs"]  # fmt: skip


def test_what_stands_at_a_misspelt_key_may_be_meant_otherwise(errors, reference):
    """``learning_rte`` is near enough to be suggested, not to be judged."""
    assert keys(errors, reference, "learning_rate: 0.001", "learning_rte: [1]") == [
        "optimizer.learning_rte"]  # fmt: skip


def test_a_key_that_is_given_already_is_not_meant_once_more(errors, reference):
    assert keys(errors, reference, "epochs: 5", "epochs: 5, epoch: {x: 1}") == ["training.epoch"]
    assert keys(errors, reference, "seed: 0", "seed: null\nsede: x") == ["sede"]


def test_two_misspellings_of_one_key_are_both_unknown(errors, reference):
    old = "training: {epochs: 5, batch_size: 32}"
    assert keys(errors, reference, old, "trainig: {epochs: 5}\ntraning: {epochs: 5}") == [
        "trainig", "traning"]  # fmt: skip


def test_a_missing_section_names_what_it_needs_first(errors, reference):
    ((key, message),) = told(errors, reference, "training: {epochs: 5, batch_size: 32}\n", "")
    assert key == "training"
    assert message.startswith("missing; expected a mapping with 'epochs' (optional: 'batch_size', ")


# --- the nearest names ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "suggestion"),
    [
        ("sparse_categorical_crossentropy", "crossentropy",
         "'sparse_categorical_crossentropy', 'categorical_crossentropy' or 'binary_crossentropy'"),
        ("sparse_categorical_crossentropy", "MSE", "'mean_squared_error'"),
        ("type: flatten", "type: normalization",
         ("'batch_normalization', 'layer_normalization', 'group_normalization', "
          "'rms_normalization' or 'unit_normalization'")),
        ("type: flatten", "type: conv", "'conv1d' or 'conv2d'"),
        ("name: adam", "name: adan", "'adam'"),
    ],
)  # fmt: skip
def test_names_that_are_as_near_are_all_suggested(errors, reference, old, new, suggestion):
    ((_, message),) = told(errors, reference, old, new)
    assert message.endswith(f"; did you mean {suggestion}?")
