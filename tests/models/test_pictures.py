"""The shapes of layers for pictures are those that Keras builds; what does not fit is told."""

import math
from typing import Any

import numpy as np
import pytest

from bmtrain.errors import DataError
from bmtrain.models.architecture import plan_architecture

SPARSE = {"name": "sparse_categorical_crossentropy"}
FLATTEN = {"type": "flatten"}
DENSE = {"type": "dense", "units": 3, "activation": "softmax"}
#: Neither side is a multiple of the windows and strides below.
PICTURE = (11, 8, 2)


def conv2d(filters=4, kernel_size: Any = 3, **more):
    return {"type": "conv2d", "filters": filters, "kernel_size": kernel_size, **more}


@pytest.fixture
def planned(experiment, dataset):
    def plan(*layers, shape=PICTURE):
        labels = np.arange(6, dtype=np.int32) % 3
        facts = dataset(np.zeros((6, *shape), np.float32), labels).facts
        return plan_architecture(experiment(*layers, loss=SPARSE), facts)

    return plan


STACKS: dict[str, list[dict[str, Any]]] = {
    **{
        f"conv2d {padding} {kernel_size} {strides}": [
            conv2d(kernel_size=kernel_size, strides=strides, padding=padding),
            FLATTEN,
        ]
        for padding in ("valid", "same")
        for kernel_size, strides in ((1, 1), (3, 2), ([2, 5], [3, 1]), (3, 4))
    },
    "conv2d dilated": [conv2d(dilation_rate=[2, 3]), FLATTEN],
    "conv2d without bias": [conv2d(use_bias=False), conv2d(kernel_size=[6, 1]), FLATTEN],
    **{
        f"{kind} {padding} {pool_size} {strides}": [
            {"type": kind, "pool_size": pool_size, "strides": strides, "padding": padding},
            FLATTEN,
        ]
        for kind in ("max_pooling2d", "average_pooling2d")
        for padding in ("valid", "same")
        for pool_size, strides in ((2, None), (3, 2), ([3, 2], None), (2, [4, 1]))
    },
    "max_pooling2d as it is": [{"type": "max_pooling2d"}, FLATTEN],
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
        f"{kind} {padding} {more}": [
            {"type": kind, "kernel_size": [3, 2], "padding": padding, **arguments, **more},
            FLATTEN,
        ]
        for kind, arguments in (("depthwise_conv2d", {}), ("separable_conv2d", {"filters": 5}))
        for padding in ("valid", "same")
        for more in ({}, {"strides": 2, "depth_multiplier": 3}, {"use_bias": False})
    },
    "by steps": [
        {"type": "reshape", "target_shape": [22, 8]},
        {"type": "conv1d", "filters": 4, "kernel_size": 3, "dilation_rate": 2, "padding": "causal"},
        {"type": "depthwise_conv1d", "kernel_size": 3, "strides": 2, "depth_multiplier": 2},
        {"type": "separable_conv1d", "filters": 5, "kernel_size": 2, "depth_multiplier": 3},
        {"type": "separable_conv1d", "filters": 3, "kernel_size": 4, "padding": "same"},
        {"type": "conv1d", "filters": 2, "kernel_size": 3, "dilation_rate": 3},
        FLATTEN,
    ],
    "zero_padding2d": [{"type": "zero_padding2d"}, FLATTEN],
    "zero_padding2d apart": [{"type": "zero_padding2d", "padding": [0, 3]}, FLATTEN],
    "up_sampling2d": [{"type": "up_sampling2d"}, FLATTEN],
    "up_sampling2d apart": [{"type": "up_sampling2d", "size": [1, 3]}, FLATTEN],
    "noise": [
        {"type": "spatial_dropout2d", "rate": 0.5},
        {"type": "gaussian_noise", "stddev": 0.1},
        {"type": "reshape", "target_shape": [22, 8]},
        {"type": "spatial_dropout1d", "rate": 0.5},
        {"type": "gaussian_dropout", "rate": 0.5},
        FLATTEN,
    ],
    "group_normalization": [conv2d(), {"type": "group_normalization", "groups": 2}, FLATTEN],
    "bare group_normalization": [
        {"type": "group_normalization", "groups": -1, "center": False, "scale": False},
        FLATTEN,
    ],
    "rms_normalization": [{"type": "rms_normalization"}, FLATTEN],
    "unit_normalization": [{"type": "unit_normalization"}, FLATTEN],
    "global average": [conv2d(), {"type": "global_average_pooling2d"}],
    "global maximum": [conv2d(), {"type": "global_max_pooling2d"}],
}


@pytest.mark.parametrize("stack", STACKS)
def test_the_shapes_are_those_that_keras_builds(runtime, planned, stack):
    from bmtrain.models.layers.building import build_model, named_variables

    architecture = planned(*STACKS[stack], DENSE)
    model = build_model(architecture, seed=0)
    named = named_variables(model)
    assert {name: tuple(v.shape) for name, v in named.items()} == architecture.variable_shapes
    trained = [id(variable) for variable in model.trainable_variables]
    assert trained == [id(variable) for variable in named.values()]
    outputs = [tuple(layer.output.shape[1:]) for layer in model.layers]
    assert outputs == [layer.output_shape for layer in architecture.layers]


def test_a_kernel_is_applied_once_per_window_and_counts_as_a_kernel(planned):
    architecture = planned(conv2d(5, [2, 3], strides=2, padding="same"), FLATTEN, DENSE)
    kernel = 2 * 3 * 2 * 5  # height, width, channels, filters
    windows = 6 * 4  # half of 11 × 8, rounded up
    assert architecture.layers[0].forward_flops == 2 * windows * kernel
    assert architecture.num_kernel_parameters == kernel + windows * 5 * 3
    assert architecture.layers[0].kept_values == windows * 5


def test_a_separable_convolution_is_cheaper_and_both_its_kernels_count(planned):
    separable = {"type": "separable_conv2d", "filters": 5, "kernel_size": 3, "depth_multiplier": 2}
    layer = planned(separable, FLATTEN, DENSE).layers[0]
    kernels = 3 * 3 * 2 * 2 + 4 * 5  # depthwise, pointwise
    assert sum(map(math.prod, layer.kernels.values())) == kernels
    assert layer.forward_flops == 2 * (9 * 6) * kernels


def test_the_penalty_is_over_the_kernels_of_convolutions(runtime, planned):
    from bmtrain.models.layers.building import build_model
    from bmtrain.models.objective import penalized_kernels

    depthwise = {"type": "depthwise_conv2d", "kernel_size": 1}
    separable = {"type": "separable_conv2d", "filters": 6, "kernel_size": 2}
    model = build_model(planned(conv2d(), depthwise, separable, FLATTEN, DENSE), seed=0)
    shapes = [tuple(kernel.shape) for kernel in penalized_kernels(model)]
    kernels = [(3, 3, 2, 4), (1, 1, 4, 1), (2, 2, 4, 1), (1, 1, 4, 6)]
    assert shapes == [*kernels, (math.prod((8, 5, 6)), 3)]


def refusal(planned, *layers, shape=PICTURE):
    with pytest.raises(DataError) as caught:
        planned(*layers, FLATTEN, DENSE, shape=shape)
    return caught.value


@pytest.mark.parametrize(
    "layer",
    [conv2d(), {"type": "max_pooling2d"}, {"type": "global_average_pooling2d"}],
    ids=lambda layer: layer["type"],
)
def test_a_picture_without_a_channel_axis_is_told_how_it_gets_one(planned, layer):
    error = refusal(planned, layer, shape=(28, 28))
    assert error.message == (
        f"layer 0 ({layer['type']}) takes a picture, [height, width, channels], and gets the shape "
        "[28, 28]"
    )
    assert error.key == ("model", "layers", 0)
    assert "{type: reshape, target_shape: [28, 28, 1]}" in error.hint


def test_numbers_of_a_table_are_no_picture_and_a_flat_one_is_none_any_more(planned):
    assert "no neighbours" in refusal(planned, conv2d(), shape=(7,)).hint
    error = refusal(planned, FLATTEN, conv2d())
    assert "gets the shape [176]" in error.message
    assert "before the layer that makes a vector" in error.hint


def test_a_kernel_larger_than_the_picture_names_both_and_what_to_do(planned):
    error = refusal(planned, conv2d(kernel_size=[5, 9]))
    assert error.message == "layer 0 (conv2d) has windows of 5 × 9, its input is 11 × 8"
    assert error.key == ("model", "layers", 0, "kernel_size")
    assert "padding: same" in error.hint
    dilated = refusal(planned, conv2d(kernel_size=3, dilation_rate=[1, 4]))
    assert dilated.message == "layer 0 (conv2d) has windows of 3 × 9, its input is 11 × 8"


def test_pooling_larger_than_its_input_names_both(planned):
    pooling = {"type": "max_pooling2d", "pool_size": 4}
    error = refusal(planned, pooling, pooling)
    assert error.message == "layer 1 (max_pooling2d) has windows of 4 × 4, its input is 2 × 2"
    assert error.key == ("model", "layers", 1, "pool_size")
    sequence = refusal(planned, {"type": "average_pooling1d", "pool_size": 12}, shape=(11, 3))
    assert sequence.message == (
        "layer 0 (average_pooling1d) has windows of 12 steps, its input is 11 steps"
    )


@pytest.mark.parametrize("groups", [0, 3, 32])
def test_groups_that_do_not_divide_the_channels_are_told_with_them(planned, groups):
    error = refusal(planned, conv2d(8), {"type": "group_normalization", "groups": groups})
    assert error.message == (
        f"layer 1 (group_normalization) cannot make {groups} equal groups of the 8 channels that "
        "it gets"
    )
    assert error.key == ("model", "layers", 1, "groups")
    assert "a divisor of 8" in error.hint


def test_dropout_of_whole_channels_asks_for_some(planned):
    error = refusal(planned, FLATTEN, {"type": "spatial_dropout2d", "rate": 0.5})
    assert "takes a picture" in error.message
    error = refusal(planned, {"type": "spatial_dropout1d", "rate": 0.5})
    assert "takes a sequence" in error.message
