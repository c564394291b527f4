"""All layers that a config can name."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bmtrain.config.sections.layers.attention import (
    MultiHeadAttentionLayer,
    PositionalEmbeddingLayer,
)
from bmtrain.config.sections.layers.composite import (
    PatchEmbeddingLayer,
    ResidualLayer,
    TransformerBlockLayer,
)
from bmtrain.config.sections.layers.convolution import (
    Conv1dLayer,
    Conv2dLayer,
    DepthwiseConv1dLayer,
    DepthwiseConv2dLayer,
    SeparableConv1dLayer,
    SeparableConv2dLayer,
)
from bmtrain.config.sections.layers.core import (
    ActivationLayer,
    DenseLayer,
    FlattenLayer,
    ReshapeLayer,
)
from bmtrain.config.sections.layers.embedding import EmbeddingLayer
from bmtrain.config.sections.layers.normalization import (
    BatchNormalizationLayer,
    GroupNormalizationLayer,
    LayerNormalizationLayer,
    RmsNormalizationLayer,
    UnitNormalizationLayer,
)
from bmtrain.config.sections.layers.pooling import (
    AveragePooling1dLayer,
    AveragePooling2dLayer,
    GlobalAveragePooling1dLayer,
    GlobalAveragePooling2dLayer,
    GlobalMaxPooling1dLayer,
    GlobalMaxPooling2dLayer,
    MaxPooling1dLayer,
    MaxPooling2dLayer,
)
from bmtrain.config.sections.layers.recurrent import (
    BidirectionalLayer,
    GruLayer,
    LstmLayer,
    SimpleRnnLayer,
)
from bmtrain.config.sections.layers.regularizing import (
    DropoutLayer,
    GaussianDropoutLayer,
    GaussianNoiseLayer,
    SpatialDropout1dLayer,
    SpatialDropout2dLayer,
)
from bmtrain.config.sections.layers.resizing import UpSampling2dLayer, ZeroPadding2dLayer

Layer = Annotated[
    DenseLayer
    | ActivationLayer
    | DropoutLayer
    | SpatialDropout1dLayer
    | SpatialDropout2dLayer
    | GaussianDropoutLayer
    | GaussianNoiseLayer
    | BatchNormalizationLayer
    | LayerNormalizationLayer
    | GroupNormalizationLayer
    | RmsNormalizationLayer
    | UnitNormalizationLayer
    | FlattenLayer
    | ReshapeLayer
    | EmbeddingLayer
    | SimpleRnnLayer
    | LstmLayer
    | GruLayer
    | BidirectionalLayer
    | Conv1dLayer
    | Conv2dLayer
    | DepthwiseConv1dLayer
    | DepthwiseConv2dLayer
    | SeparableConv1dLayer
    | SeparableConv2dLayer
    | ZeroPadding2dLayer
    | UpSampling2dLayer
    | MaxPooling1dLayer
    | MaxPooling2dLayer
    | AveragePooling1dLayer
    | AveragePooling2dLayer
    | GlobalAveragePooling1dLayer
    | GlobalAveragePooling2dLayer
    | GlobalMaxPooling1dLayer
    | GlobalMaxPooling2dLayer
    | MultiHeadAttentionLayer
    | PositionalEmbeddingLayer
    | ResidualLayer
    | TransformerBlockLayer
    | PatchEmbeddingLayer,
    Field(discriminator="type"),
]

ResidualLayer.model_rebuild(_types_namespace={"Layer": Layer})
