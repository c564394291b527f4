"""Integrated gradients and occlusion against closed forms and arithmetic by hand."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.special import softmax


def preprocessing(offset=0.0, scale=1.0, vocabulary_size=None):
    return SimpleNamespace(
        facts=SimpleNamespace(vocabulary_size=vocabulary_size),
        offset=np.array(offset, np.float32),
        scale=np.array(scale, np.float32),
    )


@pytest.fixture
def attributor(runtime):
    """(layers, shape) -> the Attributor of a model of them, its kernels drawn with seed 3."""
    import keras

    from bmtrain.engine.attributions import Attributor
    from bmtrain.engine.placement import placement_for

    def make(layers, shape, *, classes=None, takes_logits=False, dtype="float32", **scaling):
        keras.utils.set_random_seed(3)
        model = keras.Sequential([keras.Input(shape, dtype=dtype), *layers])
        for variable in model.trainable_variables:
            variable.assign(np.random.default_rng(3).normal(size=variable.shape))
        problem: Any = SimpleNamespace(
            model=model,
            preprocessing=preprocessing(**scaling),
            num_classes=classes,
        )
        over = {"is_crossentropy": classes is not None, "takes_logits": takes_logits}
        return Attributor(problem, placement_for("cpu"), **over), model

    return make


def dense(*arguments, **keywords):
    import keras

    return keras.layers.Dense(*arguments, **keywords)


def test_of_a_linear_model_they_are_w_times_x_minus_the_baseline(attributor, random):
    made, model = attributor([dense(3)], (4,))
    x, baseline = random.normal(size=(2, 4)).astype(np.float32)
    found = made.integrated_gradients(x, baseline, None, 1)
    kernel = model.layers[0].kernel.numpy().astype(np.float64)
    np.testing.assert_allclose(found.attributions, kernel[:, 1] * (x - baseline), rtol=1e-5)
    assert found.num_steps == 32
    assert made.score == "output"


def test_of_a_square_they_are_the_closed_form(attributor, random):
    """F(x) = z², z = w·x + b: ∂F/∂x = 2wz is linear along the path, its mean is w·(z + z')."""
    import keras

    made, model = attributor([dense(1, activation=keras.ops.square)], (3,))
    x, baseline = random.normal(size=(2, 3)).astype(np.float32)
    kernel, bias = (v.numpy().astype(np.float64) for v in model.layers[0].variables)
    ends = (np.stack([x, baseline]) @ kernel + bias).sum()
    found = made.integrated_gradients(x, baseline, None, 0)
    np.testing.assert_allclose(found.attributions, kernel[:, 0] * ends * (x - baseline), rtol=1e-4)


def test_of_a_rectifier_network_they_add_up_to_the_change_of_the_logit(attributor, random):
    layers = [dense(16, activation="relu"), dense(3, activation="softmax")]
    made, model = attributor(layers, (5,), classes=3)
    x = random.normal(size=5).astype(np.float32)
    scores, outputs = made.scores(x[None], None)
    np.testing.assert_allclose(outputs, softmax(scores, axis=1), rtol=1e-5)
    np.testing.assert_allclose(outputs, model.predict_on_batch(x[None]), rtol=1e-5)
    found = made.integrated_gradients(x, np.zeros(5, np.float32), None, 2)
    assert made.score == "logit"
    assert found.is_complete
    assert found.error <= 0.01 * abs(scores[0, 2] - found.baseline_score)


def test_layers_of_lower_precision_are_explained_too(attributor, random):
    layers = [dense(8, activation="relu", dtype="mixed_bfloat16"), dense(2, activation="softmax")]
    made, model = attributor(layers, (5,), classes=2)
    x = random.normal(size=5).astype(np.float32)
    _, outputs = made.scores(x[None], None)
    np.testing.assert_allclose(outputs, model.predict_on_batch(x[None]), rtol=1e-4)
    found = made.integrated_gradients(x, np.zeros(5, np.float32), None, 0)
    assert found.relative_error < 0.05


def test_steps_are_doubled_until_the_sum_is_right_and_no_further_than_1024(attributor):
    """A jump of a sigmoid at 0.7 of the path: 32 places hardly see it, none see one of 1e6."""
    from bmtrain.engine.attributions import MAX_STEPS

    ends = []
    for steepness in (200.0, 1e6):
        made, model = attributor([dense(1, activation="sigmoid")], (1,))
        model.layers[0].set_weights([np.array([[steepness]]), np.array([-0.703 * steepness])])
        ends.append(
            made.integrated_gradients(np.ones(1, np.float32), np.zeros(1, np.float32), None, 0)
        )
    assert ends[0].is_complete
    assert 32 < ends[0].num_steps <= MAX_STEPS
    assert not ends[1].is_complete
    assert ends[1].num_steps == MAX_STEPS
    assert ends[1].relative_error == pytest.approx(1, abs=1e-3)


def test_of_one_output_the_second_class_has_the_logit_and_the_first_its_negative(attributor):
    made, model = attributor([dense(1, activation="sigmoid")], (2,), classes=2)
    x = np.array([[1, -2]], np.float32)
    scores, outputs = made.scores(x, None)
    logit = (x @ model.layers[0].kernel.numpy() + model.layers[0].bias.numpy()).item()
    np.testing.assert_allclose(scores, [[-logit, logit]], rtol=1e-5)
    assert outputs.item() == pytest.approx(1 / (1 + np.exp(-logit)), rel=1e-5)


def test_the_path_between_texts_is_one_of_vectors_and_padding_gets_nothing(attributor):
    """F = w·mean(vectors of tokens) + b: a token is worth w·(vector − that of padding)/steps."""
    import keras

    layers = [keras.layers.Embedding(5, 3, mask_zero=True), keras.layers.GlobalAveragePooling1D()]
    made, model = attributor([*layers, dense(1)], (4,), dtype="int32", vocabulary_size=5)
    text = np.array([[3, 1, 0, 0]], np.uint16)
    vectors, mask = made.inputs(text)
    assert mask.tolist() == [[True, True, False, False]]
    found = made.integrated_gradients(vectors[0], made.baseline(text[0]), mask[0], 0)
    table = model.layers[0].embeddings.numpy()
    kernel = model.layers[2].kernel.numpy()[:, 0]
    worth = [(table[token] - table[0]) @ kernel / 2 for token in (3, 1)]
    np.testing.assert_allclose(found.attributions.sum(axis=1), [*worth, 0, 0], rtol=1e-4, atol=1e-7)


def test_the_baseline_is_black_for_bytes_and_0_after_scaling_for_numbers(attributor):
    made, _ = attributor([dense(1)], (2,), offset=51.0, scale=0.1)
    assert made.baseline(np.array([7, 9], np.uint8)) == pytest.approx([-5.1, -5.1])
    assert made.baseline(np.array([7, 9], np.float32)).tolist() == [0, 0]
    assert made.inputs(np.array([[51, 61]], np.uint8))[0][0] == pytest.approx([0, 1])


def test_what_is_occluded_is_the_baseline_and_all_else_stays(attributor):
    made, _ = attributor([dense(1, use_bias=False)], (3,))
    made._problem.model.layers[0].set_weights([np.array([[1.0], [10.0], [100.0]])])
    x, baseline = np.array([1, 2, 3], np.float32), np.array([5, 0, 0], np.float32)
    outputs = made.occluded_outputs(x, baseline, None, np.array([0, 1, 1]))
    assert outputs[:, 0].tolist() == [321, 325, 1]
