"""Layers made of layers, self-attention and the presets of them: shapes, names, weights, words."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from bmtrain.data.encodings.text_encoding import TextEncoding
from bmtrain.errors import DataError
from bmtrain.models.architecture import plan_architecture

LENGTH, WIDTH = 6, 8
DENSE = {"type": "dense", "units": 3, "activation": "softmax"}
POOL = {"type": "global_average_pooling1d"}
ATTENTION = {"type": "multi_head_attention", "num_heads": 2, "key_dim": 3}
BLOCK = {"type": "transformer_block", "num_heads": 4, "intermediate_dim": 5}
SPARSE = {"name": "sparse_categorical_crossentropy"}


def residual(*layers, shortcut=()):
    return {"type": "residual", "layers": list(layers), "shortcut": list(shortcut)}


def dense(units, **settings):
    return {"type": "dense", "units": units, **settings}


@pytest.fixture
def sequences(dataset):
    values = np.zeros((6, LENGTH, WIDTH), np.float32)
    return dataset(values, np.arange(6, dtype=np.int32) % 3).facts


@pytest.fixture
def texts(dataset):
    facts = dataset(np.zeros((6, LENGTH), np.uint16), np.arange(6, dtype=np.int32) % 3).facts
    encoding = TextEncoding("text", "word", True, LENGTH, ("a", "b", "c"))
    return dataclasses.replace(facts, encoding=encoding)


@pytest.fixture
def planned(experiment, sequences):
    return lambda *layers: plan_architecture(experiment(*layers, loss=SPARSE), sequences)


STACKS: dict[str, list[dict[str, Any]]] = {
    "attention": [ATTENTION, POOL],
    "attention of other values": [ATTENTION | {"value_dim": 5, "use_bias": False}, POOL],
    "places": [{"type": "positional_embedding"}, POOL],
    "block": [BLOCK, POOL],
    "block, normalised last": [BLOCK | {"normalize_first": False, "dropout": 0.1}, POOL],
    "identity": [residual(dense(8)), POOL],
    "shortcut": [
        residual(dense(4), {"type": "batch_normalization"}, shortcut=[dense(4)]),
        POOL,
    ],
    "nested": [
        residual(residual(dense(8)), {"type": "lstm", "units": 8, "return_sequences": True}),
        POOL,
    ],
}


@pytest.mark.parametrize("stack", STACKS)
def test_shapes_and_parameters_are_those_that_keras_builds(runtime, planned, stack):
    from bmtrain.models.layers.building import build_model, named_variables

    architecture = planned(*STACKS[stack], DENSE)
    model = build_model(architecture, seed=0)
    named = named_variables(model)
    assert {name: tuple(v.shape) for name, v in named.items()} == architecture.variable_shapes
    assert model.count_params() == architecture.num_parameters
    outputs = [tuple(layer.output.shape[1:]) for layer in model.layers]
    assert outputs == [layer.output_shape for layer in architecture.layers]
    trained = {id(variable) for variable in model.trainable_variables}
    fixed = {
        f"layers.{position}.{name}"
        for position, layer in enumerate(architecture.layers)
        for name in layer.non_trainable
    }
    assert {name for name, v in named.items() if id(v) not in trained} == fixed


def test_queries_keys_and_values_begin_differently_and_the_same_each_time(runtime, planned):
    from bmtrain.models.layers.building import build_model, named_variables

    def built(seed):
        model = build_model(planned(ATTENTION, residual(ATTENTION), POOL, DENSE), seed=seed)
        return {name: v.numpy() for name, v in named_variables(model).items()}

    first, again, other = built(0), built(0), built(1)
    kernels = [
        name for name in first if name.endswith(("query.kernel", "key.kernel", "value.kernel"))
    ]
    assert len(kernels) == 6
    assert len({first[name].tobytes() for name in kernels}) == 6
    for name in kernels:
        np.testing.assert_array_equal(first[name], again[name])
        assert not np.array_equal(first[name], other[name])


def test_a_block_is_the_layers_that_it_stands_for(planned):
    norm = {"type": "layer_normalization", "epsilon": 1e-5}
    drop = {"type": "dropout", "rate": 0.1}
    attention = ATTENTION | {"num_heads": 4, "key_dim": 2, "dropout": 0.1}
    spelt = [
        residual(norm, attention, drop),
        residual(norm, dense(5, activation="gelu"), dense(8), drop),
    ]
    of_block = planned(BLOCK | {"dropout": 0.1}, POOL, DENSE)
    assert [layer.config for layer in of_block.layers] == [
        layer.config for layer in planned(*spelt, POOL, DENSE).layers
    ]


def test_each_step_sees_each_in_the_count_of_operations(planned):
    """Four products of 8 by 2 heads by 3 for 6 steps; 6 by 6 scores and sums of 2 heads by 3."""
    layer = planned(ATTENTION, POOL, DENSE).layers[0]
    assert layer.forward_flops == 2 * LENGTH * 4 * 8 * 6 + 2 * 2 * LENGTH**2 * 2 * 3


REFUSED = {
    "sides": (
        [residual(dense(4)), POOL],
        r"adds what its layers give, \[6, 4\], to the input, \[6, 8\]",
        ("model", "layers", 0, "layers"),
    ),
    "sides of a shortcut": (
        [residual(dense(4), shortcut=[dense(3)]), POOL],
        r"to the shortcut, \[6, 3\]",
        ("model", "layers", 0, "layers"),
    ),
    "heads": (
        [BLOCK | {"num_heads": 3}, POOL],
        "3 heads, which do not divide the width that it gets, 8",
        ("model", "layers", 0, "num_heads"),
    ),
    "inside": (
        [residual(dense(8), {"type": "reshape", "target_shape": [5]}), POOL],
        r"layer 0.layers.1 \(reshape\) cannot make",
        ("model", "layers", 0, "layers", 1, "target_shape"),
    ),
    "no sequence": (
        [POOL, ATTENTION],
        r"layer 1 \(multi_head_attention\) takes a sequence",
        ("model", "layers", 1),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_told_at_its_key(planned, case):
    layers, message, key = REFUSED[case]
    with pytest.raises(DataError, match=message) as caught:
        planned(*layers, DENSE)
    assert caught.value.key == key


def types(architecture):
    return [layer.config.type for layer in architecture.layers]


def test_an_lstm_of_texts_has_an_embedding_that_masks_and_an_output(experiment, texts):
    model = {"type": "lstm", "units": 4, "num_layers": 2, "bidirectional": True, "dropout": 0.2}
    architecture = plan_architecture(experiment(model=model, loss=SPARSE), texts)
    both = ["bidirectional", "dropout"]
    assert types(architecture) == ["embedding", *both, *both, "dense"]
    assert [layer.output_shape for layer in architecture.layers[1:]] == [
        (6, 8),
        (6, 8),
        (8,),
        (8,),
        (3,),
    ]
    assert architecture.layers[1].is_masked


@pytest.mark.parametrize("of_texts", [True, False])
def test_a_transformer_is_places_blocks_and_a_mean(experiment, texts, sequences, of_texts):
    model = {"type": "transformer", "width": 8, "num_heads": 2, "num_layers": 3, "dropout": 0.0}
    facts = texts if of_texts else sequences
    architecture = plan_architecture(experiment(model=model, loss=SPARSE), facts)
    first = "embedding" if of_texts else "dense"
    blocks = ["residual"] * 6
    assert types(architecture) == [
        *(first, "positional_embedding", *blocks),
        *("layer_normalization", "global_average_pooling1d", "dense"),
    ]
    assert architecture.layers[3].variables["layers.1.kernel"] == (8, 32)
    assert architecture.layers[-2].is_masked == of_texts


@pytest.fixture
def pictures(dataset):
    return dataset(np.zeros((6, 8, 12), np.uint8), np.arange(6, dtype=np.int32) % 3).facts


def test_a_vision_transformer_is_patches_places_blocks_and_a_mean(experiment, pictures):
    model = {"type": "vit", "patch_size": 4, "width": 8, "num_heads": 2, "num_layers": 1}
    architecture = plan_architecture(experiment(model=model, loss=SPARSE), pictures)
    assert types(architecture) == [
        *("reshape", "conv2d", "reshape", "positional_embedding", "dropout"),
        *("residual", "residual", "layer_normalization", "global_average_pooling1d", "dense"),
    ]
    assert [layer.output_shape for layer in architecture.layers[:3]] == [
        *((8, 12, 1), (2, 3, 8), (6, 8)),
    ]


def test_patches_that_do_not_divide_the_picture_are_told(experiment, pictures):
    layers = [
        {"type": "reshape", "target_shape": [8, 12, 1]},
        {"type": "patch_embedding", "patch_size": 5, "output_dim": 4},
    ]
    with pytest.raises(DataError, match=r"5×5 pixels, which do not divide.*8×12") as caught:
        plan_architecture(experiment(*layers, POOL, DENSE, loss=SPARSE), pictures)
    assert caught.value.key == ("model", "layers", 1, "patch_size")


def test_a_residual_network_halves_the_picture_in_each_stage_but_the_first(experiment, pictures):
    model = {"type": "resnet", "filters": [4, 6], "blocks": 2}
    architecture = plan_architecture(experiment(model=model, loss=SPARSE), pictures)
    residuals = [layer for layer in architecture.layers if layer.config.type == "residual"]
    assert [layer.output_shape for layer in residuals] == [
        *((8, 12, 4), (8, 12, 4), (4, 6, 6), (4, 6, 6)),
    ]
    assert [any(n.startswith("shortcut") for n in layer.inner) for layer in residuals] == [
        *(False, False, True, False),
    ]
    assert types(architecture)[-2:] == ["global_average_pooling2d", "dense"]
