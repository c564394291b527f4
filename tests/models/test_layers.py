"""Initial weights are a pure function of the seed; variables are named by position."""

import numpy as np
import pytest

LAYERS = (
    {"type": "dense", "units": 6, "activation": "relu"},
    {"type": "dropout", "rate": 0.2},
    {"type": "dense", "units": 5, "kernel_initializer": "he_normal"},
    {"type": "dense", "units": 2},
)


@pytest.fixture
def weights(runtime, experiment, dataset):
    """(layers, seed) -> arrays by name."""
    from bmtrain.models.architecture import plan_architecture
    from bmtrain.models.layers.building import build_model, named_variables

    facts = dataset(np.zeros((3, 4), np.float32), np.zeros((3, 2), np.float32)).facts

    def build(layers=LAYERS, seed=0):
        model = build_model(plan_architecture(experiment(*layers), facts), seed=seed)
        return {name: np.array(v.value.numpy()) for name, v in named_variables(model).items()}

    return build


def assert_equal(first, second):
    assert list(first) == list(second)
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name])


def test_the_same_seed_gives_the_same_weights_whatever_was_drawn_before(weights):
    import keras

    first = weights()
    keras.utils.set_random_seed(99)
    keras.random.normal((3, 3))
    assert_equal(first, weights())


def test_another_seed_gives_other_weights(weights):
    first, second = weights(seed=0), weights(seed=1)
    assert not np.array_equal(first["layers.0.kernel"], second["layers.0.kernel"])


def test_kernels_of_one_shape_differ_between_positions(weights):
    square = ({"type": "dense", "units": 4},) * 3 + ({"type": "dense", "units": 2},)
    drawn = weights(square)
    assert not np.array_equal(drawn["layers.0.kernel"], drawn["layers.1.kernel"])
    assert not np.array_equal(drawn["layers.1.kernel"], drawn["layers.2.kernel"])


def test_other_layers_elsewhere_do_not_change_what_a_position_draws(weights):
    changed = (
        {"type": "dense", "units": 6, "kernel_initializer": "glorot_normal"},
        {"type": "activation", "activation": "tanh"},
        *LAYERS[2:],
    )
    longer = (*LAYERS[:3], {"type": "dense", "units": 7}, {"type": "dense", "units": 2})
    before = weights()["layers.2.kernel"]
    np.testing.assert_array_equal(before, weights(changed)["layers.2.kernel"])
    np.testing.assert_array_equal(before, weights(longer)["layers.2.kernel"])


def test_kernels_are_glorot_uniform_and_biases_zero_by_default(weights):
    drawn = weights(({"type": "dense", "units": 200}, {"type": "dense", "units": 2}))
    kernel, limit = drawn["layers.0.kernel"], np.sqrt(6 / (4 + 200))
    assert np.abs(kernel).max() <= limit
    assert kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.1)
    assert not drawn["layers.0.bias"].any()


def test_dropouts_generator_is_no_variable_of_ours(weights):
    assert list(weights()) == [
        "layers.0.kernel",
        "layers.0.bias",
        "layers.2.kernel",
        "layers.2.bias",
        "layers.3.kernel",
        "layers.3.bias",
    ]


def test_a_thousand_layers_are_built_as_the_config_allows(runtime):
    import sys

    from bmtrain.config.sections.layers.core import ActivationLayer
    from bmtrain.models.architecture import Architecture
    from bmtrain.models.layers.building import build_model
    from bmtrain.models.shapes.planned import Given, planned

    section = ActivationLayer(type="activation", activation="relu")
    layer = planned(section, Given((3,), False, "layer 0", (), True, facts=None, planners={}))  # type: ignore[arg-type]  # it asks nothing
    limit = sys.getrecursionlimit()
    assert len(build_model(Architecture((3,), (layer,) * 1000), seed=0).layers) == 1000
    assert sys.getrecursionlimit() == limit


def test_derived_seeds_differ_by_seed_purpose_and_position_and_fit_31_bits(runtime):
    from bmtrain.models.initial_weights import derived_seed

    drawn = {
        derived_seed(seed, purpose, position)
        for seed in (0, 1, 2**32 - 1)
        for purpose in ("kernel", "bias", "dropout")
        for position in range(50)
    }
    assert len(drawn) == 3 * 3 * 50
    assert all(0 <= seed < 2**31 for seed in drawn)
