import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from bmtrain.config.sections.data import DataSection
from bmtrain.data.examples.weights import as_weights, class_weights, weighted
from bmtrain.data.given_examples import given_split
from bmtrain.data.load import load_dataset, load_examples
from bmtrain.data.raw.source import Place
from bmtrain.errors import ConfigError, DataError

PLACE = Place("d.npz: w_train")


def float32(values):
    return np.array(values, np.float32)


def load(path, **keys):
    task = keys.pop("task", "classification")
    return load_dataset(DataSection(source=str(path), **keys), task=task, seed=0)


def table(path, text):
    path.write_text(text)
    return path


@pytest.mark.parametrize("counts", [(5, 5), (90, 9, 1), (1, 1000, 20, 7)])
def test_balanced_class_weights_are_those_of_scikit_learn(random, counts):
    labels = random.permutation(np.repeat(np.arange(len(counts)), counts)).astype(np.int32)
    names = [f"c{number}" for number in range(len(counts))]
    found = class_weights("balanced", labels, names)
    expected = compute_class_weight("balanced", classes=np.arange(len(counts)), y=labels)
    np.testing.assert_allclose(found, expected, rtol=1e-7)
    assert np.mean(np.array(found)[labels]) == pytest.approx(1)


def test_balanced_knows_only_classes_that_have_examples():
    labels = np.array([0, 0, 0, 2], np.int32)
    found = class_weights("balanced", labels, ["a", "b", "c"])
    assert found == pytest.approx((4 / 6, 1.0, 2.0))


def test_a_class_that_is_not_named_counts_1():
    assert class_weights({"b": 3.0}, np.array([0, 1], np.int32), ["a", "b"]) == (1.0, 3.0)


@pytest.mark.parametrize(
    ("setting", "message", "key"),
    [
        ({"setoza": 2.0}, "there is no class 'setoza'; the classes are: setosa, x", "setoza"),
        ({"setosa": 0.0, "x": 0.0}, "all classes have the weight 0", None),
    ],
)
def test_class_weights_that_fit_no_class_are_told_with_their_key(setting, message, key):
    with pytest.raises(DataError, match=message) as caught:
        class_weights(setting, np.array([0, 1], np.int32), ["setosa", "x"])
    assert caught.value.key == ("training", "class_weight", *([key] if key else []))
    if key:
        assert caught.value.hint == "did you mean 'setosa'?"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1, -2, -3], "expected a finite weight >= 0, got -2, the first of 2 such weights"),
        ([1, np.nan, 1], "expected a finite weight >= 0, got nan"),
        ([np.inf, 1, 1], "expected a finite weight >= 0, got inf"),
        ([1e39, 1, 1], "expected a finite weight >= 0, got 1e\\+39"),
        ([0, 0, 0], "all weights are 0"),
        ([[1, 2], [3, 4]], "expected a weight per example, got float64 of shape \\(2, 2\\)"),
    ],
)
def test_weights_that_are_none_are_told_with_their_row(values, message):
    with pytest.raises(DataError, match=message) as caught:
        as_weights(np.array(values, np.float64), PLACE)
    row = {"got -2": "[1]", "got nan": "[1]", "got inf": "[0]", "1e": "[0]"}
    ending = next((end for start, end in row.items() if start in message), "")
    assert caught.value.where == f"d.npz: w_train{ending}"


def test_whole_numbers_flags_and_a_column_of_weights_will_do():
    for values in ([2, 0], [True, False], [[2.5], [0]]):
        found = as_weights(np.array(values), PLACE)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, float32(np.array(values)).reshape(-1))


CSV = "w,a,b,y\n0.5,1,2,no\n2,3,4,yes\n0,5,6,no\n1,7,8,yes\n"


def test_a_weight_column_is_no_feature_and_stays_with_its_rows(tmp_path):
    dataset = load(table(tmp_path / "d.csv", CSV), label="y", sample_weight="w")
    train = dataset.splits["train"]
    np.testing.assert_array_equal(train.features, [[1, 2], [3, 4], [5, 6], [7, 8]])
    np.testing.assert_array_equal(train.weights, float32([0.5, 2, 0, 1]))
    assert dataset.facts.feature_names == ("a", "b")
    assert dataset.facts.weight_name == "w"


def test_weights_go_with_drawn_splits_and_with_encoded_tables(tmp_path):
    lines = [f"{at},{'ab'[at % 2]},{at / 10},{'xy'[at // 50]}" for at in range(100)]
    path = table(tmp_path / "d.csv", "\n".join(["n,kind,w,y", *lines]) + "\n")
    keys = {"label": "y", "sample_weight": "w", "splits": {"validation": 0.2, "test": 0.2}}
    for categorical in ((), ("kind",)):
        names = ("n", "kind") if categorical else ("n",)
        section = {**keys, "features": names, "categorical": categorical}
        dataset = load(path, **section)
        seen = []
        for split in dataset.splits.values():
            np.testing.assert_array_equal(split.weights, float32(split.features[:, 0] / 10))
            seen += split.features[:, 0].tolist()
        assert sorted(seen) == list(range(100))


def test_arrays_bring_weights_of_the_name_that_is_asked_for(tmp_path):
    x, y, w = np.ones((3, 2), np.float32), np.array([0, 1, 1]), np.array([1, 2, 3.5])
    np.savez(tmp_path / "d.npz", x_train=x, y_train=y, w_train=w, x_test=x, y_test=y, w_test=w * 2)
    dataset = load(tmp_path / "d.npz", sample_weight="w")
    np.testing.assert_array_equal(dataset.splits["train"].weights, float32(w))
    np.testing.assert_array_equal(dataset.splits["test"].weights, float32(w * 2))
    assert load(tmp_path / "d.npz").splits["train"].weights is None
    for name, array in (("x_train", x), ("y_train", y), ("w_train", w)):
        np.save(tmp_path / f"{name}.npy", array)
    dataset = load(tmp_path, sample_weight="w")
    np.testing.assert_array_equal(dataset.splits["train"].weights, float32(w))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({}, "x_train is there, w_train is missing"),
        ({"w_train": np.ones(2)}, "expected one weight per example: 3 examples, 2 weights"),
        ({"w_train": np.array([1, -1, 1.0])}, "expected a finite weight >= 0, got -1"),
        ({"w_train": np.array(["a", "b", "c"])}, "expected a weight per example"),
    ],
)
def test_arrays_of_weights_that_do_not_fit_are_told(tmp_path, arrays, message):
    path = tmp_path / "d.npz"
    np.savez(path, x_train=np.ones((3, 2)), y_train=np.array([0, 1, 1]), **arrays)
    with pytest.raises(DataError, match=message) as caught:
        load(path, sample_weight="w")
    assert str(path) in str(caught.value.where)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("-1", "expected a finite weight >= 0, got -1"),
        ("", "column 'w': the cell is empty"),
        ("nan", "column 'w': expected a finite number, got 'nan'"),
        ("many", "column 'w': expected a number, got 'many'"),
    ],
)
def test_a_bad_weight_in_a_table_is_told_with_its_line(tmp_path, cell, message):
    path = table(tmp_path / "d.csv", f"w,a,y\n1,1,p\n{cell},2,q\n1,3,p\n")
    with pytest.raises(DataError, match=message) as caught:
        load(path, label="y", sample_weight="w")
    assert caught.value.where == f"{path}, line 3"
    assert "data.missing" not in (caught.value.hint or "")
    assert "data.features" not in (caught.value.hint or "")


def test_texts_for_weights_are_no_categories(tmp_path):
    path = table(tmp_path / "d.csv", "w,a,y\nfew,1,p\nmany,2,q\n")
    with pytest.raises(DataError, match="expected a number, got 'few'") as caught:
        load(path, label="y", sample_weight="w")
    assert "categorical" not in (caught.value.hint or "")


def test_a_config_that_takes_the_weights_for_something_else_is_told(tmp_path):
    path = table(tmp_path / "d.csv", CSV)
    with pytest.raises(ConfigError, match="'w' is the weight of the examples") as caught:
        load(path, label="y", sample_weight="w", features=("a", "w"))
    assert caught.value.key == ("data", "features", 1)
    with pytest.raises(ConfigError, match="'y' is the label") as caught:
        load(path, label="y", sample_weight="y")
    assert caught.value.key == ("data", "sample_weight")
    with pytest.raises(DataError, match="there is no column 'v'") as missing:
        load(path, label="y", sample_weight="v")
    assert missing.value.key == ("data", "sample_weight")
    with pytest.raises(DataError, match="IDX files hold no weights"):
        load("mnist", sample_weight="w")


def test_a_drawn_split_without_weight_is_told(tmp_path):
    rows = [f"{at},{int(at < 2)},{'pq'[at % 2]}" for at in range(40)]
    path = table(tmp_path / "d.csv", "\n".join(["a,w,y", *rows]) + "\n")
    with pytest.raises(DataError, match=r"all (train|test) examples have the weight 0"):
        load(path, label="y", sample_weight="w", splits={"test": 0.1})


def test_class_weights_and_sample_weights_together_may_leave_nothing(dataset):
    data = dataset(np.ones((2, 1), np.float32), np.array([0, 1], np.int32), weights=float32([0, 3]))
    with pytest.raises(DataError, match="all train examples have the weight 0"):
        weighted(data, {"1": 0.0})


def test_class_weights_of_the_training_split_weigh_all_splits(dataset):
    x = np.ones((4, 1), np.float32)
    data = dataset(x, np.array([0, 0, 0, 1], np.int32), test=(x[:2], np.array([0, 1], np.int32)))
    found = weighted(data, "balanced")
    assert found.facts.class_weights == pytest.approx((2 / 3, 2.0))
    np.testing.assert_array_equal(found.splits["test"].weights, float32([2 / 3, 2]))
    assert found.facts.fingerprint == data.facts.fingerprint
    assert weighted(data, None) is data


def test_weights_are_part_of_the_fingerprint(tmp_path):
    path = table(tmp_path / "d.csv", CSV)
    other = table(tmp_path / "e.csv", CSV.replace("0.5", "0.6"))
    found = {
        load(path, label="y", sample_weight="w").facts.fingerprint,
        load(other, label="y", sample_weight="w").facts.fingerprint,
        load(path, label="y", features=("a", "b")).facts.fingerprint,
        load(other, label="y", features=("a", "b")).facts.fingerprint,
    }
    assert len(found) == 3


def test_examples_for_a_trained_model_are_weighed_as_it_was(tmp_path):
    data = weighted(load(table(tmp_path / "d.csv", CSV), label="y", sample_weight="w"), {"no": 4.0})
    found = load_examples(
        table(tmp_path / "e.csv", "y,b,w,a\nno,2,3,1\nyes,2,5,1\n"), data.facts, labels="required"
    )
    np.testing.assert_array_equal(found.features, [[1, 2], [1, 2]])
    np.testing.assert_array_equal(found.weights, float32([12, 5]))
    without = table(tmp_path / "f.csv", "y,b,a\nno,2,1\n")
    with pytest.raises(DataError, match="there is no column 'w'") as caught:
        load_examples(without, data.facts, labels="required")
    assert "the loss is weighted by them" in str(caught.value.hint)
    assert load_examples(without, data.facts, labels="optional").weights is None


def test_a_program_gives_one_weight_for_each_example(dataset):
    x = np.ones((3, 1), np.float32)
    data = weighted(dataset(x, np.array([0, 1, 1], np.int32)), {"1": 4.0})
    split = given_split(x, [0, 1, 1], data.facts, sample_weight=[1, 2, 0.5])
    np.testing.assert_array_equal(split.weights, float32([1, 8, 2]))
    with pytest.raises(DataError, match="expected one weight per example: 3 examples, 2 weights"):
        given_split(x, [0, 1, 1], data.facts, sample_weight=[1, 2])
