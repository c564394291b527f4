"""When training stops and which epoch is best, against Keras's own callback."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bmtrain.errors import TrainingDiverged
from bmtrain.events import EpochDone, StoppedEarly
from bmtrain.training_state import TrainingState


class ScriptedSteps:
    """One step per epoch, whose accuracy and loss are told beforehand; nothing is trained."""

    steps_per_epoch = 1

    def __init__(self, figures):
        self._figures = iter(figures)

    def run(self, order, steps, first_step, sums):
        from bmtrain.engine.steps import CallResult

        loss, accuracy = next(self._figures)
        size = len(order)
        new_sums = np.array([size, size * loss, 0.0, size * accuracy])
        return CallResult(new_sums, None, weights_finite=True)


class ScriptedEvaluator:
    def __init__(self, figures):
        self._figures = iter(figures)

    def evaluate(self, split):
        from bmtrain.engine.evaluation import Evaluation

        loss, accuracy = next(self._figures)
        figures = {"loss": loss, "penalty": 0.0, "objective": loss, "accuracy": accuracy}
        return Evaluation(figures, np.zeros((1, 2), np.float32))


@pytest.fixture(scope="module")
def follow(runtime, experiment, dataset):
    """(early stopping, losses, accuracies) -> (events, final state)."""
    from bmtrain.data.examples.normalization import fit_preprocessing
    from bmtrain.engine.loop import TrainingLoop
    from bmtrain.models.architecture import plan_architecture
    from bmtrain.models.problem import build_problem

    split = np.zeros((4, 3), np.float32), np.array([0, 1, 0, 1], np.int32)
    both, train_alone = dataset(*split, validation=split), dataset(*split)
    config = experiment(
        {"type": "dense", "units": 2, "activation": "softmax"},
        loss={"name": "sparse_categorical_crossentropy"},
        metrics=["accuracy"],
    )
    problem = build_problem(
        config, plan_architecture(config, both.facts), fit_preprocessing(both, "none")
    )

    def run(stopping, losses, accuracies=None, *, validation=True):
        figures = list(zip(losses, accuracies or [0.5] * len(losses), strict=True))
        training = experiment(
            {"type": "flatten"},
            training={"epochs": len(losses), "early_stopping": stopping},
        ).training
        data = both if validation else train_alone
        loop = TrainingLoop(
            problem,
            data,
            ScriptedSteps(figures),  # type: ignore[arg-type]  # a stand-in
            ScriptedEvaluator(figures),  # type: ignore[arg-type]
            training,
            TrainingState(),
        )
        return list(loop.events()), loop.state

    return run


def keras_stopping(values, *, mode, patience, min_delta):
    """(last epoch, best epoch) from 1, as Keras's callback decides over the same values."""
    import keras

    callback = keras.callbacks.EarlyStopping(
        monitor="value", mode=mode, patience=patience, min_delta=min_delta
    )
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    callback.set_model(model)
    model.stop_training = False
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        callback.on_epoch_end(epoch, {"value": value})
        if model.stop_training:
            return epoch + 1, callback.best_epoch + 1
    return len(values), callback.best_epoch + 1


# Halves and quarters: differences are exact, whichever side a threshold is added to.
_values = st.lists(st.integers(0, 12).map(lambda n: n / 4), min_size=1, max_size=12)


@settings(max_examples=150)
@given(
    values=_values,
    patience=st.integers(0, 4),
    min_delta=st.sampled_from([0.0, 0.25, 1.0]),
    mode=st.sampled_from(["min", "max"]),
    monitor=st.sampled_from(["validation.loss", "train.loss", "validation.accuracy"]),
)
def test_training_stops_where_keras_would_and_keeps_the_same_best(
    follow, values, patience, min_delta, mode, monitor
):
    stopping = {"monitor": monitor, "patience": patience, "min_delta": min_delta, "mode": mode}
    losses = values if monitor.endswith("loss") else [1.0] * len(values)
    events, state = follow(stopping, losses, values)
    expected = keras_stopping(values, mode=mode, patience=patience, min_delta=min_delta)
    assert (state.epoch, state.best_epoch) == expected
    assert state.stopped_early == isinstance(events[-1], StoppedEarly)
    improved = [e.epoch for e in events if isinstance(e, EpochDone) and e.improved]
    assert improved[-1] == state.best_epoch
    assert state.best_value == values[state.best_epoch - 1]
    assert state.best_step == state.best_epoch  # one step per epoch


@pytest.mark.parametrize(
    ("monitor", "best"),
    [
        ("validation.loss", 2),
        ("validation.objective", 2),
        ("validation.accuracy", 3),
        ("train.accuracy", 3),
    ],
)
def test_auto_takes_more_as_better_for_accuracies_and_less_for_all_else(follow, monitor, best):
    _, state = follow({"monitor": monitor}, [3.0, 1.0, 2.0], [0.5, 0.6, 0.7])
    assert state.best_epoch == best


def test_stopping_early_says_when_what_was_best_and_by_which_figure(follow):
    events, state = follow({"patience": 2}, [3.0, 1.0, 2.0, 2.0, 0.5])
    assert events[-1] == StoppedEarly(epoch=4, best_epoch=2, monitor="validation.loss")
    assert state.stopped_early
    assert state.epochs_without_improvement == 2


def test_without_early_stopping_the_lowest_validation_loss_is_best_and_nothing_stops(follow):
    events, state = follow(None, [3.0, 1.0] + [2.0] * 20)
    assert (state.epoch, state.best_epoch, state.stopped_early) == (22, 2, False)
    assert not any(isinstance(event, StoppedEarly) for event in events)


def test_without_a_validation_split_nothing_is_best(follow):
    events, state = follow(None, [3.0, 1.0, 2.0], validation=False)
    assert (state.best_value, state.best_epoch, state.best_step) == (None, None, None)
    epochs = [event for event in events if isinstance(event, EpochDone)]
    assert [(e.validation, e.improved) for e in epochs] == [(None, False)] * 3


def test_a_figure_that_is_undefined_in_an_epoch_is_neither_better_nor_waited_for(follow):
    stopping = {"monitor": "validation.accuracy", "patience": 2}
    undefined = float("nan")
    _, state = follow(stopping, [1.0] * 4, [undefined, 0.5, undefined, 0.4])
    assert (state.best_value, state.best_epoch, state.epochs_without_improvement) == (0.5, 2, 1)


def test_a_validation_loss_that_is_not_finite_ends_the_training(follow):
    with pytest.raises(TrainingDiverged, match=r"not finite after epoch 2 \(step 2\)"):
        follow(None, [3.0, float("nan"), 2.0])
