"""What is rarely meant in a model is told with its key; what is usual is not."""

import pytest

from bmtrain.models.doubts import architecture_warnings
from tests.models.test_architecture import SPARSE, facts

LINEAR = {"type": "dense", "units": 7}
BENT = LINEAR | {"activation": "relu"}
LAST = {"type": "dense", "units": 10, "activation": "softmax"}
DROPOUT = {"type": "dropout", "rate": 0.5}


@pytest.fixture
def doubts(experiment):
    def found(*layers):
        from bmtrain.models.architecture import plan_architecture

        data = facts((4,))
        return architecture_warnings(
            plan_architecture(experiment(*layers, loss=SPARSE), data), data
        )

    return found


def test_two_linear_layers_in_a_row_are_one(doubts):
    ((key, text),) = doubts(BENT, LINEAR, LAST)
    assert key == ("model", "layers", 1)
    assert text.startswith("layers 1 and 2 (dense) are one linear map together; give layer 1 an")


def test_a_presets_linear_layers_are_told_once_under_the_presets_key(experiment):
    from bmtrain.models.architecture import plan_architecture

    data = facts((4,))
    preset = {"type": "mlp", "hidden": [7, 7], "activation": "linear"}
    linear = plan_architecture(experiment(model=preset, loss=SPARSE), data)
    ((key, text),) = architecture_warnings(linear, data)
    assert key == ("model", "activation")
    assert text.startswith("with it all dense layers are one linear map together; use another")
    bent = plan_architecture(experiment(model=preset | {"activation": "relu"}, loss=SPARSE), data)
    assert architecture_warnings(bent, data) == []


def test_a_dropout_at_the_end_zeroes_outputs(doubts):
    ((key, text),) = doubts(BENT, LAST, DROPOUT)
    assert key == ("model", "layers", 2)
    assert text.startswith("layer 2 (dropout) is the last and zeroes outputs in training; put it")


@pytest.mark.parametrize(
    "layers", [(LAST,), (BENT, DROPOUT, LAST), (LINEAR, {"type": "batch_normalization"}, LAST)]
)
def test_usual_models_are_not_doubted(doubts, layers):
    assert doubts(*layers) == []
