"""The schema's choices and defaults, the tables behind them, and Keras agree."""

import inspect
from typing import Annotated, get_args, get_origin

import pytest

from bmtrain.config.kinds import Kind
from bmtrain.config.sections import loss as loss_sections
from bmtrain.config.sections import metrics as metric_sections
from bmtrain.config.sections import optimizer as optimizer_sections
from bmtrain.config.sections.layers import arguments, initializers
from bmtrain.config.sections.layers.union import Layer


def members(union):
    """The section classes of a discriminated union."""
    assert get_origin(union) is Annotated
    return get_args(get_args(union)[0])


def tag(section, key):
    return get_args(section.model_fields[key].annotation)[0]


LAYERS = {tag(section, "type"): section for section in members(Layer)}
LOSSES = {tag(section, "name"): section for section in members(loss_sections.Loss)}
OPTIMIZERS = {tag(section, "name"): section for section in members(optimizer_sections.Optimizer)}

#: Keras's class for each optimizer, from its documentation.
KERAS_OPTIMIZERS = {
    "gradient_descent": "SGD",
    "sgd": "SGD",
    "adam": "Adam",
    "adamw": "AdamW",
    "rmsprop": "RMSprop",
    "adagrad": "Adagrad",
    "nadam": "Nadam",
    "lion": "Lion",
    "muon": "Muon",
}


@pytest.fixture
def keras(runtime):
    import keras

    return keras


def test_every_layer_type_has_one_planner_and_one_builder(keras):
    from bmtrain.models.layers.table import LAYERS as BUILDERS
    from bmtrain.models.layers.table import MODELS
    from bmtrain.models.shapes.composite import BLOCKS
    from bmtrain.models.shapes.table import PLANNERS

    assert set(PLANNERS) == {*BUILDERS, *MODELS, "residual"}
    assert {*PLANNERS, *BLOCKS} == set(LAYERS)
    assert not PLANNERS.keys() & BLOCKS.keys()


def test_every_loss_has_one_builder(keras):
    from bmtrain.models import losses

    assert set(losses.LOSSES) == set(LOSSES)


def test_every_optimizer_has_its_keras_class(keras):
    from bmtrain.models import optimizers

    expected = {name: getattr(keras.optimizers, kind) for name, kind in KERAS_OPTIMIZERS.items()}
    assert expected == optimizers.OPTIMIZERS
    assert set(OPTIMIZERS) == set(expected)


#: What each may be, in words and as sections with options.
OF_INITIALIZERS = Kind.of(initializers.MatrixInitializer)
INITIALIZER_SECTIONS = OF_INITIALIZERS.branches[-1].sections_by_selector()
#: No other name of Keras's is a way in which a layer's weights begin.
OTHER_INITIALIZERS = {
    "stft": "a window for a Fourier transform, no beginning of what is learnt",
}


def public(module):
    """Every name of a Keras module that is written in small letters, as configs have them."""
    return {n for n, o in vars(module).items() if n == n.lower() and callable(o)} - {
        "deserialize", "get", "serialize",
    }  # fmt: skip


def test_every_initializer_has_its_keras_class(keras):
    from bmtrain.models.initial_weights import INITIALIZERS, initializer

    assert set(INITIALIZERS) == set(OF_INITIALIZERS.choices)
    assert public(keras.initializers) == set(INITIALIZERS) | OTHER_INITIALIZERS.keys()
    for name in INITIALIZERS:
        built = initializer(name, 3, "kernel", 0)
        assert type(built) is getattr(keras.initializers, name)


@pytest.mark.parametrize("name", sorted(INITIALIZER_SECTIONS))
def test_an_initializers_options_are_those_of_keras_and_nothing_is_hidden(keras, name):
    parameters = inspect.signature(getattr(keras.initializers, name)).parameters
    fields = INITIALIZER_SECTIONS[name].model_fields
    assert set(fields) - {"name"} == set(parameters) - {"seed", "input_axes", "output_axes"}
    for key, field in fields.items():
        if key != "name":
            assert field.default == parameters[key].default, key


METRICS = (*get_args(metric_sections.MetricName), "top_2_accuracy", "top_17_accuracy")


def test_every_metric_is_a_running_mean_or_of_a_whole_split(keras, experiment):
    from bmtrain.models.metrics import build_metrics
    from bmtrain.models.split_figures import split_figures

    running = build_metrics(METRICS, takes_logits=False)
    whole = split_figures(experiment({"type": "flatten"}, metrics=list(METRICS)))
    assert set(running) == set(filter(metric_sections.is_running, METRICS))
    assert set(whole) == set(METRICS) - set(running)


ACTIVATIONS = Kind.of(arguments.Activation).choices
#: What Keras has besides, and why there is nothing by that name.
OTHER_ACTIVATIONS = {
    "swish": "silu under another name",
    "hard_swish": "hard_silu under another name",
    "celu": "elu, with Keras's alpha of 1",
    "glu": "it halves the last axis: a layer, and no activation that any layer can have",
    "threshold": "without a threshold, for which there is no usual value, it is nothing",
    "sparsemax": "probabilities of exactly 0, from which no cross-entropy here can learn",
}


def test_every_activation_of_keras_is_there_or_known_to_be_of_no_use(keras):
    assert public(keras.activations) == set(ACTIVATIONS) | OTHER_ACTIVATIONS.keys()
    for name in ACTIVATIONS:
        assert keras.activations.get(name).__name__ == name


def test_more_is_better_for_all_but_losses_and_errors():
    worse = {name for name in METRICS if "error" in name} | {"log_loss", "brier_score"}
    assert set(METRICS) - worse == set(filter(metric_sections.is_more_better, METRICS))


@pytest.mark.parametrize("name", sorted(set(OPTIMIZERS) - {"gradient_descent"}))
def test_an_optimizers_defaults_are_those_of_keras(keras, name):
    parameters = inspect.signature(getattr(keras.optimizers, KERAS_OPTIMIZERS[name])).parameters
    for key, field in OPTIMIZERS[name].model_fields.items():
        if key not in ("name", "exclude_from_weight_decay"):  # Keras's is a method
            assert field.default == parameters[key].default, key


@pytest.mark.parametrize(
    "name",
    ["adam", "adamw", "rmsprop", "adagrad", "nadam", "lion", "muon", "sgd", "gradient_descent"],
)
def test_what_an_optimizer_does_is_in_its_config(keras, name):
    """An argument that Keras sets to something, and no config shows, would be a hidden default."""
    of_every_optimizer = {"ema_momentum", "name", "kwargs", "self"}
    fixed = {
        "muon": {"muon_a", "muon_b", "muon_c", "exclude_embeddings"},
        "gradient_descent": {"momentum", "nesterov"},  # off, by its definition
    }
    parameters = inspect.signature(getattr(keras.optimizers, KERAS_OPTIMIZERS[name])).parameters
    for key, parameter in parameters.items():
        if key in of_every_optimizer | fixed.get(name, set()):
            continue
        is_off = parameter.default in (None, False)
        assert is_off or key in OPTIMIZERS[name].model_fields, key


#: Keras's class for each layer, where it is not the name in camel case.
KERAS_LAYERS = {
    "lstm": "LSTM",
    "gru": "GRU",
    "simple_rnn": "SimpleRNN",
    "rms_normalization": "RMSNormalization",
}


def keras_name(type_name):
    camel = "".join(part.capitalize() for part in type_name.split("_"))
    return KERAS_LAYERS.get(type_name, camel.replace("1d", "1D").replace("2d", "2D"))


#: Of which Keras has no layer by that name.
OURS = {"positional_embedding", "patch_embedding", "residual", "transformer_block"}
#: Keras's other layers, by why a config has none of that name.
OTHER_LAYERS = {
    "classes that others build upon, or that wrap what is not Keras's": """
        Layer Wrapper InputLayer Pipeline RNN SimpleRNNCell LSTMCell GRUCell StackedRNNCells
        FlaxLayer JaxLayer TFSMLayer TorchModuleWrapper Lambda""",
    "an activation by its name": "ELU LeakyReLU ReLU Softmax",
    "residual is their sum; nothing else joins two paths": """
        Add Average Concatenate Dot Maximum Minimum Multiply Subtract""",
    "attention between two sequences; of one with itself it is multi_head_attention": """
        AdditiveAttention Attention GroupedQueryAttention""",
    "of volumes and of films, which no source has": """
        AdaptiveAveragePooling3D AdaptiveMaxPooling3D AveragePooling3D Conv3D Conv3DTranspose
        ConvLSTM1D ConvLSTM2D ConvLSTM3D Cropping3D GlobalAveragePooling3D GlobalMaxPooling3D
        MaxPooling3D SpatialDropout3D UpSampling3D ZeroPadding3D""",
    "of models whose output is a picture or a sequence": "Conv1DTranspose Conv2DTranspose",
    "data.image, data.normalize and the encodings of tables and texts do that": """
        CategoryEncoding CenterCrop Discretization HashedCrossing Hashing IntegerLookup
        MelSpectrogram Normalization Rescaling Resizing STFTSpectrogram StringLookup
        TextVectorization ContrastLimitedAdaptiveHistogramEqualization Equalization""",
    "training.augmentation does that, or would": """
        AugMix AutoContrast CutMix MaxNumBoundingBoxes MixUp RandAugment RandomBrightness
        RandomColorDegeneration RandomColorJitter RandomContrast RandomCrop RandomElasticTransform
        RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale RandomHue RandomInvert
        RandomPerspective RandomPosterization RandomRotation RandomSaturation RandomSharpness
        RandomShear RandomTranslation RandomZoom Solarization""",
    "what they do a layer does that is there": """
        EinsumDense Identity TimeDistributed Masking ReversibleEmbedding ActivityRegularization""",
    "it changes a kernel in each step, beside the optimizer": "SpectralNormalization",
    "not asked for yet": """
        AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveMaxPooling1D
        AdaptiveMaxPooling2D AlphaDropout Cropping1D Cropping2D PReLU Permute RepeatVector
        UpSampling1D ZeroPadding1D""",
}


def test_every_layer_of_keras_is_there_or_known_to_be_left_out(keras):
    named = {o.__name__ for o in vars(keras.layers).values() if inspect.isclass(o)}
    named -= {"InputSpec"}
    left_out = " ".join(OTHER_LAYERS.values()).split()
    ours = {keras_name(type_name) for type_name in set(LAYERS) - OURS}
    assert len(left_out) == len(set(left_out))
    assert not ours & set(left_out)
    assert named == ours | set(left_out)


@pytest.mark.parametrize("type_name", sorted(set(LAYERS) - {"bidirectional"} - OURS))
def test_layers_defaults_are_those_of_keras(keras, type_name):
    parameters = inspect.signature(getattr(keras.layers, keras_name(type_name))).parameters
    for key, field in LAYERS[type_name].model_fields.items():
        if key in ("type", "use_causal_mask"):  # Keras takes it where the layer is called
            continue
        if key == "input_dim":  # it follows from the data
            continue
        expected = parameters[key].default
        if expected is inspect.Parameter.empty:
            assert field.is_required(), key
            continue
        if key == "activation" and expected is None:
            expected = "linear"
        if key.endswith("_initializer"):
            ours = getattr(keras.initializers, field.default)
            assert type(keras.initializers.get(expected)) is ours
            continue
        one = (field.default, field.default) if isinstance(expected, tuple) else field.default
        assert one == expected, key


def test_losses_defaults_are_those_of_keras(keras):
    for name, section in LOSSES.items():
        function = getattr(keras.losses, name, None)
        if function is None:
            assert name == "half_mean_squared_error"
            continue
        parameters = inspect.signature(function).parameters
        for key, field in section.model_fields.items():
            if (name, key) == ("sparse_categorical_crossentropy", "label_smoothing"):
                assert field.default == 0  # Keras has none: it is that of one-hot targets
            elif key != "name":
                assert field.default == parameters[key].default, (name, key)
