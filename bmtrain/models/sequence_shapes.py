"""Shapes of the layers that work on sequences (steps, features), as Keras builds them. No TensorFlow."""

from __future__ import annotations

from typing import Final

from bmtrain.config.sections import model as sections
from bmtrain.data.examples.dataset import DataFacts
from bmtrain.errors import DataError

Shape = tuple[int, ...]

#: Products of the input and of the state that a step computes.
_GATES: Final = {"simple_rnn": 1, "gru": 3, "lstm": 4}
#: What a bidirectional layer calls its two layers' variables: ``forward.kernel``.
DIRECTIONS: Final = ("forward", "backward")
#: Layers of a sequence (steps, features).
SEQUENCE_LAYERS: Final = (
    sections.RecurrentSection,
    sections.BidirectionalLayer,
    sections.Conv1dLayer,
    sections.GlobalAveragePooling1dLayer,
    sections.GlobalMaxPooling1dLayer,
)
#: Layers that take a masked sequence as if it were none, and hand no mask on.
FORGETFUL_LAYERS: Final = (
    sections.FlattenLayer,
    sections.ReshapeLayer,
    sections.Conv1dLayer,
    sections.GlobalMaxPooling1dLayer,
)


def hands_mask_on(layer: sections.Layer, is_masked: bool) -> bool:
    """Whether a layer's output is masked, its input being so or not."""
    match layer:
        case sections.EmbeddingLayer():
            return layer.mask_zero
        case sections.BidirectionalLayer():
            return is_masked and layer.layer.return_sequences
        case sections.RecurrentSection():
            return is_masked and layer.return_sequences
        case sections.GlobalAveragePooling1dLayer():
            return False
    return is_masked and not isinstance(layer, FORGETFUL_LAYERS)


def check_input(
    config: sections.Layer,
    key: tuple[str | int, ...],
    position: int,
    shape: Shape,
    facts: DataFacts,
) -> None:
    """DataError where tokens meet another layer than an embedding, or a sequence is missing."""
    what = f"layer {position} ({config.type})"
    is_embedding = isinstance(config, sections.EmbeddingLayer)
    has_tokens = facts.vocabulary_size is not None and position == 0
    if is_embedding and not has_tokens:
        raise DataError(
            f"{what} takes the tokens of texts, and its input has none",
            key=key,
            hint="it is the first layer of a model for data.text",
        )
    if has_tokens and not is_embedding:
        raise DataError(
            f"{what} would take the numbers of tokens for quantities",
            key=key,
            hint="let the first layer be {type: embedding, output_dim: 32}",
        )
    if isinstance(config, SEQUENCE_LAYERS) and len(shape) != 2:
        raise DataError(
            f"{what} takes a sequence, [steps, features], and gets the shape {list(shape)}",
            key=key,
            hint="a recurrent layer before it keeps the steps with return_sequences: true"
            if position
            else None,
        )


def embedding_shapes(
    layer: sections.EmbeddingLayer, facts: DataFacts, what: str, key: tuple[str | int, ...]
) -> dict[str, Shape]:
    """Of its variables; DataError where it has fewer vectors than the vocabulary has tokens."""
    num_tokens = facts.vocabulary_size
    assert num_tokens is not None  # without tokens it is refused
    num_vectors = layer.input_dim or num_tokens
    if num_vectors < num_tokens:
        raise DataError(
            f"{what} has vectors for {num_vectors:,} tokens, the vocabulary has {num_tokens:,}",
            key=(*key, "input_dim"),
            hint="leave input_dim out: it follows from the data",
        )
    return {"embeddings": (num_vectors, layer.output_dim)}


def sequence_shapes(
    layer: sections.Layer, input_shape: Shape, position: int, key: tuple[str | int, ...]
) -> tuple[dict[str, Shape], Shape]:
    """Of the variables and the output of one of ``SEQUENCE_LAYERS``, for (steps, features)."""
    match layer:
        case sections.RecurrentSection() | sections.BidirectionalLayer():
            return recurrent_shapes(layer, input_shape)
        case sections.Conv1dLayer():
            return conv1d_shapes(layer, input_shape, f"layer {position} (conv1d)", key)
    return {}, input_shape[-1:]


def recurrent_shapes(
    layer: sections.RecurrentSection | sections.BidirectionalLayer, input_shape: Shape
) -> tuple[dict[str, Shape], Shape]:
    """Of the variables and the output, for an input (steps, features)."""
    if isinstance(layer, sections.BidirectionalLayer):
        one, output = recurrent_shapes(layer.layer, input_shape)
        both = {
            f"{direction}.{name}": shape for direction in DIRECTIONS for name, shape in one.items()
        }
        times = 2 if layer.merge_mode == "concat" else 1
        return both, (*output[:-1], times * output[-1])
    steps, num_features = input_shape
    width = _GATES[layer.type] * layer.units
    variables: dict[str, Shape] = {
        "kernel": (num_features, width),
        "recurrent_kernel": (layer.units, width),
    }
    if layer.use_bias:
        # Keras's GRU has one bias for the input's product and one for the state's.
        variables["bias"] = (2, width) if layer.type == "gru" else (width,)
    return variables, (steps, layer.units) if layer.return_sequences else (layer.units,)


def conv1d_shapes(
    layer: sections.Conv1dLayer, input_shape: Shape, what: str, key: tuple[str | int, ...]
) -> tuple[dict[str, Shape], Shape]:
    """Of the variables and the output; DataError where the window is longer than the sequence."""
    steps, num_features = input_shape
    num_windows = steps if layer.padding != "valid" else steps - layer.kernel_size + 1
    if num_windows < 1:
        raise DataError(
            f"{what} has a window of {layer.kernel_size} steps, its input has {steps}",
            key=(*key, "kernel_size"),
            hint="a smaller kernel_size, or padding: same",
        )
    variables: dict[str, Shape] = {"kernel": (layer.kernel_size, num_features, layer.filters)}
    if layer.use_bias:
        variables["bias"] = (layer.filters,)
    return variables, (-(-num_windows // layer.strides), layer.filters)


def values_per_step(layer: sections.Layer) -> int | None:
    """What a recurrent layer keeps of each step for the gradient, at least; None for all else."""
    if isinstance(layer, sections.BidirectionalLayer):
        return 2 * (values_per_step(layer.layer) or 0)
    if isinstance(layer, sections.RecurrentSection):
        return (_GATES[layer.type] + 1) * layer.units
    return None
