"""Every schedule against Keras's own, or its formula in NumPy, at every step of a training."""

import numpy as np
import pytest

from bmtrain.config.durations import Timeline

#: 20 epochs of 50 steps.
TIMELINE = Timeline(50, 20)
STEPS = np.arange(TIMELINE.total_steps)
INITIAL = 0.02


@pytest.fixture
def rates(runtime, experiment):
    """(schedule) -> float32 rates (steps,), computed in one compiled loop."""
    import tensorflow as tf

    from bmtrain.models.schedules import Schedule

    def follow(**config):
        optimizer = {"name": "adam", "learning_rate": config}
        section = experiment({"type": "flatten"}, optimizer=optimizer).optimizer
        schedule = Schedule(section.learning_rate, TIMELINE)

        @tf.function(jit_compile=True, autograph=False)
        def run(steps):
            return tf.map_fn(schedule, steps, fn_output_signature=tf.float32)

        rates = run(tf.constant(STEPS)).numpy()
        assert rates.dtype == np.float32
        eager = np.array([schedule(step).numpy() for step in (0, 7, 500, 999)])
        np.testing.assert_allclose(rates[[0, 7, 500, 999]], eager, rtol=3e-7)
        return rates

    return follow


def of_keras(name, *arguments, **options):
    import keras
    import tensorflow as tf

    schedule = getattr(keras.optimizers.schedules, name)(*arguments, **options)

    @tf.function(autograph=False)
    def run(steps):
        return tf.map_fn(schedule, steps, fn_output_signature=tf.float32)

    return run(tf.constant(STEPS)).numpy()


def test_cosine_is_keras_cosine_decay_with_its_warmup(rates):
    ours = rates(name="cosine", initial=INITIAL, alpha=0.1, warmup="2 epochs", duration="90%")
    theirs = of_keras("CosineDecay", 0.0, 800, alpha=0.1, warmup_target=INITIAL, warmup_steps=100)
    np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1e-9)


@pytest.mark.parametrize(("t_mul", "m_mul"), [(1.0, 0.5), (2.0, 1.0), (3.0, 0.7), (1.5, 0.9)])
def test_cosine_restarts_are_keras_cosine_decay_restarts(rates, t_mul, m_mul):
    ours = rates(
        name="cosine_restarts", initial=INITIAL, first="40 steps", t_mul=t_mul, m_mul=m_mul,
        alpha=0.05,
    )  # fmt: skip
    theirs = of_keras("CosineDecayRestarts", INITIAL, 40, t_mul=t_mul, m_mul=m_mul, alpha=0.05)
    # Keras's float32 logarithm may begin a cycle a step late; it knows where within it it is.
    differ = ~np.isclose(ours, theirs, rtol=2e-4, atol=1e-7)
    starts = 40 * (np.arange(30) if t_mul == 1 else (t_mul ** np.arange(9) - 1) / (t_mul - 1))
    assert np.abs(STEPS[differ][:, None] - starts).min(axis=1, initial=1e9).max(initial=0) <= 1


def test_polynomial_is_keras_polynomial_decay(rates):
    ours = rates(name="polynomial", initial=INITIAL, end=0.001, power=2.0, duration="16 epochs")
    theirs = of_keras("PolynomialDecay", INITIAL, 800, end_learning_rate=0.001, power=2.0)
    np.testing.assert_allclose(ours, theirs, rtol=2e-5)


@pytest.mark.parametrize("staircase", [False, True])
def test_exponential_and_step_are_keras_exponential_decay(rates, staircase):
    name = "step" if staircase else "exponential"
    ours = rates(name=name, initial=INITIAL, every="3 epochs", decay_rate=0.3)
    theirs = of_keras("ExponentialDecay", INITIAL, 150, 0.3, staircase=staircase)
    np.testing.assert_allclose(ours, theirs, rtol=2e-5)


def test_piecewise_has_its_next_value_from_the_boundary_on(rates):
    ours = rates(name="piecewise", boundaries=["10 steps", "25%", "12.5 epochs"],
                 values=[0.1, 0.2, 0.05, 0.01])  # fmt: skip
    expected = np.select([STEPS < 10, STEPS < 250, STEPS < 625], [0.1, 0.2, 0.05], 0.01)
    np.testing.assert_allclose(ours, expected, rtol=1e-7)
    # Keras's changes after the step that it is given.
    theirs = of_keras("PiecewiseConstantDecay", [9, 249, 624], [0.1, 0.2, 0.05, 0.01])
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_one_cycle_is_two_halves_of_a_cosine(rates):
    ours = rates(name="one_cycle", maximum=0.5, warmup="200 steps", duration="800 steps",
                 div_factor=10.0, final_div_factor=100.0)  # fmt: skip
    up = 0.05 + 0.45 * (1 - np.cos(np.pi * STEPS / 200)) / 2
    down = 0.0005 + 0.4995 * (1 + np.cos(np.pi * np.minimum((STEPS - 200) / 600, 1))) / 2
    np.testing.assert_allclose(ours, np.where(STEPS < 200, up, down), rtol=2e-7)
    assert ours.argmax() == 200


@pytest.mark.parametrize(
    "config",
    [
        {"name": "constant", "initial": INITIAL},
        {"name": "step", "initial": INITIAL, "every": "5 epochs"},
        {"name": "exponential", "initial": INITIAL, "every": "5 epochs"},
        {"name": "piecewise", "values": [INITIAL, 0.001], "boundaries": ["50%"]},
        {"name": "cosine", "initial": INITIAL},
        {"name": "cosine_restarts", "initial": INITIAL, "first": "100 steps"},
        {"name": "polynomial", "initial": INITIAL},
        {"name": "reduce_on_plateau", "initial": INITIAL},
    ],
    ids=lambda config: config["name"],
)
def test_a_warmup_rises_in_proportion_to_the_step_and_ends_in_the_first_rate(rates, config):
    ours = rates(**config, warmup="10%")
    np.testing.assert_allclose(ours[:101], INITIAL * STEPS[:101] / 100, rtol=2e-7)
    assert (ours[100:] <= np.float32(INITIAL)).all()


def test_a_step_of_a_very_long_training_is_no_float32(runtime, experiment):
    """2^24 + 1 is none: a step there would have the rate of its neighbour."""
    from bmtrain.models.schedules import Schedule

    config = {"name": "piecewise", "boundaries": [f"{2**24 + 1} steps"], "values": [1.0, 2.0]}
    section = experiment({"type": "flatten"}, optimizer={"name": "adam", "learning_rate": config})
    schedule = Schedule(section.optimizer.learning_rate, Timeline(2**25, 1))
    assert [float(schedule(2**24 + i)) for i in range(3)] == [1.0, 2.0, 2.0]


def test_every_schedule_of_the_config_has_its_function(runtime):
    from typing import get_args

    from bmtrain.config.sections.learning_rate import AnySchedule
    from bmtrain.models.schedules import SCHEDULES

    names = {get_args(s.model_fields["name"].annotation)[0] for s in get_args(AnySchedule)}
    assert names == set(SCHEDULES)
