"""mixed_bfloat16 is Keras's: float32 weights, bfloat16 layers, the last layer and the loss float32."""

import numpy as np
import pytest

from bmtrain.data.splits.order import epoch_order

EPOCHS = 3
MIXED = {"epochs": EPOCHS, "batch_size": 16, "precision": "mixed_bfloat16"}
SPARSE = {"name": "sparse_categorical_crossentropy"}
SOFTMAX = {"type": "dense", "units": 3, "activation": "softmax"}
NUM_EXAMPLES = 40

#: Every family of layers, with nothing random.
STACKS = {
    "vectors": (
        {"type": "dense", "units": 6, "activation": "tanh"},
        {"type": "layer_normalization"},
        {"type": "dropout", "rate": 0.0},
        {"type": "dense", "units": 7},
        {"type": "rms_normalization"},
        {"type": "activation", "activation": "gelu"},
        {"type": "gaussian_noise", "stddev": 0.0},
        {"type": "unit_normalization"},
        {"type": "batch_normalization"},
    ),
    "pictures": (
        {"type": "reshape", "target_shape": [8, 8, 1]},
        {"type": "conv2d", "filters": 4, "kernel_size": 3, "activation": "relu"},
        {"type": "max_pooling2d", "pool_size": 2},
        {"type": "residual", "layers": [{"type": "depthwise_conv2d", "kernel_size": 2, "padding": "same"},
                                        {"type": "group_normalization", "groups": 2}],
         "shortcut": [{"type": "separable_conv2d", "filters": 4, "kernel_size": 1}]},
        {"type": "up_sampling2d", "size": 2},
        {"type": "zero_padding2d", "padding": 1},
        {"type": "average_pooling2d", "pool_size": 2},
        {"type": "global_average_pooling2d"},
    ),
    "steps": (
        {"type": "reshape", "target_shape": [8, 8]},
        {"type": "positional_embedding"},
        {"type": "transformer_block", "num_heads": 2, "intermediate_dim": 5, "use_causal_mask": True},
        {"type": "conv1d", "filters": 4, "kernel_size": 3},
        {"type": "bidirectional", "layer": {"type": "gru", "units": 3, "return_sequences": True}},
        {"type": "max_pooling1d", "pool_size": 2},
        {"type": "lstm", "units": 4, "return_sequences": True},
        {"type": "simple_rnn", "units": 4},
    ),
}  # fmt: skip


@pytest.fixture
def examples(random):
    """64 values each, 3 classes."""
    x = random.normal(size=(NUM_EXAMPLES, 64)).astype(np.float32)
    return x, (x[:, 0] > 0).astype(np.int32) + (x[:, 1] > 0.5)


@pytest.fixture
def run(harness, experiment, dataset, examples):
    """(layers before the last, mode, settings) -> a harness."""
    data = dataset(*examples, validation=examples)

    def make(layers, mode="graph", training=MIXED, **settings):
        settings = {"optimizer": {"name": "sgd", "learning_rate": 0.1}} | settings
        config = experiment(
            *layers, SOFTMAX, loss=SPARSE, metrics=["accuracy"], training=training, **settings
        )
        return harness(config, data, mode=mode)

    return make


def outcome(problem, call, x):
    """Outputs of ``call``, and the gradients of a sum of them, all in one vector."""
    import tensorflow as tf

    variables = problem.model.trainable_variables
    with tf.GradientTape() as tape:
        outputs = call(tf.constant(x))
        total = tf.reduce_sum(outputs * tf.random.stateless_normal(outputs.shape, (3, 4)))
    found = [tf.reshape(tf.convert_to_tensor(g), [-1]) for g in tape.gradient(total, variables)]
    return outputs.numpy(), np.concatenate([g.numpy() for g in found])


def distance(one, other):
    return np.linalg.norm(one - other) / np.linalg.norm(other)


@pytest.mark.parametrize("device", ["cpu", "gpu"])
@pytest.mark.parametrize("stack", STACKS)
def test_our_lowerings_round_as_keras_does(run, random, stack, device):
    """Equal values in a window share their gradient: bfloat16 has many."""
    import tensorflow as tf

    from bmtrain.engine.lowerings.table import forward_in_training, lowerings_used

    problem = run(STACKS[stack]).problem
    used = lowerings_used(problem.model, mode="xla", device=device)
    x = random.normal(size=(16, 64)).astype(np.float32)

    def ours(inputs):
        return forward_in_training(problem, inputs, tf.constant(0, tf.int64), used)

    outputs, gradients = outcome(problem, ours, x)
    expected, of_keras = outcome(problem, lambda inputs: problem.model(inputs, training=True), x)
    assert outputs.dtype == gradients.dtype == np.float32
    np.testing.assert_allclose(outputs, expected, atol=2e-3)
    assert distance(gradients, of_keras) < 0.03


def test_layers_have_the_policies_that_are_promised_and_float32_weights_of_the_same_seed(run):
    """Those that a layer is made of, too; the last layer is float32."""
    mixed, plain = run(STACKS["steps"]), run(STACKS["steps"], training={"epochs": 1})
    *others, last = mixed.problem.model.layers
    inner = [one for layer in others for one in layer._flatten_layers()]
    policies = {layer.dtype_policy.name for layer in inner if type(layer).__name__ != "InputLayer"}
    assert policies == {"mixed_bfloat16"}
    assert last.dtype_policy.name == "float32"
    for name, value in plain.weights().items():
        assert value.dtype == np.float32
        np.testing.assert_array_equal(value, mixed.weights()[name])


def test_what_is_computed_is_not_what_float32_gives(run, random):
    """Else the tests above would hold for layers that ignore their policy."""
    x = random.normal(size=(16, 64)).astype(np.float32)
    problems = [run(STACKS["vectors"], training=t).problem for t in (MIXED, {"epochs": 1})]
    (_, mixed), (_, plain) = (
        outcome(p, lambda x, p=p: p.model(x, training=True), x) for p in problems
    )
    assert 1e-3 < distance(mixed, plain) < 0.1


def fit(initial, model, data):
    """Keras's own training of the model, in our order: weights and the evaluation of all examples."""
    import keras

    model.set_weights(initial)
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", jit_compile=False)
    for epoch in range(EPOCHS):
        order = epoch_order(NUM_EXAMPLES, seed=0, epoch=epoch)
        model.fit(data[0][order], data[1][order], batch_size=16, shuffle=False, verbose=0)
    return model.get_weights(), model.evaluate(*data, verbose=0)


@pytest.mark.parametrize(
    ("stack", "mode"),
    [
        ("vectors", "graph"),
        *(
            pytest.param(stack, mode, marks=pytest.mark.long)
            for stack, mode in (
                ("vectors", "xla"), ("pictures", "graph"), ("pictures", "xla"),
                ("steps", "graph"), ("steps", "xla"),
            )
        ),
    ],
)  # fmt: skip
def test_every_layer_trains_under_each_engine_as_fit_does(run, examples, stack, mode):
    """Rounded otherwise under XLA: which values are in bfloat16 between two operations is its own."""
    import keras

    ours = run(STACKS[stack], mode)
    initial = ours.problem.model.get_weights()
    weights, loss = fit(initial, keras.models.clone_model(ours.problem.model), examples)
    *_, last = ours.train()
    steps = [
        np.concatenate(
            [(after - before).ravel() for after, before in zip(ends, initial, strict=True)]
        )
        for ends in (ours.problem.model.get_weights(), weights)
    ]
    assert distance(*steps) < 0.02
    assert last.validation["loss"] == pytest.approx(loss, abs=2e-3)
