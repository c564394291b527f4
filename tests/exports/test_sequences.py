"""Models of texts in the formats that hold them, loaded by the format's own runtime."""

import json

import numpy as np
import pytest

from bmtrain.data.encodings.text_encoding import PADDING
from bmtrain.data.examples.normalization import fit_preprocessing
from bmtrain.exports.comparison import outputs_of
from bmtrain.exports.description import describe
from bmtrain.exports.exporter import Content
from bmtrain.exports.safetensors_file import beside
from bmtrain.exports.table import FORMATS
from bmtrain.models.architecture import plan_architecture

LENGTH, VOCABULARY, EXAMPLES = 8, 12, 300
HOLDS_TEXTS = sorted(FORMATS.keys() - {"litert"})
EMBEDDING = {"type": "embedding", "output_dim": 5}
MASKED = EMBEDDING | {"mask_zero": True}
DENSE = {"type": "dense", "units": 3, "activation": "softmax"}
LSTM = {"type": "lstm", "units": 4}
GRU = {"type": "gru", "units": 3}
RNN = {"type": "simple_rnn", "units": 4}
SEQUENCE = {"return_sequences": True}
PLACES = {"type": "positional_embedding"}
ATTENTION = {"type": "multi_head_attention", "num_heads": 2, "key_dim": 3}
BLOCK = {"type": "transformer_block", "num_heads": 5, "intermediate_dim": 7, "dropout": 0.5}


def both(layer, merge_mode="concat"):
    return {"type": "bidirectional", "layer": layer, "merge_mode": merge_mode}


STACKS = {
    "lstm": [MASKED, LSTM],
    "gru": [MASKED, GRU],
    "gru without bias": [MASKED, GRU | {"use_bias": False}],
    "simple_rnn": [MASKED, RNN | {"activation": "relu"}],
    "padding as tokens": [EMBEDDING, LSTM],
    "two layers": [MASKED, LSTM | SEQUENCE, {"type": "dropout", "rate": 0.5}, GRU],
    "bidirectional": [MASKED, both(LSTM)],
    "bidirectional gru": [MASKED, both(GRU, "sum")],
    "bidirectional rnn": [MASKED, both(RNN, "ave")],
    "product": [MASKED, both(GRU, "mul")],
    "pooled": [
        MASKED,
        both(LSTM | SEQUENCE),
        GRU | SEQUENCE,
        RNN | SEQUENCE,
        {"type": "dense", "units": 4, "activation": "relu"},
        {"type": "global_average_pooling1d"},
    ],
    "product of sequences": [
        MASKED,
        both(GRU | SEQUENCE, "mul"),
        {"type": "global_average_pooling1d"},
    ],
    "average": [EMBEDDING, {"type": "global_average_pooling1d"}],
    "maximum": [EMBEDDING, {"type": "global_max_pooling1d"}],
    "attention": [MASKED, PLACES, ATTENTION, {"type": "global_average_pooling1d"}],
    "attention without mask": [EMBEDDING, ATTENTION | {"use_bias": False}, {"type": "flatten"}],
    "attention to what was": [
        MASKED,
        ATTENTION | {"use_causal_mask": True, "value_dim": 2},
        {"type": "global_average_pooling1d"},
    ],
    "transformer": [MASKED, PLACES, BLOCK, BLOCK, {"type": "global_average_pooling1d"}],
    "transformer, normalised last": [
        MASKED,
        BLOCK | {"normalize_first": False, "use_causal_mask": True},
        {"type": "global_average_pooling1d"},
    ],
    "shortcut": [
        EMBEDDING,
        {
            "type": "residual",
            "layers": [{"type": "conv1d", "filters": 3, "kernel_size": 2, "padding": "same"}],
            "shortcut": [{"type": "dense", "units": 3}, {"type": "batch_normalization"}],
        },
        {"type": "flatten"},
    ],
    "residual in a residual": [
        EMBEDDING,
        {
            "type": "residual",
            "layers": [
                {"type": "dense", "units": 5},
                {"type": "residual", "layers": [{"type": "layer_normalization"}]},
            ],
        },
        {"type": "flatten"},
    ],
    **{
        f"conv1d {padding} {strides}": [
            EMBEDDING,
            {
                "type": "conv1d",
                "filters": 4,
                "kernel_size": 3,
                "strides": strides,
                "padding": padding,
                "activation": "relu",
                "use_bias": strides == 1,
            },
            {"type": "flatten"},
        ]
        for padding in ("valid", "same", "causal")
        for strides in (1, 2, 3)
    },
}
#: What the formats that Keras writes are tried with.
BY_KERAS = ("pooled", "conv1d same 2", "attention to what was", "transformer", "shortcut")


@pytest.fixture
def tokens(random):
    drawn = random.integers(1, VOCABULARY, size=(EXAMPLES, LENGTH))
    lengths = 1 + np.arange(EXAMPLES) % LENGTH
    return (drawn * (np.arange(LENGTH) < lengths[:, None])).astype(np.uint16)


@pytest.fixture
def content(runtime, experiment, text_dataset, tokens, random):
    """(layers) -> (what is exported, the outputs of the engine's own model)."""

    def make(layers):
        from bmtrain.models.layers.building import build_model, named_variables
        from bmtrain.models.preprocessing import with_raw_inputs

        config = experiment(*layers, DENSE, loss={"name": "sparse_categorical_crossentropy"})
        labels = np.arange(EXAMPLES, dtype=np.int32) % 3
        data = text_dataset(tokens, labels, vocabulary_size=VOCABULARY)
        preprocessing = fit_preprocessing(data, "auto")
        architecture = plan_architecture(config, data.facts)
        model = build_model(architecture, seed=0)
        for name, variable in named_variables(model).items():
            drawn = random.normal(size=variable.shape) * 0.7
            variable.assign(np.abs(drawn) if name.endswith("variance") else drawn)
        made = Content(
            architecture=architecture,
            facts=data.facts,
            weights={name: v.numpy() for name, v in named_variables(model).items()},
            description=describe(config, architecture, preprocessing),
            keras_model=with_raw_inputs(preprocessing, model),
        )
        return made, model(tokens.astype(np.int32), training=False).numpy()

    return make


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("format_name", ["onnx", "safetensors"])
def test_every_stack_computes_what_keras_computes(content, tokens, tmp_path, format_name, stack):
    made, expected = content(STACKS[stack])
    outputs = outputs_of(_loaded(format_name, made, tmp_path), tokens)
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("stack", BY_KERAS)
@pytest.mark.parametrize(
    "format_name", ["keras", pytest.param("savedmodel", marks=pytest.mark.long)]
)
def test_keras_and_savedmodel_take_the_numbers_of_tokens(
    content, tokens, tmp_path, format_name, stack
):
    made, expected = content(STACKS[stack])
    outputs = outputs_of(_loaded(format_name, made, tmp_path), tokens)
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-5)


def _loaded(format_name, made, directory):
    exporter = FORMATS[format_name]
    assert exporter.objection(made.architecture, made.facts) is None
    path = directory / f"made{exporter.suffix}"
    exporter.write(made, path)
    beside(path).write_text(json.dumps(made.description))
    return exporter.load(path)


def test_the_vocabulary_and_its_rules_are_in_the_description(content):
    made, _ = content(STACKS["average"])
    inputs = made.description["inputs"]
    assert inputs["dtype"] == "uint16"
    assert inputs["vocabulary_size"] == VOCABULARY
    assert inputs["encoding"]["vocabulary"] == [f"w{n}" for n in range(2, VOCABULARY)]
    assert "encoding.vocabulary" in made.description["preprocessing"]["formula"]


@pytest.mark.filterwarnings("ignore:(?s).*does not support masking")
def test_litert_and_onnx_say_before_what_they_cannot_hold(content):
    made, _ = content(STACKS["lstm"])
    objection = FORMATS["litert"].objection(made.architecture, made.facts)
    assert "tokens of texts" in str(objection)
    forgetful, _ = content([MASKED, LSTM | SEQUENCE, {"type": "global_max_pooling1d"}])
    objection = FORMATS["onnx"].objection(forgetful.architecture, forgetful.facts)
    assert str(objection).startswith("layer 2 (global_max_pooling1d) takes padding for values")
    for format_name in ("keras", "savedmodel", "safetensors"):
        assert FORMATS[format_name].objection(forgetful.architecture, forgetful.facts) is None


def test_random_inputs_are_tokens_of_the_vocabulary_followed_by_padding(text_dataset, tokens):
    from bmtrain.workflows.export_examples import random_inputs

    labels = np.arange(EXAMPLES, dtype=np.int32) % 3
    data = text_dataset(tokens, labels, vocabulary_size=VOCABULARY)
    drawn = random_inputs(fit_preprocessing(data, "auto"))
    assert drawn.dtype == np.uint16
    assert 1 <= drawn[:, 0].min() <= drawn.max() < VOCABULARY
    is_token = drawn != PADDING
    assert (np.diff(is_token.astype(int), axis=1) <= 0).all()
    assert not is_token.all()
