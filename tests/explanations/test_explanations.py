"""Parts of examples, and permutation importance, without TensorFlow."""

import numpy as np
from sklearn.inspection import permutation_importance as sklearns
from sklearn.linear_model import LinearRegression

from bmtrain.data.encodings.table_encoding import CategoricalInput, NumericInput, TableEncoding
from bmtrain.data.encodings.text_encoding import TextEncoding
from bmtrain.data.examples.dataset import DataFacts
from bmtrain.explanations.parts import cells, columns_of, patches, tokens_of
from bmtrain.explanations.permutation import permutation_importance, seeded_permutations


def facts(encoding):
    return DataFacts(
        task="regression",
        input_shape=encoding.input_shape,
        input_dtype="float32",
        class_names=None,
        num_outputs=1,
        feature_names=encoding.feature_names,
        label_name="y",
        num_train_examples=3,
        fingerprint="00" * 32,
        encoding=encoding,
    )


TABLE = facts(
    TableEncoding(
        (NumericInput("age", 30.0, has_indicator=True), CategoricalInput("sex", ("f", "m")))
    )
)


def test_the_inputs_of_one_column_are_one_part():
    columns = columns_of(TABLE)
    assert columns.names == ("age", "sex")
    assert columns.part_of.tolist() == [0, 0, 1, 1, 1]
    assert columns.summed(np.array([1.0, 2, 4, 8, 16])).tolist() == [3, 28]
    assert cells(TABLE, columns, np.array([41, 0, 0, 1, 0])) == ("41", "m")
    assert cells(TABLE, columns, np.array([30, 1, 0, 0, 1])) == ("(missing)", "(unseen)")


def test_tokens_are_the_vocabularys_without_the_padding():
    words = TextEncoding("text", "word", True, 5, ("the", "film"))
    assert tokens_of(words, np.array([3, 1, 2, 0, 0])) == ("film", "(unknown)", "the")
    signs = TextEncoding("text", "byte", False, 3, ())
    assert tokens_of(signs, np.array([ord("a") + 2, 0xFF + 2, 0])) == ("a", "\\xff")


def test_patches_are_squares_from_the_upper_left():
    part_of, side = patches((15, 14))
    assert side == 2
    assert part_of[0].tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]
    assert part_of[:, 0].tolist() == [row // 2 * 7 for row in range(15)]


def test_permutation_importance_is_scikit_learns_with_the_same_permutations():
    """It shuffles one order further and further; the order of repeat r is the product so far."""
    random = np.random.default_rng(5)
    x = random.normal(size=(40, 3))
    y = x @ [3.0, 1.0, 0.0] + 0.1 * random.normal(size=40)
    model = LinearRegression().fit(x, y)
    seed = np.random.RandomState(11)
    theirs = sklearns(model, x, y, n_repeats=4, random_state=seed)
    state = np.random.RandomState(
        np.random.RandomState(11).randint(np.iinfo(np.int32).max + 1, dtype=np.int64)
    )
    shuffled, order, permutations = np.arange(40), np.arange(40), []
    for _ in range(4):
        state.shuffle(shuffled)
        order = order[shuffled]
        permutations.append(order)
    columns = columns_of(facts(TableEncoding(tuple(map(NumericInput, "abc")))))
    ours = permutation_importance(
        lambda features: model.score(features, y), x, columns, permutations, higher_is_better=True
    )
    np.testing.assert_allclose(ours.drops, theirs.importances, rtol=1e-12)
    np.testing.assert_allclose(ours.means, theirs.importances_mean, rtol=1e-12)
    np.testing.assert_allclose(ours.deviations, theirs.importances_std, rtol=1e-12)


def test_the_inputs_of_a_column_are_permuted_together_and_worse_is_positive():
    x = np.array([[1, 0, 1, 0, 0], [2, 0, 0, 1, 0], [3, 0, 0, 1, 0]], np.float32)
    seen = []

    def figure(features):
        seen.append(features.copy())
        return float(len(seen))  # a loss: each time it is larger

    order = np.array([2, 0, 1])
    found = permutation_importance(figure, x, columns_of(TABLE), [order], higher_is_better=False)
    np.testing.assert_array_equal(seen[2], np.concatenate([x[:, :2], x[order, 2:]], axis=1))
    assert found.drops.tolist() == [[1.0], [2.0]]


def test_permutations_are_a_function_of_the_seed():
    first, second, other = (seeded_permutations(9, 2, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)
    assert [sorted(order) for order in first] == [[*range(9)]] * 2
