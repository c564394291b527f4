"""Layers for pictures in every format, loaded by the format's own runtime."""

import json
from typing import Any

import numpy as np
import pytest

from bmtrain.exports.comparison import outputs_of
from bmtrain.exports.safetensors_file import beside
from bmtrain.exports.table import FORMATS

FLATTEN = {"type": "flatten"}
DENSE = {"type": "dense", "units": 4}
SHAPE = (11, 8, 2)


def conv2d(**arguments):
    return {"type": "conv2d", "filters": 3, "kernel_size": 3, **arguments}


NOISE: list[dict[str, Any]] = [
    {"type": "spatial_dropout2d", "rate": 0.5},
    {"type": "gaussian_noise", "stddev": 0.5},
    {"type": "reshape", "target_shape": [22, 8]},
    {"type": "spatial_dropout1d", "rate": 0.5},
    {"type": "gaussian_dropout", "rate": 0.5},
    FLATTEN,
]
NORMALIZED: list[dict[str, Any]] = [
    conv2d(filters=6),
    {"type": "group_normalization", "groups": 3, "epsilon": 0.1},
    {"type": "rms_normalization", "epsilon": 0.01},
    {"type": "unit_normalization"},
    FLATTEN,
]
BY_STEPS: list[dict[str, Any]] = [
    {"type": "depthwise_conv1d", "kernel_size": 3, "strides": 2, "padding": "same"},
    {
        "type": "separable_conv1d",
        "filters": 5,
        "kernel_size": 2,
        "depth_multiplier": 2,
        "activation": "relu",
    },
    {"type": "max_pooling1d", "pool_size": 3, "strides": 1, "padding": "same"},
    {"type": "conv1d", "filters": 4, "kernel_size": 2, "dilation_rate": 2, "padding": "causal"},
    {"type": "average_pooling1d", "pool_size": 3, "strides": 1, "padding": "same"},
    {"type": "global_max_pooling1d"},
]
STACKS: dict[str, list[dict[str, Any]]] = {
    **{
        f"conv2d {padding} {strides}": [
            conv2d(kernel_size=[3, 2], strides=strides, padding=padding, activation="relu"),
            conv2d(use_bias=False, padding="same"),
            FLATTEN,
        ]
        for padding in ("valid", "same")
        for strides in (1, 2, [3, 1])
    },
    "conv2d dilated": [conv2d(dilation_rate=[2, 3], padding="same"), FLATTEN],
    **{
        f"{kind} {padding} {strides}": [
            {"type": kind, "pool_size": [3, 2], "strides": strides, "padding": padding},
            FLATTEN,
        ]
        for kind in ("max_pooling2d", "average_pooling2d")
        for padding in ("valid", "same")
        for strides in (None, 2, [1, 3])
    },
    **{
        f"{kind} {padding}": [
            {"type": "reshape", "target_shape": [22, 8]},
            {"type": kind, "pool_size": 3, "padding": padding},
            {"type": kind, "pool_size": 2, "strides": 1, "padding": padding},
            FLATTEN,
        ]
        for kind in ("max_pooling1d", "average_pooling1d")
        for padding in ("valid", "same")
    },
    **{
        f"{kind} {padding} {strides}": [
            {
                "type": kind,
                "kernel_size": [3, 2],
                "strides": strides,
                "padding": padding,
                "depth_multiplier": 2,
                "activation": "relu",
                **arguments,
            },
            {"type": kind, "kernel_size": 2, "use_bias": False, **arguments},
            FLATTEN,
        ]
        for kind, arguments in (("depthwise_conv2d", {}), ("separable_conv2d", {"filters": 3}))
        for padding in ("valid", "same")
        for strides in (1, 2)
    },
    "by steps": [{"type": "reshape", "target_shape": [22, 8]}, *BY_STEPS],
    "resized": [
        {"type": "zero_padding2d", "padding": [0, 2]},
        {"type": "up_sampling2d", "size": [3, 2]},
        {"type": "zero_padding2d"},
        FLATTEN,
    ],
    "noise": NOISE,
    "normalized": NORMALIZED,
    "normalized without weights": [
        {"type": "group_normalization", "groups": -1, "center": False, "scale": False},
        FLATTEN,
    ],
    "global average": [conv2d(), {"type": "global_average_pooling2d"}],
    "global maximum": [conv2d(), {"type": "global_max_pooling2d"}],
}
#: What the other formats, which Keras writes, are tried with.
WHOLE: dict[str, list[dict[str, Any]]] = {
    "convolutions": [
        conv2d(padding="same", activation="relu"),
        {"type": "max_pooling2d"},
        {"type": "depthwise_conv2d", "kernel_size": 2, "padding": "same", "depth_multiplier": 2},
        {"type": "separable_conv2d", "filters": 4, "kernel_size": 2},
        {"type": "zero_padding2d"},
        conv2d(strides=2),
        {"type": "up_sampling2d"},
        {"type": "average_pooling2d", "pool_size": 2, "padding": "same"},
        {"type": "reshape", "target_shape": [-1, 3]},
        *BY_STEPS,
    ],
    "noise": NOISE,
    "normalized": NORMALIZED,
    "kernel terms": [
        conv2d(kernel_regularizer={"l1": 0.1}, kernel_constraint={"max_norm": 1}),
        {"type": "global_max_pooling2d"},
    ],
    "residual": [
        {
            "type": "residual",
            "layers": [conv2d(strides=2, padding="same"), {"type": "batch_normalization"}],
            "shortcut": [conv2d(kernel_size=1, strides=2, padding="same")],
        },
        {"type": "global_average_pooling2d"},
    ],
    "transformer": [
        {"type": "zero_padding2d", "padding": [2, 1]},
        {"type": "patch_embedding", "patch_size": 5, "output_dim": 6},
        {"type": "positional_embedding"},
        {"type": "transformer_block", "num_heads": 2, "intermediate_dim": 7, "dropout": 0.5},
        {"type": "multi_head_attention", "num_heads": 2, "key_dim": 3},
        {"type": "global_average_pooling1d"},
    ],
}


def outputs_by(format_name, made, directory):
    exporter = FORMATS[format_name]
    assert exporter.objection(made.content.architecture, made.content.facts) is None
    path = directory / f"made{exporter.suffix}"
    exporter.write(made.content, path)
    beside(path).write_text(json.dumps(made.content.description))
    return outputs_of(exporter.load(path), made.features)


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("format_name", ["onnx", "safetensors"])
def test_every_layer_computes_what_keras_computes(exportable, tmp_path, random, format_name, stack):
    features = (
        random.normal(size=(30, *SHAPE)).astype(np.float32) - 1
    )  # padding counts as 0, or not
    made = exportable([*STACKS[stack], DENSE], features)
    outputs = outputs_by(format_name, made, tmp_path)
    scale = np.abs(made.outputs).max()
    np.testing.assert_allclose(outputs, made.outputs, rtol=1e-4, atol=1e-5 * scale)


@pytest.mark.parametrize("whole", WHOLE)
@pytest.mark.parametrize(
    "format_name",
    [
        pytest.param(name, marks=[pytest.mark.long] if name in ("litert", "savedmodel") else [])
        for name in FORMATS
    ],
)
def test_a_whole_model_of_pictures_is_held_by_every_format(
    exportable, tmp_path, random, format_name, whole
):
    features = random.integers(0, 256, size=(30, *SHAPE)).astype(np.uint8)
    made = exportable([*WHOLE[whole], DENSE], features, "unit")
    outputs = outputs_by(format_name, made, tmp_path)
    scale = np.abs(made.outputs).max()
    np.testing.assert_allclose(outputs, made.outputs, rtol=1e-4, atol=1e-5 * scale)
