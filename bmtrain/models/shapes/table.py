"""The closed table from layer types to what follows from a shape."""

from __future__ import annotations

from typing import Final

from bmtrain.models.shapes import (
    attention,
    composite,
    convolution,
    core,
    embedding,
    normalization,
    pooling,
    recurrent,
    regularizing,
    resizing,
)
from bmtrain.models.shapes.planned import Planner, planned

PLANNERS: Final[dict[str, Planner]] = {
    "dense": core.dense,
    "activation": planned,
    "dropout": planned,
    "spatial_dropout1d": regularizing.spatial_dropout1d,
    "spatial_dropout2d": regularizing.spatial_dropout2d,
    "gaussian_dropout": planned,
    "gaussian_noise": planned,
    "batch_normalization": normalization.batch_normalization,
    "layer_normalization": normalization.layer_normalization,
    "group_normalization": normalization.group_normalization,
    "rms_normalization": normalization.rms_normalization,
    "unit_normalization": planned,
    "flatten": core.flatten,
    "reshape": core.reshape,
    "embedding": embedding.embedding,
    "simple_rnn": recurrent.recurrent,
    "lstm": recurrent.recurrent,
    "gru": recurrent.recurrent,
    "bidirectional": recurrent.bidirectional,
    "conv1d": convolution.conv1d,
    "conv2d": convolution.conv2d,
    "depthwise_conv1d": convolution.depthwise_conv1d,
    "depthwise_conv2d": convolution.depthwise_conv2d,
    "separable_conv1d": convolution.separable_conv1d,
    "separable_conv2d": convolution.separable_conv2d,
    "zero_padding2d": resizing.zero_padding2d,
    "up_sampling2d": resizing.up_sampling2d,
    "max_pooling1d": pooling.pooling1d,
    "max_pooling2d": pooling.pooling2d,
    "average_pooling1d": pooling.pooling1d,
    "average_pooling2d": pooling.pooling2d,
    "global_average_pooling1d": pooling.global_average_pooling1d,
    "global_average_pooling2d": pooling.global_pooling2d,
    "global_max_pooling1d": pooling.global_max_pooling1d,
    "global_max_pooling2d": pooling.global_pooling2d,
    "multi_head_attention": attention.multi_head_attention,
    "positional_embedding": attention.positional_embedding,
    "residual": composite.residual,
}
