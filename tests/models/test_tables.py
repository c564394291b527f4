"""The schema's choices and defaults, the tables behind them, and Keras agree."""

import inspect
from typing import Annotated, get_args, get_origin

import pytest

from bmtrain.config.sections import loss as loss_sections
from bmtrain.config.sections import metrics as metric_sections
from bmtrain.config.sections import optimizer as optimizer_sections
from bmtrain.config.sections.layers import arguments
from bmtrain.config.sections.layers.union import Layer


def members(union):
    """The section classes of a discriminated union."""
    assert get_origin(union) is Annotated
    return get_args(get_args(union)[0])


def tag(section, key):
    return get_args(section.model_fields[key].annotation)[0]


LAYERS = {tag(section, "type"): section for section in members(Layer)}
LOSSES = {tag(section, "name"): section for section in members(loss_sections.Loss)}
OPTIMIZERS = {tag(section, "name"): section for section in members(optimizer_sections.Optimizer)}

#: Keras's class for each optimizer, from its documentation.
KERAS_OPTIMIZERS = {
    "gradient_descent": "SGD",
    "sgd": "SGD",
    "adam": "Adam",
    "adamw": "AdamW",
    "rmsprop": "RMSprop",
    "adagrad": "Adagrad",
    "nadam": "Nadam",
    "lion": "Lion",
    "muon": "Muon",
}


@pytest.fixture
def keras(runtime):
    import keras

    return keras


def test_every_layer_type_has_one_planner_and_one_builder(keras):
    from bmtrain.models.layers.table import LAYERS as BUILDERS
    from bmtrain.models.layers.table import MODELS
    from bmtrain.models.shapes.composite import BLOCKS
    from bmtrain.models.shapes.table import PLANNERS

    assert set(PLANNERS) == {*BUILDERS, *MODELS, "residual"}
    assert {*PLANNERS, *BLOCKS} == set(LAYERS)
    assert not PLANNERS.keys() & BLOCKS.keys()


def test_every_loss_has_one_builder(keras):
    from bmtrain.models import losses

    assert set(losses.LOSSES) == set(LOSSES)


def test_every_optimizer_has_its_keras_class(keras):
    from bmtrain.models import optimizers

    expected = {name: getattr(keras.optimizers, kind) for name, kind in KERAS_OPTIMIZERS.items()}
    assert expected == optimizers.OPTIMIZERS
    assert set(OPTIMIZERS) == set(expected)


def test_every_initializer_has_its_keras_class(keras):
    from bmtrain.models.initial_weights import INITIALIZERS

    assert set(INITIALIZERS) == set(get_args(arguments.Initializer))
    for name, build in INITIALIZERS.items():
        assert type(build(3)) is type(keras.initializers.get(name))


def test_every_metric_is_a_running_mean_or_of_a_whole_split(keras, experiment):
    from bmtrain.models.metrics import build_metrics
    from bmtrain.models.split_figures import split_figures

    names = get_args(metric_sections.Metric)
    running = build_metrics(names, threshold=0.5)
    whole = split_figures(experiment({"type": "flatten"}, metrics=list(names)))
    assert set(running) == metric_sections.RUNNING
    assert set(whole) == set(names) - set(running)


def test_keras_knows_every_activation(keras):
    for name in get_args(arguments.Activation):
        assert keras.activations.get(name).__name__ == name


def test_more_is_better_for_all_but_losses_and_errors():
    errors = {name for name in get_args(metric_sections.Metric) if "error" in name}
    worse = errors | {"log_loss", "brier_score"}
    assert set(get_args(metric_sections.Metric)) - worse == metric_sections.HIGHER_IS_BETTER


@pytest.mark.parametrize("name", sorted(set(OPTIMIZERS) - {"gradient_descent"}))
def test_an_optimizers_defaults_are_those_of_keras(keras, name):
    parameters = inspect.signature(getattr(keras.optimizers, KERAS_OPTIMIZERS[name])).parameters
    for key, field in OPTIMIZERS[name].model_fields.items():
        if key not in ("name", "exclude_from_weight_decay"):  # Keras's is a method
            assert field.default == parameters[key].default, key


@pytest.mark.parametrize(
    "name",
    ["adam", "adamw", "rmsprop", "adagrad", "nadam", "lion", "muon", "sgd", "gradient_descent"],
)
def test_what_an_optimizer_does_is_in_its_config(keras, name):
    """An argument that Keras sets to something, and no config shows, would be a hidden default."""
    of_every_optimizer = {"ema_momentum", "name", "kwargs", "self"}
    fixed = {
        "muon": {"muon_a", "muon_b", "muon_c", "exclude_embeddings"},
        "gradient_descent": {"momentum", "nesterov"},  # off, by its definition
    }
    parameters = inspect.signature(getattr(keras.optimizers, KERAS_OPTIMIZERS[name])).parameters
    for key, parameter in parameters.items():
        if key in of_every_optimizer | fixed.get(name, set()):
            continue
        is_off = parameter.default in (None, False)
        assert is_off or key in OPTIMIZERS[name].model_fields, key


#: Keras's class for each layer, where it is not the name in camel case.
KERAS_LAYERS = {
    "lstm": "LSTM",
    "gru": "GRU",
    "simple_rnn": "SimpleRNN",
    "rms_normalization": "RMSNormalization",
}


def keras_name(type_name):
    camel = "".join(part.capitalize() for part in type_name.split("_"))
    return KERAS_LAYERS.get(type_name, camel.replace("1d", "1D").replace("2d", "2D"))


#: Of which Keras has no layer by that name.
OURS = {"positional_embedding", "patch_embedding", "residual", "transformer_block"}


@pytest.mark.parametrize("type_name", sorted(set(LAYERS) - {"bidirectional", "embedding"} - OURS))
def test_layers_defaults_are_those_of_keras(keras, type_name):
    parameters = inspect.signature(getattr(keras.layers, keras_name(type_name))).parameters
    for key, field in LAYERS[type_name].model_fields.items():
        if key in ("type", "use_causal_mask"):  # Keras takes it where the layer is called
            continue
        expected = parameters[key].default
        if expected is inspect.Parameter.empty:
            assert field.is_required(), key
            continue
        if key == "activation" and expected is None:
            expected = "linear"
        one = (field.default, field.default) if isinstance(expected, tuple) else field.default
        assert one == expected, key


def test_losses_defaults_are_those_of_keras(keras):
    for name, section in LOSSES.items():
        function = getattr(keras.losses, name, None)
        if function is None:
            assert name == "half_mean_squared_error"
            continue
        parameters = inspect.signature(function).parameters
        for key, field in section.model_fields.items():
            if (name, key) == ("sparse_categorical_crossentropy", "label_smoothing"):
                assert field.default == 0  # Keras has none: it is that of one-hot targets
            elif key != "name":
                assert field.default == parameters[key].default, (name, key)
