import numpy as np
import pytest

from bmtrain.data.examples.targets import as_targets
from bmtrain.data.raw.source import Place
from bmtrain.errors import DataError

PLACE = Place("d.npz: y_train")


def test_targets_are_float32_columns():
    assert as_targets(np.array([1, 2]), PLACE).tolist() == [[1.0], [2.0]]
    assert as_targets(np.ones((2, 3)), PLACE).shape == (2, 3)
    targets = as_targets(["1.5", "-2e3"], PLACE)
    assert targets.tolist() == [[1.5], [-2000.0]]
    assert targets.dtype == np.float32


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["1", "rose"], r"\[1\]: expected a number as target, got 'rose'.*cross-entropy"),
        (["1", "1_0"], "got '1_0'"),
        (["1", "nan"], r"\[1\]: expected finite numbers, got nan"),
        (np.array([1.0, np.inf]), r"\[1\]: expected finite numbers, got inf"),
        (np.array([1.0, 1e300]), "too large for float32"),
        (np.array(["1"]), "expected numbers as targets"),
        (np.ones((2, 2, 2)), r"\(examples, outputs\), got \(2, 2, 2\)"),
        (np.ones((2, 0)), r"got \(2, 0\)"),
    ],
)
def test_what_is_no_target_is_named(labels, message):
    with pytest.raises(DataError, match=message):
        as_targets(labels, PLACE)


@pytest.mark.parametrize(
    ("labels", "hint"),
    [
        (["$373,706", "$1,200", "x"], "write $373,706 as 373706, without signs and separators"),
        (["1", "2", "3", "1.200,5 €"], "write 1.200,5 € as 1200.5, without signs and separators"),
        (["1", "2", "3", "x"], "correct it or remove the row"),
        (["1", "2", "3", "4", "5", "N/A", "?"], "fill them in or remove these rows"),
        (
            ["rose", "lily", "1"],
            "for classes set data.task: classification or take a cross-entropy loss",
        ),
    ],
)
def test_the_remedy_is_that_of_most_labels(labels, hint):
    with pytest.raises(DataError) as caught:
        as_targets(labels, PLACE)
    assert caught.value.hint == hint


def test_labels_that_are_no_numbers_are_counted():
    with pytest.raises(DataError) as caught:
        as_targets(["1", "$2", "$3"], PLACE)
    assert caught.value.where == "d.npz: y_train[1]"
    assert caught.value.message == (
        "expected a number as target, got '$2', the first of 2 labels that are none"
    )


@pytest.mark.parametrize("label", ["x" * 50_000, "999" + ",999" * 5000])
def test_a_target_as_long_as_the_file_is_not_shown_whole(label):
    with pytest.raises(DataError, match="expected a number as target") as caught:
        as_targets([label], PLACE)
    assert len(str(caught.value)) < 600
