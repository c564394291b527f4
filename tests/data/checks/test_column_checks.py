"""Columns with one fault each, and the sound ones beside them that must not be named."""

import numpy as np
import pytest

from bmtrain.data.checks.column_checks import column_findings
from bmtrain.data.examples.dataset import DataFacts, Dataset, Split

NUM_ROWS = 400


@pytest.fixture
def told(numbers):
    """Findings of a table of a sound column and the given ones; classes are 0 and 1."""

    def tell(named=True, labels=None, sound=True, **columns):
        columns = {"sound": numbers.normal(50, 9, NUM_ROWS)} | columns if sound else columns
        features = np.stack(list(columns.values()), axis=1).astype(np.float32)
        is_classification = labels is None or labels.ndim == 1
        labels = np.arange(len(features)) % 2 if labels is None else labels
        facts = DataFacts(
            task="classification" if is_classification else "regression",
            input_shape=features.shape[1:],
            input_dtype="float32",
            class_names=("a", "b") if is_classification else None,
            num_outputs=2 if is_classification else labels.shape[1],
            feature_names=tuple(columns) if named else None,
            label_name="y",
            num_train_examples=len(features),
            fingerprint="",
        )
        split = Split(features, labels.astype(np.int32 if is_classification else np.float32))
        return [finding.message for finding in column_findings(Dataset({"train": split}, facts))]

    return tell


def only(messages):
    (message,) = messages
    return message


def with_some(values, value, count):
    values = values.copy()
    values[:: len(values) // count][:count] = value
    return values


def test_a_column_that_tells_the_class_is_a_leak_whatever_its_values(told):
    labels = np.arange(NUM_ROWS) % 2
    message = only(told(outcome=labels * -7.5 + 3, labels=labels))
    assert message.startswith("outcome tells the label by itself (each class has one value of it")
    assert "data.features" in message


def test_one_example_that_differs_is_no_leak(told):
    labels = np.arange(NUM_ROWS) % 2
    almost = labels.copy()
    almost[0] = 1 - almost[0]
    assert told(flag=almost, labels=labels) == []


def test_a_column_that_is_the_target_is_a_leak_and_a_proportional_one_is_not(told, numbers):
    target = numbers.normal(size=(NUM_ROWS, 1))
    assert "copy tells the label" in only(told(copy=target[:, 0], labels=target))
    assert told(double=2 * target[:, 0], labels=target) == []


def test_the_only_feature_may_tell_the_label_and_may_count(told):
    assert told(sound=False, x=np.arange(NUM_ROWS) % 2) == []
    assert told(sound=False, x=np.arange(NUM_ROWS)) == []


@pytest.mark.parametrize(
    ("name", "start", "step"), [("anything", 1000, 1), ("customer_id", 0, 917), ("ID", 5, 917)]
)
def test_a_row_number_is_named(told, numbers, name, start, step):
    values = numbers.permutation(NUM_ROWS) * step + start
    message = only(told(**{name: values}))
    assert message.startswith(f"{name} looks like a row number (integers from {start:g} to ")


def test_what_is_called_an_identifier_may_have_rows_twice(told, numbers):
    values = numbers.permutation(NUM_ROWS) * 917
    values[:30] = values[30:60]
    assert "hardly one twice" in only(told(id=values))
    values[:60] = values[60:120]
    assert told(id=values) == []


@pytest.mark.parametrize("name", ["width", "paid"])
def test_other_columns_of_different_integers_are_not(told, numbers, name):
    assert told(**{name: numbers.permutation(NUM_ROWS) * 917}) == []
    repeated = np.append(np.arange(NUM_ROWS - 1), 0)
    assert told(**{name: repeated}) == []


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [(0, 60, 199), (-1, 0, 365), (999, 0, 90), (-9999, -50, 50), (-200, 0, 12)],
)
@pytest.mark.parametrize("named", [True, False])
def test_a_value_that_stands_for_a_missing_one_is_named_with_its_count(
    told, numbers, value, low, high, named
):
    values = with_some(numbers.integers(low, high + 1, NUM_ROWS), value, 20)
    message = only(told(glucose=values, named=named))
    name = "glucose" if named else "feature 1"
    assert message.startswith(f"{name}: 20 values are {value:g}, the others from ")
    assert "remove or replace it" in message


def test_zeros_flags_differences_and_counts_stand_for_themselves(told, numbers):
    size = NUM_ROWS
    assert (
        told(
            rain=with_some(numbers.exponential(5, size), 0, 150),
            count=numbers.poisson(2, size),
            flag=numbers.integers(0, 2, size),
            sign=numbers.integers(-1, 2, size),
            difference=numbers.integers(-9, 10, size),
            percent=numbers.integers(0, 100, size),
            rating=numbers.integers(0, 10, size),
            corner=np.append(np.zeros(size - 40), numbers.normal(200, 10, 40)),
            year=numbers.integers(1980, 2024, size),
        )
        == []
    )


def test_a_lone_extreme_is_named(told, numbers):
    high = with_some(numbers.uniform(1, 2, NUM_ROWS), 170, 1)
    message = only(told(height=high))
    assert message.startswith("height: 1 value is 170, the others from 1.0")
    low = with_some(numbers.uniform(1, 2, NUM_ROWS), -170, 2) + np.linspace(0, 0.1, NUM_ROWS)
    assert only(told(height=low)).startswith("height: 2 values go to -170, the others from 1.0")


def test_long_tails_are_no_extremes(told, numbers):
    size = NUM_ROWS
    tails = {"income": numbers.lognormal(0, 2, size), "links": numbers.pareto(1.5, size)}
    near = with_some(numbers.uniform(1, 2, size), 7, 1)
    two_modes = numbers.uniform(1, 2, size) + 100 * numbers.integers(0, 2, size)
    assert told(**tails, near=near, two_modes=two_modes) == []


def test_a_column_that_hardly_varies_is_named_and_a_rare_flag_is_not(told):
    size = NUM_ROWS
    message = only(told(b=with_some(np.full(size, 7.0), 8, 3)))
    assert message.startswith("b is 7 in all but 3 of 400 training examples")
    assert told(b=with_some(np.full(size, 0.0), 1, 10)) == []


def test_columns_of_one_fault_are_one_finding(told):
    few = with_some(np.zeros(NUM_ROWS), 1, 2)
    message = only(told(a=few, b=few, c=few))
    assert "a is 0 in all but 2 of 400 training examples; the same of b, c; " in message


def test_columns_with_values_of_their_own_are_told_whole(told, numbers):
    sound = numbers.integers(60, 200, NUM_ROWS)
    columns = {
        name: with_some(sound, value, 9)
        for name, value in zip("abcd", (0, -1, 999, 0), strict=True)
    }
    message = only(told(**columns))
    assert message.startswith("a: 9 values are 0, the others from 60 to 199; b: 9 values are -1, ")
    assert "; c: 9 values are 999, " in message
    assert "; the same of d; if that stands for" in message


def test_zeros_in_nearly_all_of_many_columns_are_counts_and_no_code(told, numbers):
    """Gene expression is 0 or far from it; of a table's columns a few have zeros for gaps."""
    expressed = numbers.normal(8, 0.5, (20, NUM_ROWS))
    counts = {f"gene{at}": with_some(values, 0, 90) for at, values in enumerate(expressed)}
    assert told(**counts) == []
    assert "gene0: 90 values are 0" in only(told(**dict(list(counts.items())[:18])))
    gap = {
        name: values if at < 17 else expressed[at]
        for at, (name, values) in enumerate(counts.items())
    }
    assert "gene0: 90 values are 0" in only(told(**gap))


def test_of_many_rows_some_are_sorted_and_the_counts_are_still_of_all(told, numbers, monkeypatch):
    monkeypatch.setattr("bmtrain.data.checks.column_checks._MAX_SORTED", 2 * NUM_ROWS // 4)
    values = numbers.permutation(with_some(numbers.integers(60, 200, NUM_ROWS), 0, 100))
    assert "glucose: 100 values are 0" in only(told(glucose=values))
    rows = numbers.permutation(NUM_ROWS)
    rows[1] = rows[2]  # neither is looked at
    assert told(rows=rows) == []
    lone = numbers.uniform(1, 2, NUM_ROWS)
    lone[1] = 170  # in no row that is looked at
    assert "height: 1 value is 170" in only(told(height=lone))


def test_of_few_rows_and_of_pictures_nothing_is_told(told, numbers):
    assert told(sound=False, a=np.arange(10), b=np.arange(10)) == []
    pictures = np.zeros((40, 2, 2), np.float32)
    facts = DataFacts("classification", (2, 2), "float32", ("a", "b"), 2, None, None, 40, "")
    split = Split(pictures, (np.arange(40) % 2).astype(np.int32))
    assert column_findings(Dataset({"train": split}, facts)) == []
