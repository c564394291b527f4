"""Parts of examples, permutation importance, pictures and the page, without TensorFlow."""

import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image
from sklearn.inspection import permutation_importance as sklearns
from sklearn.linear_model import LinearRegression

from bmtrain.data.encodings.table_encoding import CategoricalInput, NumericInput, TableEncoding
from bmtrain.data.encodings.text_encoding import TextEncoding
from bmtrain.data.examples.dataset import DataFacts
from bmtrain.explanations.page import Bars, Block, Facts, Pictures, Section, Tokens, Words, page
from bmtrain.explanations.parts import cells, columns_of, patches, tokens_of
from bmtrain.explanations.permutation import permutation_importance, seeded_permutations
from bmtrain.explanations.pictures import heat_map_png, picture_png, tiles_png


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


def test_a_heat_map_is_blue_where_it_speaks_for_and_red_where_against():
    values = np.array([[1.0, -1.0], [0.0, 0.0]])
    grey = np.full((2, 2), 255, np.uint8)
    pixels = np.asarray(Image.open(io.BytesIO(heat_map_png(grey, values))))
    assert pixels.shape == (224, 224, 3)
    red, _, blue = pixels[0, 0].astype(int)
    assert blue > red + 100
    red, _, blue = pixels[0, -1].astype(int)
    assert red > blue + 100
    assert pixels[-1, 0].tolist() == [255, 255, 255]


def test_pictures_and_weights_of_any_kind_are_png():
    colours = np.arange(300 * 2 * 3, dtype=np.uint8).reshape(300, 2, 3)
    assert Image.open(io.BytesIO(picture_png(colours))).size == (2, 300)
    assert Image.open(io.BytesIO(picture_png(np.zeros((4, 4, 1), np.float32)))).size == (224, 224)
    kernel = np.random.default_rng(0).normal(size=(3, 3, 70))
    sheet = Image.open(io.BytesIO(tiles_png(kernel)))  # 64 of them, 8 × 8, with lines between
    assert sheet.size == (6 * (8 * 4 + 1),) * 2


EVIL = "<script>alert('1')</script>\"&\u202e"


class Seen(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.texts = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_data(self, data):
        self.texts.append(data)


def test_names_from_the_data_are_text_in_the_page_and_nothing_else():
    blocks: list[Block] = [
        Words(EVIL),
        Facts([(EVIL, EVIL)]),
        Pictures([(EVIL, b"png")]),
        Tokens(EVIL, [EVIL, "b"], [1.0, float("nan")]),
        Bars(EVIL, (EVIL,), [((EVIL, EVIL), -2.0), (("b", "c"), 1.0)]),
    ]
    html = page(EVIL, [Section(EVIL, blocks)])
    seen = Seen()
    seen.feed(html)
    assert "script" not in seen.tags
    assert not any(name.startswith("on") for name, _ in seen.attributes)
    assert "\u202e" not in html
    shown = EVIL.replace("\u202e", "\\u202e")
    assert sum(text.strip() == shown for text in seen.texts) >= 8
    assert not re.search(r"(src|href)=\"(?!data:)", html)


@pytest.mark.parametrize("scheme", ["light dark", "prefers-color-scheme: dark"])
def test_the_page_is_for_light_and_dark_and_forbids_whatever_could_load(scheme):
    html = page("title", [])
    assert scheme in html
    assert "default-src 'none'" in html
