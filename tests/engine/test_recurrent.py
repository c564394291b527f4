"""Recurrent layers as XLA is given them compute what Keras's do: outputs, gradients, padding."""

import numpy as np
import pytest

STEPS, FEATURES, UNITS = 6, 3, 4
#: An odd batch goes through the steps at once, the other one in halves.
BATCHES = (5, 16)


@pytest.fixture
def apart(runtime, random):
    """(layer, batch, is_padded) -> of outputs and each gradient, how far its lowering is from it."""
    import tensorflow as tf

    from bmtrain.engine.lowerings.table import LOWERINGS

    def measure(layer, batch, *, is_padded):
        inputs = tf.constant(random.normal(size=(batch, STEPS, FEATURES)).astype(np.float32))
        # Padding within a sequence, too, and a sequence of nothing else.
        mask = tf.constant(random.random((batch, STEPS)) > [[1]] + [[0.4]] * (batch - 1))
        mask = mask if is_padded else None
        layer(inputs)  # makes the weights
        for variable in layer.trainable_variables:
            variable.assign(random.normal(size=variable.shape).astype(np.float32))
        weighting = random.normal(size=layer(inputs).shape).astype(np.float32)
        (lowering,) = LOWERINGS[type(layer)]
        assert lowering.fits(layer, inputs)

        def outcome(call):
            with tf.GradientTape() as tape:
                tape.watch(inputs)
                outputs = call()
                total = tf.reduce_sum(outputs * weighting)
            weights = [v.value for v in layer.trainable_variables]
            return outputs, *tape.gradient(total, [inputs, *weights])

        def lowered():
            return lowering.compute(layer, inputs, 0, 0, tf.constant(0, tf.int64), mask)

        plain = outcome(lambda: layer(inputs, mask=mask))
        compiled = tf.function(outcome, jit_compile=True, autograph=False)(lowered)
        pairs = zip(plain, compiled, strict=True)
        return [np.abs(one - other).max() / max(np.abs(one).max(), 1) for one, other in pairs]

    return measure


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("is_padded", [False, True])
@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize(
    "arguments",
    [{}, {"return_sequences": True, "use_bias": False, "go_backwards": True}],
    ids=["the last step", "each step, backwards, without a bias"],
)
def test_a_recurrent_layer_is_that_of_keras(apart, arguments, batch, is_padded, kind):
    import keras

    layer = getattr(keras.layers, kind)(UNITS, use_cudnn=False, **arguments)
    assert max(apart(layer, batch, is_padded=is_padded)) < 1e-5


@pytest.mark.parametrize("is_padded", [False, True])
@pytest.mark.parametrize(
    ("kind", "merge_mode", "return_sequences"),
    [
        ("LSTM", "concat", True),
        ("GRU", "sum", False),
        ("LSTM", "ave", True),
        ("GRU", "mul", True),
    ],
)
def test_a_layer_in_both_directions_is_that_of_keras(
    apart, kind, merge_mode, return_sequences, is_padded
):
    import keras

    recurrent = getattr(keras.layers, kind)
    one = recurrent(UNITS, use_cudnn=False, return_sequences=return_sequences)
    layer = keras.layers.Bidirectional(one, merge_mode=merge_mode)
    assert max(apart(layer, BATCHES[1], is_padded=is_padded)) < 1e-5


@pytest.mark.parametrize(("kind", "name"), [("LSTM", "lstm"), ("GRU", "gru")])
def test_other_formulas_types_engines_and_devices_are_left_to_keras(runtime, kind, name):
    import keras

    from bmtrain.engine.lowerings.table import lowerings_used

    def used(layer, mode="xla", device="cpu"):
        model = keras.Sequential([keras.Input((STEPS, FEATURES)), layer])
        return lowerings_used(model, mode=mode, device=device)

    def recurrent(**arguments):
        return getattr(keras.layers, kind)(UNITS, use_cudnn=False, **arguments)

    assert used(recurrent()) == (name,)
    assert used(keras.layers.Bidirectional(recurrent())) == ("bidirectional",)
    assert used(recurrent(), mode="graph") == ()
    assert used(recurrent(), device="gpu") == ()
    for arguments in ({"activation": "relu"}, {"dtype": "mixed_bfloat16"}):
        assert used(recurrent(**arguments)) == ()
        assert used(keras.layers.Bidirectional(recurrent(**arguments))) == ()
    simple = keras.layers.SimpleRNN(UNITS)
    assert used(simple) == used(keras.layers.Bidirectional(simple)) == ()


def test_a_gru_whose_reset_comes_before_the_product_is_left_to_keras(runtime):
    import keras

    from bmtrain.engine.lowerings.gru import is_plain_gru

    assert is_plain_gru(keras.layers.GRU(UNITS), None)
    assert not is_plain_gru(keras.layers.GRU(UNITS, reset_after=False), None)
