import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmtrain.data.examples.labels import (
    MAX_CLASSES,
    as_classes,
    fit_class_names,
    require_seen_classes,
)
from bmtrain.data.raw.source import Place, RawPart
from bmtrain.errors import DataError

PLACE = Place("d.npz: y_train")


def class_names(labels):
    return fit_class_names(RawPart(np.ones((len(labels), 1)), labels, PLACE, PLACE))


@pytest.mark.parametrize("dtype", ["u1", "i8", "u8", "f2", "f4", "f8"])
def test_class_numbers_are_classes_from_0_to_the_largest(dtype):
    labels = np.array([3, 0, 1], dtype)
    assert class_names(labels) == ("0", "1", "2", "3")
    assert as_classes(labels, ("0", "1", "2", "3"), PLACE).tolist() == [3, 0, 1]
    assert class_names(labels.reshape(-1, 1)) == ("0", "1", "2", "3")


def test_truth_values_are_two_classes():
    assert class_names(np.array([True, False])) == ("0", "1")


def test_one_hot_rows_are_one_class_per_column():
    rows = np.array([[0, 1, 0, 0], [1, 0, 0, 0]], np.float32)
    assert class_names(rows) == ("0", "1", "2", "3")
    classes = as_classes(rows, ("0", "1", "2", "3"), PLACE)
    assert classes.tolist() == [1, 0]
    assert classes.dtype == np.int32


@pytest.mark.parametrize("row", [[0, 0], [1, 1], [0.5, 0.5], [2, 0], [np.nan, 1]])
def test_rows_that_are_not_one_hot_are_refused(row):
    with pytest.raises(DataError, match=r"y_train\[1\]: expected a one-hot row"):
        class_names(np.array([[0, 1], row]))


@pytest.mark.parametrize("bad", [-1, 0.5, np.nan, np.inf, 2.0**31])
def test_labels_that_are_no_class_numbers_are_named(bad):
    with pytest.raises(DataError, match=r"y_train\[2\]: expected a class number.*regression"):
        class_names(np.array([0, 1, bad]))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros((2, 2, 2)), "expected class numbers of shape"),
        (np.empty((2, 0)), "expected class numbers of shape"),
        (np.empty(0), "there are no examples: expected one at least"),
        ([], "there are no examples: expected one at least"),
        (np.array([b"a", b"b"]), "expected class numbers, got"),
        (np.array([0, 0, 0]), "all training labels are the same"),
        (np.array([4, 4, 4]), "all training labels are the same"),
        (["a", "a"], "all training labels are the same"),
        (np.array([0, MAX_CLASSES]), "at most 150,000 classes, got 150,001"),
    ],
)
def test_labels_without_classes_are_refused(labels, message):
    with pytest.raises(DataError, match=message):
        class_names(labels)


@pytest.mark.parametrize("labels", [np.array([0, 1]), ["a", "b"], np.empty(0)])
def test_labels_must_be_as_many_as_examples_before_all_else(labels):
    with pytest.raises(DataError, match=f"one label per example: 3 examples, {len(labels)} labels"):
        fit_class_names(RawPart(np.ones((3, 1)), labels, PLACE, PLACE))


def test_missing_labels_are_a_data_error():
    with pytest.raises(DataError, match="the labels are missing"):
        fit_class_names(RawPart(np.ones((3, 1)), None, PLACE, PLACE))


@given(st.lists(st.text(min_size=1), min_size=2).filter(lambda texts: len(set(texts)) > 1))
def test_texts_become_sorted_classes_and_come_back(texts):
    texts = [f"t{text}" for text in texts]
    names = class_names(texts)
    assert list(names) == sorted(set(texts))
    assert [names[index] for index in as_classes(texts, names, PLACE)] == texts


def test_integers_sort_as_numbers():
    assert class_names(["10", "9", "-1", "9"]) == ("-1", "9", "10")


def test_integers_with_a_decimal_point_are_the_same_classes():
    assert class_names(["1.0", "2", "1", "2.00"]) == ("1", "2")
    assert as_classes(["1.0", "2"], ("1", "2"), PLACE).tolist() == [0, 1]


def test_fractional_numbers_are_no_classes():
    with pytest.raises(DataError, match=r"y_train\[1\]: expected classes, got the number 2.5"):
        class_names(["1", "2.5", "3"])
    assert class_names(["1", "2.5", "x"]) == ("1", "2.5", "x")


@pytest.mark.parametrize("text", ["NaN", "nan", "NAN"])
def test_what_pandas_writes_for_a_missing_label_is_no_class(text):
    with pytest.raises(DataError, match=rf"y_train\[1\]: the label is missing: '{text}'"):
        class_names(["rose", text, "lily"])
    with pytest.raises(DataError, match=rf"y_train\[2\]: the label is missing: '{text}'"):
        as_classes(["rose", "lily", text], ("lily", "rose"), PLACE)


def test_an_unknown_label_is_named_with_its_row_and_the_nearest_class():
    with pytest.raises(DataError, match=r"y_train\[1\]: the label 'rosa' is not .*mean 'rose'"):
        as_classes(["lily", "rosa"], ("lily", "rose"), PLACE)
    with pytest.raises(DataError, match=r"y_train\[0\]: the label '12' is not .*: 0, 1, .*9, …"):
        as_classes(np.array([12, 0]), tuple(str(number) for number in range(12)), PLACE)


@pytest.mark.parametrize("text", ["Rose", "ROSE", "rose ", "ROSY"])
def test_case_and_spaces_do_not_hide_the_nearest_class(text):
    with pytest.raises(
        DataError, match=r"\[0\]: the label .* is not among the 2 classes"
    ) as caught:
        as_classes([text], ("lily", "rose"), PLACE)
    assert caught.value.hint == "did you mean 'rose'?"


def test_missing_labels_are_counted():
    with pytest.raises(
        DataError, match=r"y_train\[1\]: the label is missing: 'nan', the first of 2"
    ):
        class_names(["rose", "nan", "lily", "NaN"])


def test_numbers_are_found_by_class_name():
    assert as_classes(np.array([30, 10]), ("10", "20", "30"), PLACE).tolist() == [2, 0]
    with pytest.raises(DataError, match="the label '1' is not"):
        as_classes(np.array([30, 1]), ("10", "20", "30"), PLACE)


def test_a_class_without_training_example_is_refused():
    train = np.array([0, 2], np.int32)
    require_seen_classes(np.array([2, 0], np.int32), train, ("a", "b", "c"), PLACE)
    with pytest.raises(DataError, match=r"y_train\[1\]: class 'b' has no training example"):
        require_seen_classes(np.array([0, 1], np.int32), train, ("a", "b", "c"), PLACE)


def test_a_label_as_long_as_the_file_is_not_shown_whole():
    names = ("a", "x" * 50_000)
    for labels, message in (
        (["x" * 49_999], "the label 'xxx"),
        (["1" * 50_000 + ".5"], "the label '111"),
    ):
        with pytest.raises(DataError, match=message) as caught:
            as_classes(labels, names, PLACE)
        assert len(str(caught.value)) < 400
