"""What XLA makes of a training step for a GPU: nothing is added up at indices.

There it would be added up in another order each time, or, in one that is always the same, one
entry after the other; for some gradients XLA has no such form at all.
"""

from typing import Any

import numpy as np
import pytest

# Without that name TensorFlow draws a random number, without a seed.
pytestmark = pytest.mark.filterwarnings("ignore:device_name is being deprecated")

POOL: dict[str, Any] = {"type": "global_average_pooling1d"}
MANY: dict[str, Any] = {"num_heads": 2}


def over(kind, **settings):
    return {"type": kind, **settings}


#: Kind of inputs -> layer type -> it, as in a config, with what else it needs after it.
LAYERS: dict[str, dict[str, list[dict[str, Any]]]] = {
    "vectors": {
        "dense": [over("dense", units=3)],
        "activation": [over("activation", activation="relu")],
        "dropout": [over("dropout", rate=0.1)],
        "gaussian_dropout": [over("gaussian_dropout", rate=0.1)],
        "gaussian_noise": [over("gaussian_noise", stddev=0.1)],
        "batch_normalization": [over("batch_normalization")],
        "layer_normalization": [over("layer_normalization")],
        "group_normalization": [over("group_normalization", groups=2)],
        "rms_normalization": [over("rms_normalization")],
        "unit_normalization": [over("unit_normalization")],
        "reshape": [over("reshape", target_shape=[2, 2]), over("flatten")],
        "residual": [over("residual", layers=[over("dense", units=4)])],
    },
    "sequences": {
        "spatial_dropout1d": [over("spatial_dropout1d", rate=0.1), POOL],
        "simple_rnn": [over("simple_rnn", units=3)],
        "lstm": [over("lstm", units=3)],
        "gru": [over("gru", units=3)],
        "bidirectional": [over("bidirectional", layer=over("lstm", units=3))],
        "conv1d": [over("conv1d", filters=3, kernel_size=2), POOL],
        "depthwise_conv1d": [over("depthwise_conv1d", kernel_size=2), POOL],
        "separable_conv1d": [over("separable_conv1d", filters=3, kernel_size=2), POOL],
        "max_pooling1d": [over("max_pooling1d", pool_size=2, strides=1), POOL],
        "average_pooling1d": [over("average_pooling1d", pool_size=2, strides=1), POOL],
        "global_average_pooling1d": [POOL],
        "global_max_pooling1d": [over("global_max_pooling1d")],
        "multi_head_attention": [over("multi_head_attention", key_dim=2, **MANY), POOL],
        "positional_embedding": [over("positional_embedding"), POOL],
        "transformer_block": [over("transformer_block", intermediate_dim=3, **MANY), POOL],
    },
    "tokens": {
        "embedding": [over("embedding", output_dim=3, mask_zero=True), POOL],
    },
    "pictures": {
        "flatten": [over("flatten")],
        "spatial_dropout2d": [over("spatial_dropout2d", rate=0.1), over("flatten")],
        "conv2d": [over("conv2d", filters=3, kernel_size=2), over("flatten")],
        "depthwise_conv2d": [over("depthwise_conv2d", kernel_size=2), over("flatten")],
        "separable_conv2d": [over("separable_conv2d", filters=3, kernel_size=2), over("flatten")],
        "zero_padding2d": [over("zero_padding2d", padding=1), over("flatten")],
        "up_sampling2d": [over("up_sampling2d", size=2), over("flatten")],
        "max_pooling2d": [
            over("max_pooling2d", pool_size=2),
            over("max_pooling2d", pool_size=3, strides=2, padding="same"),
            over("flatten"),
        ],
        "average_pooling2d": [
            over("average_pooling2d", pool_size=3, strides=2, padding="same"),
            over("flatten"),
        ],
        "global_average_pooling2d": [over("global_average_pooling2d")],
        "global_max_pooling2d": [over("global_max_pooling2d")],
        "patch_embedding": [over("patch_embedding", patch_size=2, output_dim=3), POOL],
    },
}
#: So that each layer stands behind a weight: its gradient is asked for, too.
BEFORE: dict[str, list[dict[str, Any]]] = {
    "vectors": [over("dense", units=4)],
    "sequences": [over("dense", units=4)],
    "tokens": [],
    "pictures": [over("conv2d", filters=2, kernel_size=1)],
}
SPARSE: dict[str, Any] = {"name": "sparse_categorical_crossentropy"}
NUM_EXAMPLES = 8


@pytest.fixture
def data(dataset, text_dataset):
    labels = np.arange(NUM_EXAMPLES, dtype=np.int32) % 3

    def make(kind):
        if kind == "tokens":
            return text_dataset(np.ones((NUM_EXAMPLES, 6), np.uint16), labels, vocabulary_size=9)
        shape = {"vectors": (4,), "sequences": (6, 4), "pictures": (8, 8, 2)}[kind]
        return dataset(np.ones((NUM_EXAMPLES, *shape), np.float32), labels)

    return make


@pytest.fixture
def compiled_for_a_gpu(harness, experiment):
    """(dataset, layers, loss, metrics) -> XLA's first text of a training step, with a GPU's lowerings."""
    import tensorflow as tf

    def compile_step(data, *layers, loss=SPARSE, metrics=()):
        training = {"epochs": 1, "batch_size": NUM_EXAMPLES, "threads": 1}
        config = experiment(*layers, loss=loss, metrics=list(metrics), training=training)
        steps = harness(config, data, mode="xla", device="gpu").steps
        order = tf.range(NUM_EXAMPLES)
        arrays = (steps._feed.blank(), *steps._arrays, order)
        bounds, sums = tf.zeros(4, tf.int64), tf.zeros(steps.num_sums, tf.float64)
        compiler = steps._full._compiled.experimental_get_compiler_ir(arrays, bounds, sums)
        text = compiler("hlo", "/job:localhost/replica:0/task:0/device:CPU:0")
        assert "while(" in text
        return text

    return compile_step


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, layers in LAYERS.items() for name in layers]
)
def test_no_layers_gradient_is_added_up_at_indices(compiled_for_a_gpu, data, kind, name):
    output = over("dense", units=3, activation="softmax")
    text = compiled_for_a_gpu(data(kind), *BEFORE[kind], *LAYERS[kind][name], output)
    assert "scatter(" not in text


def test_every_layer_is_looked_at():
    from bmtrain.config.sections.layers.union import Layer

    known = {section.model_fields["type"].annotation for section in Layer.__args__[0].__args__}
    names = {name for annotation in known for name in annotation.__args__}
    assert {name for layers in LAYERS.values() for name in layers} == names


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("name", ["sparse_categorical_crossentropy", "categorical_crossentropy"])
def test_no_losss_gradient_is_added_up_at_indices(compiled_for_a_gpu, data, name, from_logits):
    loss = {"name": name, "from_logits": from_logits}
    output = over("dense", units=3, activation="linear" if from_logits else "softmax")
    metrics = ("accuracy", "top_5_accuracy")
    text = compiled_for_a_gpu(data("vectors"), output, loss=loss, metrics=metrics)
    assert "scatter(" not in text
