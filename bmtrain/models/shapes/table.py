"""The closed table from layer types to what follows from a shape."""

from __future__ import annotations

from typing import Final

from bmtrain.models.shapes import (
    convolution,
    core,
    embedding,
    normalization,
    pooling,
    recurrent,
)
from bmtrain.models.shapes.planned import Planner, planned

PLANNERS: Final[dict[str, Planner]] = {
    "dense": core.dense,
    "activation": planned,
    "dropout": planned,
    "batch_normalization": normalization.batch_normalization,
    "layer_normalization": normalization.layer_normalization,
    "flatten": core.flatten,
    "reshape": core.reshape,
    "embedding": embedding.embedding,
    "simple_rnn": recurrent.recurrent,
    "lstm": recurrent.recurrent,
    "gru": recurrent.recurrent,
    "bidirectional": recurrent.bidirectional,
    "conv1d": convolution.conv1d,
    "conv2d": convolution.conv2d,
    "max_pooling1d": pooling.pooling1d,
    "max_pooling2d": pooling.pooling2d,
    "average_pooling1d": pooling.pooling1d,
    "average_pooling2d": pooling.pooling2d,
    "global_average_pooling1d": pooling.global_average_pooling1d,
    "global_average_pooling2d": pooling.global_pooling2d,
    "global_max_pooling1d": pooling.global_max_pooling1d,
    "global_max_pooling2d": pooling.global_pooling2d,
}
