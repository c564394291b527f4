"""What a training needs at least: by hand, and against the variables that Keras makes."""

import math

import pytest

from bmtrain.config.durations import Timeline
from bmtrain.models.memory import num_slots, training_memory
from tests.models.test_optimizers import CASES


@pytest.fixture
def planned(experiment, dataset, random):
    """An experiment of 10 -> 7 -> 3 outputs with an optimizer, and its architecture."""
    from bmtrain.models.architecture import plan_architecture

    def plan(optimizer):
        layers = [
            {"type": "dense", "units": 7},
            {"type": "dropout", "rate": 0.5},
            {"type": "dense", "units": 3},
        ]
        made = experiment(*layers, optimizer=optimizer)
        facts = dataset(random.normal(size=(5, 10)), random.normal(size=(5, 3))).facts
        return made, plan_architecture(made, facts)

    return plan


def test_the_need_of_plain_descent_and_of_adam_by_hand(planned):
    """10·7 + 7 + 7·3 + 3 = 101 parameters; a batch of 4 through 7 and 3 outputs."""
    plain, architecture = planned({"name": "gradient_descent", "learning_rate": 0.1})
    need = training_memory(architecture, plain.optimizer, batch_size=4, data_bytes=50)
    # Weights and gradients; their copy; the file's content, twice.
    assert need.parameters == 4 * 101 * (2 + 1 + 2)
    assert (need.batch, need.data) == (4 * 4 * (7 + 3), 50)
    assert need.total == need.parameters + need.batch + need.data
    adam, _ = planned({"name": "adam"})
    need = training_memory(architecture, adam.optimizer, batch_size=4, data_bytes=50)
    assert need.parameters == 4 * 101 * (4 + 3 + 4)


SLOTS_OF_ALL = {"use_ema": True, "gradient_accumulation_steps": 2}


@pytest.mark.parametrize("name", sorted(CASES))
@pytest.mark.parametrize("with_arguments", [False, True])
def test_slots_are_those_that_keras_makes(runtime, planned, random, name, with_arguments):
    """Counters and the learning rate apart, which are one number each."""
    import keras

    from bmtrain.models.optimizers import build_optimizer

    config = {"name": name, "learning_rate": 0.1} | (CASES[name][1] if with_arguments else {})
    if with_arguments and name != "gradient_descent":
        config |= SLOTS_OF_ALL
    made, architecture = planned(config)
    variables = [
        keras.Variable(random.normal(size=shape)) for shape in architecture.variable_shapes.values()
    ]
    optimizer = build_optimizer(made.optimizer, variables, Timeline(10, 1))
    kept = sum(math.prod(v.shape) for v in optimizer.variables if len(v.shape))
    expected = num_slots(made.optimizer) * architecture.num_parameters
    if name == "muon":  # AdamW's two for the biases
        assert kept == expected + 7 + 3
    else:
        assert kept == expected
