"""Gradient checkpointing changes what is kept, and nothing that is computed."""

import numpy as np
import pytest

STEPS, WIDTH = 6, 8
SPARSE = {"name": "sparse_categorical_crossentropy"}
POOL = {"type": "global_average_pooling1d"}
SOFTMAX = {"type": "dense", "units": 3, "activation": "softmax"}
BLOCK = {"type": "transformer_block", "num_heads": 2, "intermediate_dim": 5, "dropout": 0.3}


def dense(units, **settings):
    return {"type": "dense", "units": units, **settings}


def residual(*layers, shortcut=(), **settings):
    return {"type": "residual", "layers": list(layers), "shortcut": list(shortcut), **settings}


#: remat -> layers: everything that a block may have which is not a function of its inputs alone.
STACKS = {
    "dropout": lambda remat: [BLOCK | {"remat": remat}] * 2,
    "moving statistics": lambda remat: [
        residual(
            dense(4, kernel_regularizer={"l2": 0.1}),
            {"type": "batch_normalization"},
            {"type": "gaussian_noise", "stddev": 0.2},
            shortcut=[dense(4), {"type": "batch_normalization"}],
            remat=remat,
        )
    ],
    "nested, normalised last": lambda remat: [
        residual(
            residual(dense(8), {"type": "batch_normalization"}, remat=remat),
            {"type": "lstm", "units": 8, "return_sequences": True},
            remat=remat,
        ),
        BLOCK | {"remat": remat, "normalize_first": False, "use_causal_mask": True},
    ],
}


@pytest.fixture
def run(harness, experiment, dataset, random):
    x = random.normal(size=(25, STEPS, WIDTH)).astype(np.float32)
    labels = np.arange(25, dtype=np.int32) % 3
    data = dataset(x, labels, validation=(x, labels))

    def make(layers, mode="graph", **training):
        config = experiment(
            *layers, POOL, SOFTMAX, loss=SPARSE, optimizer={"name": "adam", "learning_rate": 0.01},
            training={"epochs": 2, "batch_size": 10} | training,
        )  # fmt: skip
        return harness(config, data, mode=mode)

    return make


@pytest.mark.parametrize("stack", STACKS)
def test_gradients_masks_and_moving_statistics_are_those_without(run, stack):
    """To the rounding of sums: the gradients of a block's two paths may be added in another order."""
    import tensorflow as tf

    from bmtrain.engine.lowerings.table import forward_in_training, lowerings_used
    from bmtrain.models.layers.building import named_variables

    def outcome(remat):
        problem = run(STACKS[stack](remat)).problem
        variables = problem.model.trainable_variables
        used = lowerings_used(problem.model, mode="graph", device="cpu")
        inputs = tf.random.stateless_normal((10, STEPS, WIDTH), (1, 2))
        with tf.GradientTape() as tape:
            outputs = forward_in_training(problem, inputs, tf.constant(3, tf.int64), used)
            total = tf.reduce_sum(outputs * tf.random.stateless_normal(outputs.shape, (3, 4)))
        gradients = tape.gradient(total, variables)
        moving = named_variables(problem.model).values()
        return [value.numpy() for value in (outputs, *gradients, *(v.value for v in moving))]

    plain, again = outcome(remat=False), outcome(remat=True)
    assert max(np.abs(value).max() for value in plain[1:]) > 1e-3
    for one, other in zip(plain, again, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("mode", ["graph", pytest.param("xla", marks=pytest.mark.long)])
@pytest.mark.parametrize(
    "precision", ["float32", pytest.param("mixed_bfloat16", marks=pytest.mark.long)]
)
def test_a_training_ends_in_the_weights_of_one_without(run, mode, precision):
    layers = STACKS["moving statistics"]
    plain, again = (run(layers(remat), mode, precision=precision) for remat in (False, True))
    epochs = zip(plain.train(), again.train(), strict=True)
    weights, near = plain.weights(), 1e-5 if precision == "float32" else 1e-2
    for name, value in again.weights().items():
        np.testing.assert_allclose(value, weights[name], atol=near, err_msg=name)
    for one, other in epochs:
        assert one.train == pytest.approx(other.train, rel=near)
        assert one.validation == pytest.approx(other.validation, rel=near)


@pytest.mark.filterwarnings("ignore:device_name is being deprecated")
@pytest.mark.parametrize(
    "precision", ["float32", pytest.param("mixed_bfloat16", marks=pytest.mark.long)]
)
def test_xla_really_computes_the_block_again(run, precision):
    """Products: 3 forward, 5 backward, and the first of the block's two again, with its tanh."""
    import tensorflow as tf

    from bmtrain.engine.lowerings.table import forward_in_training

    def operations(remat):
        block = residual(dense(16, activation="tanh"), dense(WIDTH), remat=remat)
        problem = run([block], precision=precision).problem

        @tf.function(jit_compile=True, autograph=False)
        def gradient(inputs):
            with tf.GradientTape() as tape:
                tape.watch(inputs)
                outputs = forward_in_training(problem, inputs, tf.constant(0, tf.int64), ())
                total = tf.reduce_sum(tf.square(outputs))
            return tape.gradient(total, problem.model.trainable_variables)

        inputs = tf.ones((10, STEPS, WIDTH))
        code = gradient.experimental_get_compiler_ir(inputs)(
            stage="optimized_hlo", device_name="/device:CPU:0"
        )
        return code.count(" tanh("), code.count(" dot(")

    assert operations(remat=False) == (1, 8)
    assert operations(remat=True) == (2, 9)
