"""The shapes of layers for sequences are those that Keras builds; what does not fit is told."""

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from bmtrain.data.encodings.text_encoding import TextEncoding
from bmtrain.errors import DataError
from bmtrain.models.architecture import plan_architecture
from bmtrain.models.doubts import architecture_warnings
from bmtrain.models.memory import training_memory

SPARSE = {"name": "sparse_categorical_crossentropy"}
EMBEDDING = {"type": "embedding", "output_dim": 5}
DENSE = {"type": "dense", "units": 3, "activation": "softmax"}
LSTM = {"type": "lstm", "units": 4}
SEQUENCE = {"return_sequences": True}
LENGTH, WORDS = 9, ("a", "b", "c")


@pytest.fixture
def text_facts(dataset):
    facts = dataset(np.zeros((6, LENGTH), np.uint16), np.arange(6, dtype=np.int32) % 3).facts
    return dataclasses.replace(facts, encoding=TextEncoding("text", "word", True, LENGTH, WORDS))


@pytest.fixture
def planned(experiment, text_facts):
    def plan(*layers):
        return plan_architecture(experiment(*layers, loss=SPARSE), text_facts)

    return plan


STACKS: dict[str, list[dict[str, Any]]] = {
    "average": [EMBEDDING, {"type": "global_average_pooling1d"}],
    "maximum": [EMBEDDING, {"type": "global_max_pooling1d"}],
    "more vectors than tokens": [EMBEDDING | {"input_dim": 50}, {"type": "flatten"}],
    "simple_rnn": [EMBEDDING, {"type": "simple_rnn", "units": 4}],
    "lstm": [EMBEDDING, LSTM],
    "gru": [EMBEDDING, {"type": "gru", "units": 4}],
    "gru without bias": [EMBEDDING, {"type": "gru", "units": 4, "use_bias": False}],
    "sequence": [EMBEDDING, LSTM | SEQUENCE, {"type": "flatten"}],
    "bidirectional": [EMBEDDING, {"type": "bidirectional", "layer": LSTM}],
    "summed": [EMBEDDING, {"type": "bidirectional", "layer": LSTM, "merge_mode": "sum"}],
    "both sequences": [
        EMBEDDING,
        {"type": "bidirectional", "layer": LSTM | SEQUENCE},
        {"type": "global_max_pooling1d"},
    ],
    **{
        f"conv1d {padding} {strides}": [
            EMBEDDING,
            {
                "type": "conv1d",
                "filters": 6,
                "kernel_size": 4,
                "strides": strides,
                "padding": padding,
            },
            {"type": "flatten"},
        ]
        for padding in ("valid", "same", "causal")
        for strides in (1, 2)
    },
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
    assert model.inputs[0].dtype == "int32"


def test_names_tell_the_directions_apart_and_both_begin_differently(runtime, planned):
    from bmtrain.models.layers.building import build_model, named_variables

    model = build_model(planned(*STACKS["bidirectional"], DENSE), seed=0)
    values = {name: v.numpy() for name, v in named_variables(model).items()}
    for name in ("kernel", "recurrent_kernel"):
        one, other = values[f"layers.1.forward.{name}"], values[f"layers.1.backward.{name}"]
        assert not np.array_equal(one, other)
    np.testing.assert_array_equal(values["layers.1.forward.bias"], [0] * 4 + [1] * 4 + [0] * 8)
    again = named_variables(build_model(planned(*STACKS["bidirectional"], DENSE), seed=0))
    for name, variable in again.items():
        np.testing.assert_array_equal(variable.numpy(), values[name])


def test_the_vocabulary_gives_the_embedding_its_size(planned):
    architecture = planned(*STACKS["average"], DENSE)
    assert architecture.variable_shapes["layers.0.embeddings"] == (5, 5)
    assert architecture.takes_tokens


def test_work_is_counted_by_step(planned):
    """LSTM: 4 gates of 4 units, of 5 inputs and 4 states, at each of 9 steps; no embeddings."""
    architecture = planned(*STACKS["lstm"], DENSE)
    kernels = (5 + 4) * 16
    assert architecture.num_kernel_parameters == kernels + 4 * 3
    assert architecture.forward_flops == 2 * (LENGTH * kernels + 4 * 3)
    convolution = planned(*STACKS["conv1d valid 2"], DENSE)
    assert convolution.layers[1].forward_flops == 2 * 3 * (4 * 5 * 6)


def test_memory_counts_what_a_loop_keeps_of_each_step(planned, experiment):
    architecture = planned(*STACKS["lstm"], DENSE)
    optimizer = experiment(DENSE).optimizer
    need = training_memory(architecture, optimizer, batch_size=2, data_bytes=0)
    kept = math.prod((LENGTH, 5)) + LENGTH * (16 + 4) + 3  # embedding; gates and state; dense
    assert need.kept == 2 * 4 * kept


REFUSED: dict[str, tuple[list[dict[str, Any]], str, int]] = {
    "no embedding": ([{"type": "flatten"}, DENSE], "numbers of tokens for quantities", 0),
    "embedding inside": (
        [EMBEDDING, {"type": "flatten"}, EMBEDDING, DENSE],
        "takes the tokens of texts",
        2,
    ),
    "too few vectors": (
        [EMBEDDING | {"input_dim": 4}, {"type": "flatten"}, DENSE],
        "vectors for 4 tokens, the vocabulary has 5",
        0,
    ),
    "no sequence": ([EMBEDDING, LSTM, LSTM, DENSE], r"takes a sequence.*shape \[4\]", 2),
    "long window": (
        [EMBEDDING, {"type": "conv1d", "filters": 2, "kernel_size": 10}, DENSE],
        "windows of 10 steps, its input is 9 steps",
        1,
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_told_with_its_layer(planned, case):
    layers, message, position = REFUSED[case]
    with pytest.raises(DataError, match=message) as caught:
        planned(*layers)
    assert (caught.value.key or ())[:3] == ("model", "layers", position)


@pytest.mark.parametrize(
    ("shape", "hint"),
    [
        ((6,), "numbers of a table have no order"),
        ((4, 4, 1), "whose name ends in 2d; or {type: reshape, target_shape: [steps, features]}"),
    ],
)
def test_what_to_do_about_an_input_that_is_no_sequence_depends_on_it(
    experiment, dataset, shape, hint
):
    facts = dataset(np.zeros((6, *shape), np.float32), np.arange(6, dtype=np.int32) % 3).facts
    with pytest.raises(DataError) as caught:
        plan_architecture(experiment(LSTM, DENSE, loss=SPARSE), facts)
    assert hint in str(caught.value.hint)


def test_an_embedding_of_numbers_is_refused(experiment, dataset):
    facts = dataset(np.zeros((6, 4), np.float32), np.arange(6, dtype=np.int32) % 3).facts
    with pytest.raises(DataError, match="takes the tokens of texts"):
        plan_architecture(experiment(EMBEDDING, {"type": "flatten"}, DENSE, loss=SPARSE), facts)


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ([EMBEDDING | {"mask_zero": True}, {"type": "flatten"}], "takes padding for values"),
        (
            [EMBEDDING | {"mask_zero": True}, LSTM | SEQUENCE, {"type": "global_max_pooling1d"}],
            "takes padding for values",
        ),
        ([EMBEDDING, LSTM], "reads padding as tokens"),
        ([EMBEDDING, {"type": "bidirectional", "layer": LSTM}], "reads padding as tokens"),
        ([EMBEDDING | {"mask_zero": True}, LSTM], None),
        ([EMBEDDING, {"type": "global_average_pooling1d"}], "averages over padding"),
        ([EMBEDDING | {"mask_zero": True}, {"type": "global_average_pooling1d"}], None),
        ([EMBEDDING, {"type": "flatten"}], None),
    ],
)
def test_padding_that_counts_is_warned_of(planned, text_facts, layers, words):
    found = [text for _, text in architecture_warnings(planned(*layers, DENSE), text_facts)]
    assert len(found) == (words is not None)
    assert words is None or words in found[0]
