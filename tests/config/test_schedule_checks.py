"""Learning-rate schedules in a config: what is read, refused and doubted, each at its place."""

import pytest

from bmtrain.config.durations import Timeline, read_duration


def with_rate(config, rate, **parts):
    return config(optimizer=f"{{name: adam, learning_rate: {rate}}}", **parts)


@pytest.mark.parametrize(
    ("text", "steps"),
    [("500 steps", 500), ("1 step", 1), ("2 epochs", 188), ("0.5 epochs", 47), ("1 epoch", 94),
     ("10%", 94), ("0.25%", 2), ("100%", 940)],
)  # fmt: skip
def test_a_duration_is_steps_epochs_or_a_share_of_the_training(text, steps):
    assert Timeline(94, 10).steps(text) == steps
    assert read_duration(text).derives_from_total == text.endswith("%")


@pytest.mark.parametrize(
    "text", ["500", "5 minutes", "101%", "1.5 steps", "-1 epochs", "10 %", "%"]
)
def test_what_is_no_duration_is_an_error_with_its_place(errors, config, text):
    rate = f"{{name: cosine, initial: 0.1, warmup: '{text}'}}"
    (diagnostic,) = errors(text=with_rate(config, rate))
    assert diagnostic.key == "optimizer.learning_rate.warmup"
    assert diagnostic.message == (
        f"expected a duration such as '500 steps', '2 epochs' or '10%', got '{text}'"
    )


def test_a_schedule_is_written_out_with_its_defaults(load, config):
    rate = load(text=with_rate(config, "{name: cosine, initial: 1e-3}")).experiment.optimizer
    schedule = rate.learning_rate
    assert (schedule.warmup, schedule.duration, schedule.alpha) == ("0 steps", "100%", 0.0)


@pytest.mark.parametrize(
    ("rate", "key", "message"),
    [
        ("{name: cosin, initial: 0.1}", "name", "expected one of constant, step, exponential"),
        ("{initial: 0.1}", "name", "missing; expected one of constant"),
        ("{name: cosine}", "initial", "missing; expected a number > 0"),
        ("{name: cosine, initial: 0}", "initial", "expected a number > 0, got 0"),
        ("{name: cosine, initial: 0.1, wramup: 5%}", "wramup",
         "unknown key; did you mean 'warmup'?"),
        ("{name: piecewise, values: [0.1, 0.2], boundaries: [20%, 30%]}", "values",
         "expected 3, one more than there are boundaries, got 2"),
        ("{name: piecewise, values: [0.1, 0.2, 0.3], boundaries: [30%, 2 epochs]}",
         "boundaries.1", "expected more than the '30%' before it, got '2 epochs'"),
        ("{name: cosine, initial: 0.1, warmup: 10 epochs}", "warmup",
         "the warm-up must be shorter than the training's 10 epochs, got '10 epochs'"),
        ("{name: cosine, initial: 0.1, warmup: 20%, duration: 2 epochs}", "duration",
         "expected more than the warm-up's '20%', got '2 epochs'"),
        ("{name: step, initial: 0.1, every: 0 epochs}", "every",
         "expected at least a step, got '0 epochs'"),
        ("{name: reduce_on_plateau, initial: 0.1, monitor: train.auc}", "monitor",
         "expected a figure of this run"),
        ("{name: constant, initial: 1e-50}", "initial", "1e-50 is 0 in float32"),
        ("{name: piecewise, values: [0.1, 1e-50], boundaries: [20%]}", "values.1",
         "1e-50 is 0 in float32"),
    ],
)  # fmt: skip
def test_a_schedule_that_cannot_be_is_an_error(errors, config, rate, key, message):
    (diagnostic,) = errors(text=with_rate(config, rate))
    assert diagnostic.key == f"optimizer.learning_rate.{key}"
    assert diagnostic.line == 6
    assert diagnostic.message.startswith(message)


def test_a_number_that_is_wrong_is_told_as_a_number_and_a_text_as_either(errors, config):
    (number,) = errors(text=with_rate(config, "0"))
    assert number.message == "expected a number > 0, got 0"
    (text,) = errors(text=with_rate(config, "cosine"))
    assert text.message.startswith("expected a number > 0, or a mapping with 'name': one of const")


@pytest.mark.parametrize(
    ("rate", "key", "message"),
    [
        ("{name: cosine, initial: 0.1, duration: 12 epochs}", "duration",
         "'12 epochs' is longer than the training's 10 epochs: its end is never reached"),
        ("{name: step, initial: 0.1, every: 30 epochs}", "every",
         "'30 epochs' is longer than the training's 10 epochs: the rate is never reduced"),
        ("{name: piecewise, values: [0.1, 0.2], boundaries: [11 epochs]}", "boundaries.0",
         "'11 epochs' is longer than the training's 10 epochs: its value is never used"),
        ("{name: cosine_restarts, initial: 0.1, first: 20 epochs}", "first",
         "'20 epochs' is longer than the training's 10 epochs: it never begins anew"),
        ("{name: reduce_on_plateau, initial: 0.1, monitor: train.loss, patience: 10}", "patience",
         "patience 10 never reduces the rate in 10 epochs"),
    ],
)  # fmt: skip
def test_a_schedule_longer_than_the_training_is_doubted(load, config, rate, key, message):
    (warning,) = load(text=with_rate(config, rate)).warnings
    assert (warning.key, warning.message) == (f"optimizer.learning_rate.{key}", message)


def test_overrides_reach_into_a_schedule_and_replace_it(load, config):
    text = with_rate(config, "{name: cosine, initial: 0.1, alpha: 0.2}")
    reached = load("optimizer.learning_rate.initial=0.5", text=text).experiment.optimizer
    assert (reached.learning_rate.initial, reached.learning_rate.alpha) == (0.5, 0.2)
    other = load("optimizer.learning_rate={name: polynomial, initial: 1}", text=text)
    assert other.experiment.optimizer.learning_rate.power == 1.0
    assert load("optimizer.learning_rate=0.3", text=text).experiment.optimizer.learning_rate == 0.3
    restored = load("optimizer.learning_rate.alpha=null", text=text).experiment.optimizer
    assert restored.learning_rate.alpha == 0.0


def test_a_plateaus_monitor_may_be_written_short(load, config):
    rate = "{name: reduce_on_plateau, initial: 0.1, monitor: train.acc}"
    experiment = load(text=with_rate(config, rate, metrics="acc")).experiment
    assert experiment.optimizer.learning_rate.monitor == "train.accuracy"
