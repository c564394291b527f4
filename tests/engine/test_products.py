"""Layers over many rows compute what Keras's do under XLA, outputs and gradients."""

import numpy as np
import pytest

BATCH, STEPS, WIDTH = 5, 6, 8


@pytest.fixture
def apart(runtime):
    """(layer, lowered, inputs) -> of outputs and each gradient, how far lowered is from the layer."""
    import tensorflow as tf

    def measure(layer, lowered, inputs):
        inputs = tf.constant(inputs)
        layer(inputs)  # makes the weights
        for variable in layer.trainable_variables:
            variable.assign(tf.random.stateless_normal(variable.shape, (1, 2)))
        weighting = tf.random.stateless_normal(layer(inputs).shape, (3, 4))

        def outcome(call):
            with tf.GradientTape() as tape:
                tape.watch(inputs)
                outputs = call(inputs)
                total = tf.reduce_sum(outputs * weighting)
            weights = [v.value for v in layer.trainable_variables]
            return outputs, *tape.gradient(total, [inputs, *weights])

        plain = outcome(layer)
        compiled = tf.function(lambda: outcome(lowered), jit_compile=True, autograph=False)()
        # A bias of the keys changes nothing: its gradient is 0 but for rounding.
        pairs = zip(plain, compiled, strict=True)
        return [np.abs(one - other).max() / max(np.abs(one).max(), 1) for one, other in pairs]

    return measure


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("Dense", {"units": 3, "activation": "gelu"}),
        ("Dense", {"units": 9, "use_bias": False, "activation": "tanh"}),
        ("LayerNormalization", {"epsilon": 1e-5}),
        ("LayerNormalization", {"center": False, "scale": False}),
    ],
)
def test_a_layer_over_rows_is_that_of_keras(apart, random, kind, arguments):
    import keras
    import tensorflow as tf

    from bmtrain.engine.lowerings.table import LOWERINGS

    layer = getattr(keras.layers, kind)(**arguments)
    inputs = 2 + 3 * random.normal(size=(BATCH, STEPS, WIDTH)).astype(np.float32)
    (lowering,) = LOWERINGS[type(layer)]
    layer.build(inputs.shape)
    assert lowering.fits(layer, tf.constant(inputs))

    def lowered(values):
        return lowering.compute(layer, values, 0, 0, tf.constant(0, tf.int64))

    assert max(apart(layer, lowered, inputs)) < 1e-5


def test_a_narrow_dense_layer_is_that_of_keras(apart, random):
    import keras
    import tensorflow as tf

    from bmtrain.engine.lowerings.table import LOWERINGS, lowerings_used

    layer = keras.layers.Dense(2, activation="tanh")
    inputs = random.normal(size=(BATCH, 256)).astype(np.float32)
    model = keras.Sequential([keras.Input((256,)), layer])
    assert lowerings_used(model, mode="xla", device="cpu") == ("dense",)

    def lowered(values):
        (lowering,) = LOWERINGS[keras.layers.Dense]
        return lowering.compute(layer, values, 0, 0, tf.constant(0, tf.int64))

    assert max(apart(layer, lowered, inputs)) < 1e-5


@pytest.mark.parametrize(
    ("is_causal", "use_bias"),
    [
        (True, True),
        *(
            pytest.param(*case, marks=pytest.mark.long)
            for case in ((True, False), (False, True), (False, False))
        ),
    ],
)
def test_attention_by_products_is_that_of_keras(apart, random, is_causal, use_bias):
    import keras

    from bmtrain.engine.lowerings.attention import who_sees_whom
    from bmtrain.engine.lowerings.attention_products import self_attention_by_products
    from bmtrain.models.layers.inner_names import inner_name

    attention = keras.layers.MultiHeadAttention(
        2, 3, value_dim=4, use_bias=use_bias, name=inner_name("attention", 0)
    )
    inputs = random.normal(size=(BATCH, STEPS, WIDTH)).astype(np.float32)
    sequences = keras.Input(inputs.shape[1:])
    model = keras.Model(sequences, attention(sequences, sequences, use_causal_mask=is_causal))
    allowed = who_sees_whom(None, STEPS, is_causal=is_causal)

    def lowered(values):
        return self_attention_by_products(attention, values, allowed, key=None)

    assert max(apart(model, lowered, inputs)) < 5e-5


def test_one_row_for_each_example_and_other_types_are_left_to_keras(runtime):
    import keras

    from bmtrain.engine.lowerings.table import lowerings_used

    rows = keras.Sequential([keras.Input((784,)), keras.layers.Dense(128)])
    assert lowerings_used(rows, mode="xla", device="cpu") == ()
    steps = keras.Sequential([keras.Input((2, 4)), keras.layers.Dense(3)])
    assert lowerings_used(steps, mode="xla", device="cpu") == ("dense",)
    assert lowerings_used(steps, mode="graph", device="cpu") == ()
    assert lowerings_used(steps, mode="xla", device="gpu") == ()
    halves = keras.layers.Dense(3, dtype="mixed_bfloat16")
    mixed = keras.Sequential([keras.Input((2, 4)), halves])
    assert lowerings_used(mixed, mode="xla", device="cpu") == ()
