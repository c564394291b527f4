"""Layers for sequences compute what a plain Keras model with the same weights does, padding too."""

import numpy as np
import pytest

LENGTH, VOCABULARY, EXAMPLES = 7, 11, 60
DENSE = {"type": "dense", "units": 3, "activation": "softmax"}
LSTM = {"type": "lstm", "units": 4}
#: name -> (what stands between the embedding and the last layer, the same in Keras)
STACKS = {
    "simple_rnn": (
        [{"type": "simple_rnn", "units": 4, "activation": "relu"}],
        lambda keras: [keras.layers.SimpleRNN(4, activation="relu")],
    ),
    "lstm": ([LSTM], lambda keras: [keras.layers.LSTM(4)]),
    "gru": ([{"type": "gru", "units": 4}], lambda keras: [keras.layers.GRU(4)]),
    "without biases": (
        [{"type": "gru", "units": 4, "use_bias": False}],
        lambda keras: [keras.layers.GRU(4, use_bias=False)],
    ),
    "two lstm, dropout between": (
        [LSTM | {"return_sequences": True}, {"type": "dropout", "rate": 0.0}, LSTM],
        lambda keras: [keras.layers.LSTM(4, return_sequences=True), keras.layers.LSTM(4)],
    ),
    "bidirectional": (
        [{"type": "bidirectional", "layer": LSTM}],
        lambda keras: [keras.layers.Bidirectional(keras.layers.LSTM(4))],
    ),
    "bidirectional, averaged, then pooled": (
        [
            {
                "type": "bidirectional",
                "layer": {"type": "gru", "units": 4, "return_sequences": True},
                "merge_mode": "ave",
            },
            {"type": "dense", "units": 5, "activation": "tanh"},
            {"type": "layer_normalization"},
            {"type": "global_average_pooling1d"},
        ],
        lambda keras: [
            keras.layers.Bidirectional(
                keras.layers.GRU(4, return_sequences=True), merge_mode="ave"
            ),
            keras.layers.Dense(5, activation="tanh"),
            keras.layers.LayerNormalization(),
            keras.layers.GlobalAveragePooling1D(),
        ],
    ),
    "average": (
        [{"type": "global_average_pooling1d"}],
        lambda keras: [keras.layers.GlobalAveragePooling1D()],
    ),
    "batch normalization": (
        [{"type": "batch_normalization"}, {"type": "global_average_pooling1d"}],
        lambda keras: [keras.layers.BatchNormalization(), keras.layers.GlobalAveragePooling1D()],
    ),
    "convolution": (
        [
            {"type": "conv1d", "filters": 4, "kernel_size": 3, "padding": "same"},
            {"type": "conv1d", "filters": 3, "kernel_size": 2, "strides": 2, "padding": "causal"},
            {"type": "conv1d", "filters": 3, "kernel_size": 3, "use_bias": False},
            {"type": "global_max_pooling1d"},
        ],
        lambda keras: [
            keras.layers.Conv1D(4, 3, padding="same"),
            keras.layers.Conv1D(3, 2, strides=2, padding="causal"),
            keras.layers.Conv1D(3, 3, use_bias=False),
            keras.layers.GlobalMaxPooling1D(),
        ],
    ),
    "flatten": ([{"type": "flatten"}], lambda keras: [keras.layers.Flatten()]),
    "attention": (
        [
            {"type": "positional_embedding"},
            {"type": "multi_head_attention", "num_heads": 2, "key_dim": 3, "value_dim": 4},
            {"type": "global_average_pooling1d"},
        ],
        lambda keras: [
            functional(keras, lambda x: x + places(keras)(x)),
            functional(keras, attention(keras, 2, 3, value_dim=4)),
            keras.layers.GlobalAveragePooling1D(),
        ],
    ),
    "transformer": (
        [
            {"type": "transformer_block", "num_heads": 5, "intermediate_dim": 7},
            {
                "type": "transformer_block",
                "num_heads": 1,
                "intermediate_dim": 3,
                "activation": "relu",
                "normalize_first": False,
                "use_causal_mask": True,
            },
            {"type": "global_average_pooling1d"},
        ],
        lambda keras: [
            functional(keras, normalized_first(keras)),
            functional(keras, normalized_last(keras)),
            keras.layers.GlobalAveragePooling1D(),
        ],
    ),
    "shortcut": (
        [
            {
                "type": "residual",
                "layers": [
                    {"type": "dense", "units": 4, "activation": "relu"},
                    {"type": "batch_normalization"},
                ],
                "shortcut": [{"type": "dense", "units": 4}],
            },
            {"type": "global_average_pooling1d"},
        ],
        lambda keras: [
            functional(
                keras,
                lambda x: (
                    keras.layers.BatchNormalization()(keras.layers.Dense(4, activation="relu")(x))
                    + keras.layers.Dense(4)(x)
                ),
            ),
            keras.layers.GlobalAveragePooling1D(),
        ],
    ),
}


def functional(keras, function):
    x = keras.layers.Input((LENGTH, 5))
    model = keras.Model(x, function(x))
    model.supports_masking = True
    return model


def attention(keras, heads, key_dim, **settings):
    causal = settings.pop("use_causal_mask", False)
    layer = keras.layers.MultiHeadAttention(heads, key_dim, **settings)
    return lambda x: layer(x, x, use_causal_mask=causal)


def places(keras):
    layer = keras.layers.Embedding(LENGTH, 5)
    return lambda x: layer(keras.ops.cumsum(keras.ops.ones_like(x[:, :, 0], "int32"), 1) - 1)


def normalized_first(keras):
    def block(x):
        norm = keras.layers.LayerNormalization(epsilon=1e-5)
        x = x + attention(keras, 5, 1)(norm(x))
        norm = keras.layers.LayerNormalization(epsilon=1e-5)
        return x + keras.layers.Dense(5)(keras.layers.Dense(7, activation="gelu")(norm(x)))

    return block


def normalized_last(keras):
    def block(x):
        x = x + attention(keras, 1, 5, use_causal_mask=True)(x)
        x = keras.layers.LayerNormalization(epsilon=1e-5)(x)
        x = x + keras.layers.Dense(5)(keras.layers.Dense(3, activation="relu")(x))
        return keras.layers.LayerNormalization(epsilon=1e-5)(x)

    return block


@pytest.fixture
def tokens(random):
    """Sequences of every length, padded at the end."""
    drawn = random.integers(1, VOCABULARY, size=(EXAMPLES, LENGTH))
    lengths = 1 + np.arange(EXAMPLES) % LENGTH
    return drawn * (np.arange(LENGTH) < lengths[:, None])


@pytest.fixture
def labels(random):
    return random.integers(0, 3, size=EXAMPLES).astype(np.int32)


@pytest.fixture
def problem(harness, experiment, text_dataset, tokens, labels, random):
    """(layers, mask_zero, changes) -> a harness whose weights are drawn at random."""

    def make(layers, mask_zero, mode="graph", **changes):
        embedding = {"type": "embedding", "output_dim": 5, "mask_zero": mask_zero}
        config = experiment(
            embedding,
            *layers,
            DENSE,
            **({"loss": {"name": "sparse_categorical_crossentropy"}} | changes),
        )
        data = text_dataset(tokens, labels, vocabulary_size=VOCABULARY)
        made = harness(config, data, mode=mode)
        for variable in made.problem.model.variables:
            if variable.dtype == "float32":
                variable.assign(np.abs(random.normal(size=variable.shape)) * 0.3 + 0.1)
        return made

    return make


def twin(made, build, mask_zero):
    """Plain Keras, built by hand, with the same weights in Keras's own order."""
    import keras

    model = keras.Sequential(
        [
            keras.layers.Input((LENGTH,), dtype="int32"),
            keras.layers.Embedding(VOCABULARY, 5, mask_zero=mask_zero),
            *build(keras),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.set_weights(weights(made))
    return model


def weights(made):
    """Without the states of random generators, which Keras keeps with them."""
    return [w for w in made.problem.model.get_weights() if w.dtype == np.float32]


def in_training(made, tokens, mode="xla"):
    import tensorflow as tf

    from bmtrain.engine.lowerings.table import forward_in_training, lowerings_used

    step = tf.constant(0, tf.int64)
    used = lowerings_used(made.problem.model, mode=mode, device="cpu")
    return forward_in_training(made.problem, tf.constant(tokens, tf.int32), step, used).numpy()


@pytest.mark.filterwarnings("ignore:.*does not support masking")
@pytest.mark.parametrize("mask_zero", [True, False])
@pytest.mark.parametrize("stack", STACKS)
def test_outputs_are_those_of_keras(problem, tokens, stack, mask_zero):
    layers, build = STACKS[stack]
    made = problem(layers, mask_zero)
    reference = twin(made, build, mask_zero)
    expected = reference(tokens, training=False).numpy()
    outputs = made.evaluator.predict(tokens.astype(np.uint16))
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-6)
    expected = reference(tokens, training=True).numpy()
    np.testing.assert_allclose(in_training(made, tokens), expected, rtol=1e-5, atol=1e-6)


def test_the_mask_survives_dropout(problem, tokens):
    """Keras knows nothing of its lowering: without the mask padding would be steps."""
    made = problem([{"type": "dropout", "rate": 0.5}, LSTM], mask_zero=True)
    before = in_training(made, tokens, mode="graph")
    table = made.problem.model.layers[0].embeddings
    values = np.array(table.numpy())
    values[0] = 9  # the vector of padding
    table.assign(values)
    np.testing.assert_array_equal(before, in_training(made, tokens, mode="graph"))


@pytest.mark.parametrize("mode", ["graph", "xla"])
def test_attention_drops_by_step_with_the_generator_that_is_recorded(problem, tokens, mode):
    import tensorflow as tf

    from bmtrain.engine.lowerings.table import forward_in_training, lowerings_used

    block = {"type": "transformer_block", "num_heads": 1, "intermediate_dim": 3, "dropout": 0.5}
    made = problem([block, {"type": "global_average_pooling1d"}], mask_zero=False)
    used = lowerings_used(made.problem.model, mode=mode, device="cpu")
    products = ("dense", "dropout_threefry16", "layer_normalization", "self_attention_products")
    assert used == (products if mode == "xla" else ("dropout", "self_attention"))

    @tf.function(jit_compile=mode == "xla")
    def outputs(step):
        return forward_in_training(made.problem, tf.constant(tokens, tf.int32), step, used)

    first, second, again = (outputs(tf.constant(at, tf.int64)).numpy() for at in (4, 5, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, second)


@pytest.mark.parametrize(
    ("mode", "stack"),
    [
        pytest.param("graph", "bidirectional", marks=pytest.mark.long),
        ("graph", "transformer"),
        ("graph", "shortcut"),
        ("xla", "bidirectional"),
        pytest.param("xla", "transformer", marks=pytest.mark.long),
        pytest.param("xla", "shortcut", marks=pytest.mark.long),
    ],
)
def test_training_is_that_of_keras_step_by_step(problem, tokens, labels, mode, stack):
    import keras

    layers, build = STACKS[stack]
    training = {"epochs": 2, "batch_size": EXAMPLES, "threads": 1}
    made = problem(layers, True, mode, training=training)
    reference = twin(made, build, True)
    reference.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    made.train()
    for _ in range(2):
        reference.train_on_batch(tokens, labels)
    for one, other in zip(weights(made), reference.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    assert made.steps.trace_counts == {"full": 1, "short": 0}


def test_the_penalty_is_over_kernels_and_recurrent_kernels(problem):
    made = problem([{"type": "bidirectional", "layer": LSTM}], mask_zero=True)
    shapes = sorted(tuple(kernel.shape) for kernel in made.problem.kernels)
    assert shapes == sorted([(5, 16), (4, 16), (5, 16), (4, 16), (8, 3)])
