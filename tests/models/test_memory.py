"""What a training needs at least: by hand, and against the variables that Keras makes."""

import math

import numpy as np
import pytest

from bmtrain.config.durations import Timeline
from bmtrain.data.examples.dataset import BLOCK_SIZE
from bmtrain.models import activations
from bmtrain.models.architecture import plan_architecture
from bmtrain.models.memory import (
    evaluated_at_once,
    num_slots,
    training_memory,
)
from tests.models.test_optimizers import CASES


@pytest.fixture
def planned(experiment, dataset, random):
    """An experiment of 10 -> 7 -> 3 outputs with an optimizer, and its architecture."""

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
    # Weights and gradients; the file's content, twice.
    assert need.parameters == 4 * 101 * (2 + 2)
    assert (need.kept, need.data) == (4 * 4 * (7 + 3), 50)
    # The dropout's mask and output, and at the first layer's gradient its input and output.
    assert need.batch == 4 * 4 * (7 + 2 * 7 + 3 + 10 + 7)
    assert need.at_least == need.parameters + need.kept + need.data
    assert need.total == need.parameters + need.batch + need.data + (700 + 90 + 70) * 10**6
    adam, _ = planned({"name": "adam"})
    need = training_memory(architecture, adam.optimizer, batch_size=4, data_bytes=50)
    assert need.parameters == 4 * 101 * (4 + 4)
    best = training_memory(
        architecture, adam.optimizer, batch_size=4, data_bytes=50, holds_best=True
    )
    assert best.parameters == need.parameters + 4 * 101 * 3
    short = training_memory(
        architecture, adam.optimizer, batch_size=4, data_bytes=50, has_short_batch=True
    )
    assert short.total == need.total + 90 * 10**6  # steps of its own: three layers


def test_bfloat16_halves_what_layers_give_and_nothing_else(planned):
    made, architecture = planned({"name": "adam"})

    def need(**settings):
        return training_memory(
            architecture, made.optimizer, batch_size=4, data_bytes=50, **settings
        )

    plain, mixed = need(), need(precision="mixed_bfloat16", on_gpu=True)
    assert (mixed.kept, mixed.batch) == (plain.kept // 2, plain.batch // 2)
    assert mixed.parameters == plain.parameters
    # XLA computes it as float32 on a processor, and keeps it so.
    assert need(precision="mixed_bfloat16").batch == plain.batch


def block(remat):
    """4 → 9 → 4 values of each of 5 steps, and their sum."""
    layers = [{"type": "dense", "units": 9, "activation": "gelu"}, {"type": "dense", "units": 4}]
    return {"type": "residual", "layers": layers, "remat": remat}


def test_of_a_block_that_is_computed_again_its_input_is_kept(experiment, dataset, random):
    """Two blocks on 5 steps of 4 values: by hand, values of one example."""
    facts = dataset(random.normal(size=(5, 5, 4)), np.arange(5, dtype=np.int32) % 3).facts

    def planned(remat):
        layers = [block(remat), block(remat), {"type": "flatten"}, {"type": "dense", "units": 3}]
        loss = {"name": "sparse_categorical_crossentropy"}
        return plan_architecture(experiment(*layers, loss=loss), facts)

    plain, again = planned(remat=False), planned(remat=True)
    of_block = 5 * (3 * 9 + 4)  # gelu: what it got, a value between, its output
    widest = 5 * (9 + 4)  # both ends of a dense layer
    assert activations.least(plain.layers) == 2 * 5 * (9 + 4) + 3
    assert activations.about(plain.layers) == 2 * (of_block + 5 * 4) + 3 + widest
    assert activations.least(again.layers) == 2 * 5 * 4 + 3
    assert activations.about(again.layers) == 2 * 5 * 4 + 3 + of_block + widest
    forward = 2 * 2 * 2 * 5 * 4 * 9 + 2 * 20 * 3
    assert plain.training_flops == 3 * forward
    assert again.training_flops == 3 * forward + 2 * 2 * 2 * 5 * 4 * 9


@pytest.mark.parametrize(("kind", "per_unit"), [("lstm", 5), ("gru", 4), ("simple_rnn", 2)])
def test_a_recurrent_layers_gradient_has_more_in_work_than_both_its_ends(
    experiment, dataset, random, kind, per_unit
):
    """7 units over 5 steps of 4 values: the gates and the state of each step are kept."""
    facts = dataset(random.normal(size=(5, 5, 4)), np.arange(5, dtype=np.int32) % 3).facts
    loss = {"name": "sparse_categorical_crossentropy"}
    layers = [{"type": kind, "units": 7}, {"type": "dense", "units": 3}]
    architecture = plan_architecture(experiment(*layers, loss=loss), facts)
    kept = 5 * per_unit * 7
    assert activations.least(architecture.layers) == kept + 3
    assert activations.about(architecture.layers) == kept + 3 + kept * 3 // 2


def test_a_wide_model_is_evaluated_a_few_examples_at_a_time(experiment, dataset, random):
    facts = dataset(random.normal(size=(5, 10)), random.normal(size=(5, 1))).facts

    def at_once(*units):
        layers = [{"type": "dense", "units": count} for count in (*units, 1)]
        return evaluated_at_once(plan_architecture(experiment(*layers), facts))

    assert at_once(100) == BLOCK_SIZE
    # 10 and 300,000 values of float32, a gigabyte in all: half of 1,024 are over 2**29.
    assert at_once(300_000) == 256
    # 2·10⁴·10⁴ and a little FLOPs each; 2·10¹¹ are let through.
    assert at_once(10_000, 10_000) == 512


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
