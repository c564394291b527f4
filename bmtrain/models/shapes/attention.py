"""Layers in which the steps of a sequence see each other, or know where they are."""

from __future__ import annotations

from dataclasses import replace

from bmtrain.config.sections.layers import attention as sections
from bmtrain.models.shapes.planned import Given, PlannedLayer, Shape, planned
from bmtrain.models.shapes.sequences import steps_and_features


def multi_head_attention(config: sections.MultiHeadAttentionLayer, given: Given) -> PlannedLayer:
    """Padding is seen by no step, and gives values that nobody should look at."""
    steps, width = steps_and_features(config, given)
    heads, value_dim = config.num_heads, config.value_dim or config.key_dim
    kernels: dict[str, Shape] = {
        "query": (width, heads, config.key_dim),
        "key": (width, heads, config.key_dim),
        "value": (width, heads, value_dim),
        "attention_output": (heads, value_dim, width),
    }
    variables: dict[str, Shape] = {}
    for name, kernel in kernels.items():
        variables[f"{name}.kernel"] = kernel
        if config.use_bias:
            variables[f"{name}.bias"] = (width,) if name == "attention_output" else kernel[1:]
    per_step = heads * (2 * config.key_dim + 2 * value_dim) + width
    layer = planned(
        config,
        given,
        variables=variables,
        uses_mask=True,
        kept_values=steps * per_step + 2 * heads * steps * steps,
    )
    seen = 2 * heads * steps * steps * (config.key_dim + value_dim)
    return replace(layer, forward_flops=layer.forward_flops + seen)


def positional_embedding(config: sections.PositionalEmbeddingLayer, given: Given) -> PlannedLayer:
    """A vector for each step."""
    shape = steps_and_features(config, given)
    return planned(config, given, variables={"embeddings": shape})
