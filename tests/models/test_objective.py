"""The L2 penalty under its three conventions, and what it is taken over."""

import numpy as np
import pytest

ALL_LAYERS = (
    {"type": "reshape", "target_shape": [2, 3]},
    {"type": "layer_normalization"},
    {"type": "flatten"},
    {"type": "dense", "units": 5, "activation": "tanh", "bias_initializer": "ones"},
    {"type": "batch_normalization"},
    {"type": "dropout", "rate": 0.5},
    {"type": "dense", "units": 2, "bias_initializer": "ones"},
)


@pytest.fixture
def model(runtime, experiment, dataset):
    from bmtrain.models.architecture import plan_architecture
    from bmtrain.models.layers.building import build_model

    facts = dataset(np.zeros((7, 6), np.float32), np.zeros((7, 2), np.float32)).facts
    return build_model(plan_architecture(experiment(*ALL_LAYERS), facts), seed=1)


def penalty(model, l2_lambda, convention, num_train_examples):
    from bmtrain.models.objective import l2_factor, l2_penalty, penalized_kernels

    factor = l2_factor(l2_lambda, convention, num_train_examples)
    return float(l2_penalty(penalized_kernels(model), factor).numpy())


def test_kernels_alone_are_penalised(model):
    from bmtrain.models.objective import penalized_kernels

    kernels = penalized_kernels(model)
    assert [tuple(kernel.shape) for kernel in kernels] == [(6, 5), (5, 2)]
    unpenalised = {v.name for v in model.trainable_variables if all(v is not k for k in kernels)}
    assert unpenalised == {"bias", "gamma", "beta"}


def test_biases_gammas_and_betas_do_not_change_the_penalty(model):
    before = penalty(model, 0.3, "sum", 7)
    for variable in model.variables:
        if variable.name != "kernel" and variable.dtype == "float32":
            variable.assign(np.full(variable.shape, 1e3, np.float32))
    assert penalty(model, 0.3, "sum", 7) == before


def test_mean_is_lambda_over_2m_times_the_sum_of_squares(model):
    squares = sum(
        np.sum(np.square(v.value.numpy().astype(np.float64)))
        for v in model.variables
        if v.name == "kernel"
    )
    assert penalty(model, 0.3, "mean", 7) == pytest.approx(0.3 / (2 * 7) * squares, rel=1e-6)
    assert penalty(model, 0.3, "half", 7) == pytest.approx(0.3 / 2 * squares, rel=1e-6)


def test_sum_is_the_penalty_of_keras(model):
    import keras

    regularizer = keras.regularizers.L2(0.3)
    expected = sum(float(regularizer(v.value)) for v in model.variables if v.name == "kernel")
    assert penalty(model, 0.3, "sum", 7) == pytest.approx(expected, rel=1e-6)


def test_without_lambda_the_penalty_is_exactly_0(model):
    assert penalty(model, 0.0, "sum", 7) == 0.0


@pytest.mark.parametrize("convention", ["mean", "sum", "half"])
def test_the_keras_equivalent_that_is_told_gives_the_same_penalty(model, experiment, convention):
    import keras

    from bmtrain.models.objective import describe_l2

    section = experiment(
        *ALL_LAYERS, regularization={"l2_lambda": 0.375, "l2_convention": convention}
    ).regularization
    note, warning = describe_l2(section, 48)
    assert warning is None
    told = float(note.split("L2(")[1].split(")")[0])
    regularizer = keras.regularizers.L2(told)
    expected = sum(float(regularizer(v.value)) for v in model.variables if v.name == "kernel")
    assert penalty(model, 0.375, convention, 48) == pytest.approx(expected, rel=5e-3)


def test_a_lambda_that_does_next_to_nothing_is_warned_about(runtime, experiment):
    from bmtrain.models.objective import describe_l2

    def warning(convention, l2_lambda):
        section = {"l2_lambda": l2_lambda, "l2_convention": convention}
        config = experiment(*ALL_LAYERS, regularization=section)
        return describe_l2(config.regularization, 60_000)[1]

    assert "under 1e-6" in warning("mean", 0.05)
    assert warning("mean", 0.06) is None
    assert warning("sum", 0.05) is None
