"""The embedding whose gradient is a product: the same function and gradient as Keras's."""

import numpy as np
import pytest

VOCABULARY, DIMENSION = 11, 5


@pytest.fixture
def layer(runtime):
    import keras

    made = keras.layers.Embedding(VOCABULARY, DIMENSION)
    made.build()
    return made


@pytest.mark.parametrize("shape", [(4, 7), (1, 1), (30, 2)])
def test_rows_and_their_gradient_are_those_of_keras(layer, random, shape):
    import tensorflow as tf

    from bmtrain.engine.lowerings.embedding import embedding

    tokens = tf.constant(random.integers(0, VOCABULARY, shape).astype(np.int32))
    weights = tf.constant(random.normal(size=(*shape, DIMENSION)).astype(np.float32))
    found = []
    for compute in (layer, lambda inputs: embedding(layer, inputs, 0, 0, tf.constant(0))):
        with tf.GradientTape() as tape:
            outputs = compute(tokens)
            total = tf.reduce_sum(outputs * weights)
        gradient = tf.convert_to_tensor(tape.gradient(total, layer.embeddings.value))
        found.append((outputs.numpy(), gradient.numpy()))
    np.testing.assert_array_equal(found[1][0], found[0][0])
    np.testing.assert_allclose(found[1][1], found[0][1], rtol=1e-6, atol=1e-6)


def test_it_is_used_on_a_gpu_under_xla_alone(runtime):
    import keras

    from bmtrain.engine.lowerings.table import lowerings_used

    model = keras.Sequential(
        [
            keras.Input((6,), dtype="int32"),
            keras.layers.Embedding(VOCABULARY, DIMENSION),
            keras.layers.GlobalAveragePooling1D(),
        ]
    )
    used = {
        (mode, device): lowerings_used(model, mode=mode, device=device)
        for mode in ("xla", "graph")
        for device in ("cpu", "gpu")
    }
    assert used.pop(("xla", "gpu")) == ("embedding",)
    assert set(used.values()) == {()}


def test_a_batch_whose_one_hot_matrix_would_be_large_is_kerass(runtime):
    import keras
    import tensorflow as tf

    from bmtrain.engine.lowerings.embedding import has_room

    layer = keras.layers.Embedding(2**20, 2)
    assert has_room(layer, tf.zeros((4, 64), tf.int32))
    assert not has_room(layer, tf.zeros((4, 65), tf.int32))
