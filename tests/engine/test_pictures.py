"""Convolutions and pooling compute what Keras's layers do, outputs and gradients, in each engine."""

import numpy as np
import pytest

PAIRS = [(1, 1), (3, 1), (3, 2), ((2, 5), (3, 1)), (2, 3)]


@pytest.fixture
def computed(runtime):
    """(layer, inputs) -> outputs and gradients, by Keras eagerly and lowered under XLA."""
    import tensorflow as tf

    from bmtrain.engine.lowerings.table import LOWERINGS

    def compute(layer, inputs):
        inputs = tf.constant(inputs)
        lowering = next(one for one in LOWERINGS[type(layer)] if one.fits(layer, inputs))
        layer(inputs)  # makes the weights
        for variable in layer.weights:
            variable.assign(tf.random.stateless_normal(variable.shape, (1, 2)))
        weighting = tf.random.stateless_normal(layer(inputs).shape, (3, 4))

        def outcome(call):
            with tf.GradientTape() as tape:
                tape.watch(inputs)
                outputs = call(inputs)
                total = tf.reduce_sum(outputs * weighting)
            return outputs, *tape.gradient(total, [inputs, *(v.value for v in layer.weights)])

        def lowered(values):
            return lowering.compute(layer, values, 0, 0, tf.constant(0, tf.int64))

        plain = outcome(layer)
        compiled = tf.function(lambda: outcome(lowered), jit_compile=True)()
        return [part.numpy() for part in plain], [part.numpy() for part in compiled]

    return compute


def assert_equal(computed, layer, inputs):
    for plain, lowered in zip(*computed(layer, inputs), strict=True):
        scale = np.abs(plain).max()
        np.testing.assert_allclose(lowered, plain, rtol=1e-5, atol=1e-5 * scale)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("kernel_size", "strides"), PAIRS)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_convolution_is_that_of_keras(computed, random, channels, kernel_size, strides, padding):
    import keras

    layer = keras.layers.Conv2D(5, kernel_size, strides=strides, padding=padding, activation="tanh")
    inputs = random.normal(size=(3, 11, 8, channels)).astype(np.float32)
    assert_equal(computed, layer, inputs)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_a_dilated_convolution_without_bias_is_that_of_keras(computed, random, padding):
    import keras

    layer = keras.layers.Conv2D(4, 3, dilation_rate=(2, 3), padding=padding, use_bias=False)
    assert_equal(computed, layer, random.normal(size=(2, 9, 10, 3)).astype(np.float32))


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("strides", "depth_multiplier"), [(1, 1), (2, 3)])
@pytest.mark.parametrize("kind", ["DepthwiseConv2D", "SeparableConv2D"])
def test_a_convolution_by_channel_is_that_of_keras(
    computed, random, kind, strides, depth_multiplier, padding
):
    import keras

    filters = [6] if kind == "SeparableConv2D" else []
    layer = getattr(keras.layers, kind)(
        *filters,
        (3, 2),
        strides=strides,
        padding=padding,
        depth_multiplier=depth_multiplier,
        activation="tanh",
    )
    assert_equal(computed, layer, random.normal(size=(3, 9, 8, 4)).astype(np.float32))


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("kind", ["DepthwiseConv1D", "SeparableConv1D"])
def test_a_convolution_over_steps_by_feature_is_that_of_keras(computed, random, kind, padding):
    import keras

    filters = [6] if kind == "SeparableConv1D" else []
    layer = getattr(keras.layers, kind)(
        *filters, 3, strides=2, padding=padding, depth_multiplier=2, activation="tanh"
    )
    assert_equal(computed, layer, random.normal(size=(3, 9, 4)).astype(np.float32))


@pytest.mark.parametrize("padding", ["valid", "same", "causal"])
@pytest.mark.parametrize("strides", [1, 2])
def test_a_convolution_over_steps_is_that_of_keras(computed, random, padding, strides):
    import keras

    layer = keras.layers.Conv1D(4, 3, strides=strides, padding=padding)
    assert_equal(computed, layer, random.normal(size=(4, 10, 3)).astype(np.float32))


@pytest.mark.parametrize(
    ("kind", "arguments", "shape"),
    [
        ("MaxPooling2D", {"pool_size": 2}, (8, 10, 3)),
        ("MaxPooling2D", {"pool_size": 2}, (7, 9, 3)),
        ("MaxPooling2D", {"pool_size": (3, 2), "padding": "same"}, (9, 4, 2)),
        ("AveragePooling2D", {"pool_size": 3}, (8, 9, 2)),
        ("AveragePooling2D", {"pool_size": (2, 1), "padding": "same"}, (8, 5, 2)),
        ("MaxPooling1D", {"pool_size": 3}, (11, 4)),
        ("AveragePooling1D", {"pool_size": 2, "padding": "same"}, (10, 4)),
        ("MaxPooling2D", {"pool_size": 3, "strides": 2}, (9, 8, 2)),
        ("MaxPooling2D", {"pool_size": (3, 2), "strides": (1, 2), "padding": "same"}, (7, 9, 3)),
        ("MaxPooling1D", {"pool_size": 4, "strides": 3, "padding": "same"}, (11, 4)),
    ],
)
def test_pooling_is_that_of_keras(computed, random, kind, arguments, shape):
    import keras

    layer = getattr(keras.layers, kind)(**arguments)
    assert_equal(computed, layer, random.normal(size=(3, *shape)).astype(np.float32))


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [
        ({"pool_size": 3, "strides": 2}, (9, 9, 2)),
        ({"pool_size": 2, "strides": (2, 1)}, (8, 8, 2)),
        ({"pool_size": 2, "padding": "same"}, (8, 7, 2)),
    ],
)
def test_of_windows_that_overlap_or_are_padded_the_largest_is_lowered(runtime, arguments, shape):
    """XLA has no gradient of Keras's that is the same each time."""
    import keras

    from bmtrain.engine.lowerings.table import lowerings_used

    model = keras.Sequential([keras.Input(shape), keras.layers.MaxPooling2D(**arguments)])
    average = keras.layers.AveragePooling2D(**arguments)
    averaging = keras.Sequential([keras.Input(shape), average])
    for device in ("cpu", "gpu"):
        assert lowerings_used(model, mode="xla", device=device) == ("overlapping_max_pooling",)
        assert lowerings_used(averaging, mode="xla", device=device) == ()


def test_lowerings_are_for_xla_on_a_processor_and_recorded(runtime):
    import keras

    from bmtrain.engine.lowerings.table import lowerings_used

    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(2, 3, padding="same"),
            keras.layers.MaxPooling2D(),
            keras.layers.AveragePooling2D(2, strides=1),
            keras.layers.Dropout(0.5),
        ]
    )
    used = lowerings_used(model, mode="xla", device="cpu")
    assert used == ("conv2d", "dropout_threefry16", "max_pooling")
    assert lowerings_used(model, mode="graph", device="cpu") == ("dropout",)
    assert lowerings_used(model, mode="xla", device="gpu") == ("dropout", "max_pooling")


@pytest.mark.parametrize("mode", ["graph", "xla"])
def test_training_is_that_of_keras_step_by_step(harness, experiment, dataset, random, mode):
    import keras

    pictures = random.normal(size=(40, 9, 9, 2)).astype(np.float32)
    labels = random.integers(0, 3, size=40).astype(np.int32)
    layers = [
        {"type": "conv2d", "filters": 4, "kernel_size": 3, "activation": "relu"},
        {"type": "max_pooling2d"},
        {"type": "conv2d", "filters": 5, "kernel_size": [3, 2], "padding": "same"},
        {"type": "max_pooling2d", "pool_size": 3, "strides": 2, "padding": "same"},
        {"type": "average_pooling2d", "pool_size": 2, "strides": 1},
        {"type": "global_max_pooling2d"},
        {"type": "dense", "units": 3, "activation": "softmax"},
    ]
    config = experiment(
        *layers,
        loss={"name": "sparse_categorical_crossentropy"},
        optimizer={"name": "sgd", "learning_rate": 0.1},
        training={"epochs": 3, "batch_size": "full", "threads": 1},
    )
    made = harness(config, dataset(pictures, labels), mode=mode)
    reference = keras.Sequential(
        [
            keras.Input((9, 9, 2)),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(5, (3, 2), padding="same"),
            keras.layers.MaxPooling2D(3, strides=2, padding="same"),
            keras.layers.AveragePooling2D(2, strides=1),
            keras.layers.GlobalMaxPooling2D(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    reference.set_weights(made.problem.model.get_weights())
    reference.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    made.train()
    for _ in range(3):
        reference.train_on_batch(pictures, labels)
    for one, other in zip(made.problem.model.get_weights(), reference.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    assert made.steps.trace_counts == {"full": 1, "short": 0}
    outputs = made.evaluator.predict(pictures)
    np.testing.assert_allclose(outputs, reference(pictures).numpy(), rtol=1e-4, atol=1e-6)
