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


@pytest.mark.parametrize(
    ("begin", "is_so"),
    [
        ({"name": "random_normal", "mean": 1, "stddev": 0.02},
         lambda w: abs(w.mean() - 1) < 0.002 and w.std() == pytest.approx(0.02, rel=0.1)),
        ({"name": "truncated_normal", "stddev": 0.5}, lambda w: 0.9 < np.abs(w).max() <= 1),
        ({"name": "random_uniform", "minval": 2, "maxval": 3},
         lambda w: w.min() >= 2 and w.max() <= 3 and w.std() == pytest.approx(12**-0.5, rel=0.1)),
        ({"name": "constant", "value": 0.25}, lambda w: (w == 0.25).all()),
        ({"name": "variance_scaling", "scale": 3, "mode": "fan_out"},
         lambda w: w.var() == pytest.approx(3 / 40, rel=0.15)),
        ({"name": "orthogonal", "gain": 2},
         lambda w: np.allclose(w @ w.T, 4 * np.eye(4), atol=1e-5)),
        ({"name": "identity", "gain": 3}, lambda w: np.array_equal(w, 3 * np.eye(4, 40))),
        ("orthogonal", lambda w: np.allclose(w @ w.T, np.eye(4), atol=1e-5)),
    ],
    ids=lambda value: "" if callable(value) else str(value),
)  # fmt: skip
def test_a_kernel_begins_as_its_initializers_options_say(weights, begin, is_so):
    layers = ({"type": "dense", "units": 40, "kernel_initializer": begin}, *LAYERS[-1:])
    kernel = weights(layers)["layers.0.kernel"]
    assert kernel.shape == (4, 40)
    assert is_so(kernel)
    np.testing.assert_array_equal(kernel, weights(layers)["layers.0.kernel"])


def test_recurrent_layers_attention_and_normalisations_begin_as_they_are_told(weights):
    constant = {"name": "constant", "value": 0.5}
    drawn = weights(
        (
            {"type": "reshape", "target_shape": [2, 2]},
            {
                "type": "lstm",
                "units": 2,
                "return_sequences": True,
                "kernel_initializer": "identity",
                "recurrent_initializer": "ones",
                "bias_initializer": constant,
            },
            {"type": "lstm", "units": 1, "return_sequences": True, "unit_forget_bias": False},
            {
                "type": "multi_head_attention",
                "num_heads": 1,
                "key_dim": 1,
                "kernel_initializer": constant,
                "bias_initializer": "ones",
            },
            {"type": "positional_embedding", "embeddings_initializer": constant},
            {
                "type": "layer_normalization",
                "gamma_initializer": "zeros",
                "beta_initializer": constant,
            },
            {"type": "flatten"},
            {"type": "dense", "units": 2},
        )
    )
    np.testing.assert_array_equal(drawn["layers.1.kernel"], np.eye(2, 8))
    assert (drawn["layers.1.recurrent_kernel"] == 1).all()
    np.testing.assert_array_equal(drawn["layers.1.bias"], [0.5] * 2 + [1] * 2 + [0.5] * 4)
    assert not drawn["layers.2.bias"].any()
    assert drawn["layers.3.value.kernel"] == drawn["layers.3.attention_output.kernel"] == 0.5
    assert drawn["layers.3.query.bias"] == 1
    assert (drawn["layers.4.embeddings"] == 0.5).all()
    assert (drawn["layers.5.gamma"] == 0).all()
    assert (drawn["layers.5.beta"] == 0.5).all()


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
