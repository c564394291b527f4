import pytest

from bmtrain.errors import UsageError


def test_an_override_changes_one_setting(load):
    optimizer = load("optimizer.learning_rate=3e-4").experiment.optimizer
    assert (optimizer.name, optimizer.learning_rate) == ("adam", 0.0003)


def test_an_override_reaches_through_a_short_form(load, reference):
    text = reference.replace("{name: adam, learning_rate: 0.001}", "adam")
    optimizer = load("optimizer.learning_rate=0.1", text=text).experiment.optimizer
    assert (optimizer.name, optimizer.learning_rate) == ("adam", 0.1)


def test_an_override_reaches_into_a_list(load):
    layers = load("model.layers.1.units=64").experiment.model.layers
    assert [getattr(layer, "units", None) for layer in layers] == [None, 64, 10]


def test_an_override_replaces_a_list(load):
    experiment = load("metrics=[acc, top_5_accuracy]").experiment
    assert experiment.metrics == ("accuracy", "top_5_accuracy")


def test_an_override_may_be_a_whole_mapping(load):
    experiment = load("training={epochs: 2}", "regularization.l2_lambda=0.5").experiment
    assert (experiment.training.epochs, experiment.training.batch_size) == (2, 32)
    assert experiment.regularization.l2_lambda == 0.5


@pytest.mark.parametrize(
    "override", ["optimizer=sgd", "optimizer.name=sgd", "optimizer={name: sgd}"]
)
def test_another_optimizer_leaves_nothing_of_the_old_one(load, override):
    optimizer = load("optimizer.beta_1=0.5", override).experiment.optimizer
    assert type(optimizer).__name__ == "Sgd"
    assert optimizer == type(optimizer)(name="sgd")  # every option is the default


def test_another_layer_type_takes_the_old_options_away(load):
    layers = load("model.layers.1={type: dropout, rate: 0.5}").experiment.model.layers
    assert layers[1].model_dump() == {"type": "dropout", "rate": 0.5}


def test_null_restores_the_default(load, reference):
    text = reference.replace(", learning_rate: 0.001", "")
    assert load("optimizer.learning_rate=0.1", "optimizer.learning_rate=null").experiment == (
        load(text=text).experiment
    )
    assert load("seed=7", "seed=~").experiment.seed == 0


@pytest.mark.parametrize("value", ["", " ", "# 0.1"])
def test_a_value_left_empty_is_missing_and_does_not_restore_the_default(errors, value):
    (diagnostic,) = errors("optimizer.learning_rate=" + value)
    assert (diagnostic.source, diagnostic.column) == ("override 1", 24)
    assert diagnostic.key == "optimizer.learning_rate"
    assert diagnostic.message == "a value is missing; '=null' restores the default"


def test_an_empty_text_in_quotes_is_a_value(load):
    assert load("data.label=''").experiment.data.label == ""


def test_a_default_is_restored_before_a_deeper_override(load):
    training = load("training.early_stopping=null", "training.early_stopping.monitor=train.loss")
    assert training.experiment.training.early_stopping.monitor == "train.loss"


def test_the_last_override_wins(load):
    assert load("seed=1", "seed=2", "seed=3").experiment.seed == 3


def test_a_value_may_hold_an_equals_sign(load):
    experiment = load('expect=["test.accuracy >= 0.5"]').experiment
    assert experiment.expect == ("test.accuracy >= 0.5",)


def test_short_forms_work_in_overrides(load):
    overrides = ("loss=mse", "metrics=[rmse]", "expect=[test.rmse < 1]", "metrics.0=mae",
                 "expect.0=test.mae < 1")  # fmt: skip
    experiment = load(*overrides, "model.layers.2.activation=linear").experiment
    assert experiment.loss.name == "mean_squared_error"
    assert experiment.metrics == ("mean_absolute_error",)


@pytest.mark.parametrize("argument", ["seed", "", "--epochs", "seed:3"])
def test_an_argument_without_an_equals_sign_is_a_usage_error(load, argument):
    with pytest.raises(UsageError) as caught:
        load("seed=1", argument)
    assert caught.value.where == "override 2"
    assert "expected KEY=VALUE" in caught.value.message
    assert caught.value.exit_code == 2


def test_a_strange_argument_is_shown_without_its_control_characters(load):
    with pytest.raises(UsageError) as caught:
        load("\x1b[31m" + "x" * 1000)
    assert "\x1b" not in caught.value.message
    assert len(caught.value.message) < 200


@pytest.mark.parametrize(
    ("override", "column", "message"),
    [
        ("=1", 1, "expected a dotted key such as model.layers.0.units, got an empty part"),
        ("a..b=1", 3, "expected a dotted key such as model.layers.0.units, got an empty part"),
        ("seed.=1", 6, "expected a dotted key such as model.layers.0.units, got an empty part"),
        ("my seed=1", 1, "expected a dotted key such as model.layers.0.units, got 'my seed'"),
        ("a.ä=1", 3, "expected a dotted key such as model.layers.0.units, got 'ä'"),
        ("extends=x.yaml", 1, "only a file extends another; it cannot be overridden"),
        ("seed=[1", 8, "not valid YAML: did not find expected ',' or ']'; a bracket is not closed"),
        ("seed=!!int 5", 6, "the tag !!int is not allowed; write a plain value"),
        ("seed=five", 6, "expected an integer >= 0, got 'five'"),
        ("model.layers.3.units=5", 14, "expected a position from 0 to 2, got '3'"),
        ("model.layers.x.units=5", 14, "expected a position from 0 to 2, got 'x'"),
        ("model.layers.-1.units=5", 14, "expected a dotted key such as model.layers.0.units, got '-1'"),
        ("seed.x=5", 1, "expected an integer >= 0, got a mapping"),
        ("sede=5", 1, "unknown key; did you mean 'seed'?"),
        ("training.epoch=5", 10, "unknown key; did you mean 'epochs'?"),
        (".".join("a" * 200) + "=1", 1, "a key of more than 100 parts"),
        ("seed=" + "[" * 50_000, 106, "nested deeper than 100 levels"),
        ("seed=" + " " * 200_000, 0, "longer than 100000 characters"),
    ],
)  # fmt: skip
def test_a_wrong_override_points_at_itself(errors, override, column, message):
    (diagnostic,) = errors("name=other", override)
    assert diagnostic.source == "override 2"
    assert diagnostic.message == message
    assert diagnostic.column == column
    assert diagnostic.line == (1 if column else 0)


def test_an_override_of_a_presets_layers_is_told_the_presets_keys(errors):
    (diagnostic,) = errors("model={type: mlp, hidden: [4]}", "model.layers.1.units=64")
    assert (diagnostic.source, diagnostic.key) == ("override 2", "model.layers")
    assert diagnostic.message.startswith("unknown key; expected one of hidden, activation")


def test_the_line_of_an_override_is_its_whole_text(errors):
    (diagnostic,) = errors("training.epochs=five")
    assert diagnostic.source_line == "training.epochs=five"
    assert diagnostic.source_line[diagnostic.column - 1 :] == "five"
    assert diagnostic.length == 4
    assert diagnostic.key == "training.epochs"


def test_a_position_in_an_empty_list_is_refused(errors):
    (diagnostic,) = errors("expect=[]", "metrics=[]", "metrics.0=acc")
    assert diagnostic.message == "expected a position in a list, and it is empty, got '0'"


def test_a_missing_key_is_sought_in_the_file_not_in_an_override_beside_it(errors, reference):
    text = reference.replace("epochs: 5, ", "")
    (diagnostic,) = errors("training.batch_size=8", text=text)
    assert (diagnostic.source.endswith("config.yaml"), diagnostic.line) == (True, 12)


def test_all_overrides_and_the_file_are_reported_together(errors, reference):
    text = reference.replace("seed: 0", "sede: 0")
    found = errors("training.epochs=0", "a..b=1", "loss=mes", text=text)
    assert [(d.source.rpartition("/")[2], d.line) for d in found] == [
        ("config.yaml", 2), ("override 1", 1), ("override 2", 1), ("override 3", 1)]  # fmt: skip


def test_expectations_of_the_command_line_are_added(load):
    experiment = load(expectations=["test.loss <= 0.2", "train.loss < 1"]).experiment
    assert experiment.expect == (
        "test.accuracy >= 0.97", "test.loss <= 0.2", "train.loss < 1")  # fmt: skip


def test_expectations_stand_alone_where_the_file_has_none(load, reference):
    text = reference.replace('expect: ["test.accuracy >= 0.97"]', "expect: null")
    assert load(text=text, expectations=["test.loss < 1"]).experiment.expect == ("test.loss < 1",)


def test_a_wrong_expectation_of_the_command_line_points_at_itself(errors):
    (diagnostic,) = errors(expectations=["test.loss < 1", "test.acuracy > 0.9"])
    assert (diagnostic.source, diagnostic.line, diagnostic.column) == ("--expect 2", 1, 1)
    assert "did you mean 'accuracy'?" in diagnostic.message
    assert diagnostic.key == ""  # it has one name, and that is where it was typed


def test_expectations_do_not_hide_a_list_that_is_none(errors, reference):
    text = reference.replace('["test.accuracy >= 0.97"]', "test.accuracy >= 0.97")
    (diagnostic,) = errors(text=text, expectations=["test.loss < 1"])
    assert diagnostic.message == "expected a list of texts, got 'test.accuracy >= 0.97'"
