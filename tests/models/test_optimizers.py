"""Every optimizer against Keras's, applied eagerly, and the simplest ones against their formula."""

import numpy as np
import pytest

from bmtrain.config.durations import Timeline

NUM_STEPS = 4
LEARNING_RATE = 0.05

#: name -> (Keras's class, arguments that are not the defaults)
CASES = {
    "gradient_descent": ("SGD", {}),
    "sgd": ("SGD", {"momentum": 0.8, "nesterov": True}),
    "adam": ("Adam", {"beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-5, "amsgrad": True}),
    "adamw": ("AdamW", {"weight_decay": 0.1, "beta_1": 0.85}),
    "rmsprop": ("RMSprop", {"rho": 0.7, "momentum": 0.5, "centered": True}),
    "adagrad": ("Adagrad", {"initial_accumulator_value": 0.3, "epsilon": 1e-5}),
    "nadam": ("Nadam", {"beta_1": 0.8, "beta_2": 0.99}),
    "lion": ("Lion", {"beta_1": 0.8, "beta_2": 0.95}),
    "muon": ("Muon", {"ns_steps": 3, "momentum": 0.9, "weight_decay": 0.1, "adam_lr_ratio": 0.5}),
}


@pytest.fixture
def apply(runtime, experiment, random):
    """(optimizer config, gradients per step) -> the parameters after each step."""
    import keras

    from bmtrain.models.optimizers import build_optimizer

    def run(config, initial, gradients):
        variables = [keras.Variable(value) for value in initial]
        section = experiment({"type": "flatten"}, optimizer=config).optimizer
        optimizer = build_optimizer(section, variables, Timeline(10, 1))
        after = []
        for step in gradients:
            optimizer.apply([keras.ops.convert_to_tensor(g) for g in step], variables)
            after.append([np.array(v.value.numpy()) for v in variables])
        return after

    return run


@pytest.fixture
def initial(random):
    return [random.normal(size=shape).astype(np.float32) for shape in ((3, 4), (4,))]


@pytest.fixture
def gradients(random):
    return [
        [random.normal(size=shape).astype(np.float32) for shape in ((3, 4), (4,))]
        for _ in range(NUM_STEPS)
    ]


@pytest.mark.parametrize("name", sorted(CASES))
def test_an_optimizer_steps_as_keras_does_with_the_same_arguments(apply, initial, gradients, name):
    import keras

    kind, options = CASES[name]
    after = apply({"name": name, "learning_rate": LEARNING_RATE, **options}, initial, gradients)

    variables = [keras.Variable(value) for value in initial]
    oracle = getattr(keras.optimizers, kind)(learning_rate=LEARNING_RATE, **options)
    for step, ours in zip(gradients, after, strict=True):
        oracle.apply_gradients(zip(step, variables, strict=True))
        for value, variable in zip(ours, variables, strict=True):
            np.testing.assert_array_equal(value, np.array(variable.value.numpy()))


#: Four steps: the second and the fourth are those in which two accumulated ones are applied.
OF_ALL = [
    {"weight_decay": 0.1},
    {"clipvalue": 0.3},
    {"clipnorm": 0.5},
    {"global_clipnorm": 0.7},
    {"gradient_accumulation_steps": 2},
    {"use_ema": True, "ema_momentum": 0.8},
    {
        "weight_decay": 0.1,
        "global_clipnorm": 0.5,
        "gradient_accumulation_steps": 2,
        "use_ema": True,
    },
]


@pytest.mark.parametrize("options", OF_ALL, ids=", ".join)
@pytest.mark.parametrize("name", sorted(set(CASES) - {"gradient_descent"}))
def test_what_all_optimizers_have_is_keras_own(
    runtime, experiment, initial, gradients, name, options
):
    import keras

    from bmtrain.models.optimizers import build_optimizer

    config = {"name": name, "learning_rate": LEARNING_RATE, **options}
    section = experiment({"type": "flatten"}, optimizer=config).optimizer
    ours, theirs = ([keras.Variable(value) for value in initial] for _ in range(2))
    optimizer = build_optimizer(section, ours, Timeline(10, 1))
    oracle = getattr(keras.optimizers, CASES[name][0])(learning_rate=LEARNING_RATE, **options)
    for step in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(g) for g in step], ours)
        oracle.apply_gradients(zip(step, theirs, strict=True))
    assert not np.array_equal(ours[0].value.numpy(), initial[0])
    for mine, other in zip(
        [*ours, *optimizer.variables], [*theirs, *oracle.variables], strict=True
    ):
        np.testing.assert_array_equal(mine.value.numpy(), other.value.numpy())


def test_what_is_excluded_is_not_decayed_and_all_else_is(runtime, experiment):
    """Without a gradient sgd changes what it decays alone: θ ← θ − α·λ·θ."""
    import keras

    from bmtrain.models.optimizers import build_optimizer

    config = {
        "name": "sgd", "learning_rate": 0.5, "weight_decay": 0.1,
        "exclude_from_weight_decay": ["bias", "gamma"],
    }  # fmt: skip
    section = experiment({"type": "flatten"}, optimizer=config).optimizer
    names = ("kernel", "bias", "recurrent_kernel", "gamma", "beta")
    variables = [keras.Variable(np.ones(2, np.float32), name=name) for name in names]
    optimizer = build_optimizer(section, variables, Timeline(10, 1))
    optimizer.apply([keras.ops.zeros(2)] * len(variables), variables)
    left = {v.name: float(v.value.numpy()[0]) for v in variables}
    decayed = pytest.approx(0.95)
    assert left == {
        "kernel": decayed, "bias": 1, "recurrent_kernel": decayed, "gamma": 1, "beta": decayed,
    }  # fmt: skip


def test_gradient_descent_is_theta_minus_alpha_times_the_gradient(apply, initial, gradients):
    after = apply({"name": "gradient_descent", "learning_rate": 0.5}, initial, gradients)
    expected = [value - 0.5 * gradient for value, gradient in zip(initial, gradients[0])]  # noqa: B905
    for value, theta in zip(after[0], expected, strict=True):
        np.testing.assert_allclose(value, theta, rtol=1e-6)


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_follows_the_formula_of_sutskever(apply, initial, gradients, nesterov):
    """V ← μv − αg; θ ← θ + v, with Nesterov θ ← θ + μv − αg (Sutskever et al. 2013)."""
    options = {"learning_rate": 0.1, "momentum": 0.9, "nesterov": nesterov}
    after = apply({"name": "sgd", **options}, initial, gradients)

    theta = [value.astype(np.float64) for value in initial]
    velocity = [np.zeros_like(value) for value in theta]
    for step, ours in zip(gradients, after, strict=True):
        for i, gradient in enumerate(step):
            velocity[i] = 0.9 * velocity[i] - 0.1 * gradient
            theta[i] = theta[i] + (0.9 * velocity[i] - 0.1 * gradient if nesterov else velocity[i])
            np.testing.assert_allclose(ours[i], theta[i], rtol=1e-5, atol=1e-6)


def test_adam_follows_kingma_and_bas_second_form(apply, initial, gradients):
    """θ ← θ − α·√(1−β₂ᵗ)/(1−β₁ᵗ) · m/(√v + ε̂), ε̂ "epsilon hat"."""
    alpha, beta_1, beta_2, epsilon = 0.01, 0.9, 0.999, 1e-3
    config = {"name": "adam", "learning_rate": alpha, "epsilon": epsilon}
    after = apply(config, initial, gradients)

    theta = [value.astype(np.float64) for value in initial]
    m = [np.zeros_like(value) for value in theta]
    v = [np.zeros_like(value) for value in theta]
    for t, (step, ours) in enumerate(zip(gradients, after, strict=True), start=1):
        for i, gradient in enumerate(step):
            m[i] = beta_1 * m[i] + (1 - beta_1) * gradient
            v[i] = beta_2 * v[i] + (1 - beta_2) * gradient.astype(np.float64) ** 2
            rate = alpha * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
            theta[i] = theta[i] - rate * m[i] / (np.sqrt(v[i]) + epsilon)
            np.testing.assert_allclose(ours[i], theta[i], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", sorted(CASES))
def test_optimizer_variables_are_named_by_position(runtime, experiment, name):
    import keras

    from bmtrain.models.optimizers import build_optimizer, named_optimizer_variables

    config = experiment({"type": "flatten"}, optimizer={"name": name, "learning_rate": 0.1})
    variables = [keras.Variable(np.zeros((2, 2), np.float32)) for _ in range(2)]
    optimizer = build_optimizer(config.optimizer, variables, Timeline(10, 1))
    named = named_optimizer_variables(optimizer)
    kept = [v for v in optimizer.variables if v.name != "learning_rate"]  # the config says it
    assert len(kept) == len(optimizer.variables) - 1
    assert list(named) == [f"variables.{i}" for i in range(len(kept))]
    assert all(a is b for a, b in zip(named.values(), kept, strict=True))
