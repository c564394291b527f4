"""Equal rows: NumPy compares every row with every other, and says the same."""

import numpy as np
import pytest

from bmtrain.data.checks import row_checks
from bmtrain.data.checks.row_checks import equal_rows, row_findings, row_hashes
from bmtrain.data.examples.dataset import DataFacts, Dataset, Split


def made(*, train, test, labels=None, names=None):
    train, test = np.asarray(train), np.asarray(test)
    labels = np.arange(len(train)) % 2 if labels is None else np.asarray(labels)
    facts = DataFacts(
        *("classification", train.shape[1:], train.dtype.name, ("a", "b"), 2, names),
        *("y", len(train), ""),
    )
    held = Split(test, np.zeros(len(test), np.int32))
    return Dataset({"train": Split(train, labels.astype(np.int32)), "test": held}, facts)


def are_equal(rows, others):
    """(rows, others) bool, by comparing each with each."""
    first, second = rows.reshape(len(rows), 1, -1), others.reshape(1, len(others), -1)
    return (first == second).all(axis=2)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("shape", [(1,), (3,), (2, 2), (9,)])
@pytest.mark.parametrize("block_bytes", [1, 64, 1 << 23])
def test_equal_rows_are_those_that_comparing_each_with_each_finds(
    numbers, monkeypatch, dtype, shape, block_bytes
):
    monkeypatch.setattr(row_checks, "_BLOCK_BYTES", block_bytes)
    rows = numbers.integers(0, 3, (120, *shape)).astype(dtype)
    train, test = rows[:80], rows[80:]
    groups = equal_rows(
        {"train": Split(train, np.zeros(80, np.int32)), "test": Split(test, np.zeros(40, np.int32))}
    )
    both = np.concatenate([groups["train"], groups["test"]])
    assert np.array_equal(both[:, None] == both, are_equal(rows, rows))


def test_the_counts_are_those_of_the_oracle(numbers):
    values = numbers.normal(size=(90, 5)).astype(np.float32)
    train = values[numbers.integers(0, 60, 300)]
    test = values[numbers.integers(30, 90, 50)]
    within = np.tril(are_equal(train, train), -1).any(axis=1).sum()
    across = are_equal(test, train).any(axis=1).sum()
    assert within > 200
    assert 0 < across < 50
    found = [finding.message for finding in row_findings(made(train=train, test=test))]
    assert any(f"train: {within} examples repeat another" in message for message in found)
    assert any(f"{across} of the 50 test examples are in train too" in message for message in found)


def test_the_example_that_is_named_is_an_equal_pair(numbers):
    values = numbers.normal(size=(40, 3)).astype(np.float32)
    test = np.concatenate([numbers.normal(size=(7, 3)), values[11:12]]).astype(np.float32)
    data = made(train=values, test=test, names=("a", "b", "c"))
    (message,) = [f.message for f in row_findings(data) if f.level == "warning"]
    assert "index 7 of test is index 11 of train (a " in message
    assert f"(a {values[11, 0]:g}, b {values[11, 1]:g}, c {values[11, 2]:g})" in message


def test_zeros_of_both_signs_are_the_same_value_and_hashes_tell_places_apart():
    rows = np.array([[0.0, 1], [-0.0, 1], [1, 0]], np.float32)
    hashes = row_hashes(rows)
    assert np.array_equal(hashes[0], hashes[1])
    assert not np.array_equal(hashes[0], hashes[2])


def test_no_two_of_many_rows_that_differ_in_one_bit_have_the_same_hash():
    rows = np.eye(64, dtype=np.uint8).reshape(64, 64)
    both = np.concatenate([rows, rows * 2, rows * 128, np.zeros_like(rows[:1])])
    hashes = row_hashes(both)
    for column in range(2):
        assert len(np.unique(hashes[:, column])) == len(both)


def test_each_bit_of_a_hash_varies_though_only_the_highest_bits_of_the_values_do():
    """Powers of two differ in sign and exponent alone: without mixing low bits would not move."""
    powers = np.float32(2.0) ** np.arange(-20, 20, dtype=np.float32)
    first, second = (grid.reshape(-1) for grid in np.meshgrid(powers, powers))
    zeros = np.zeros_like(first)
    hashes = row_hashes(np.stack([zeros, first, zeros, second], axis=1))
    bits = hashes[:, :, None] >> np.arange(64, dtype=np.uint64) & np.uint64(1)
    shares = bits.mean(axis=0)
    assert 0.4 < shares.min() < shares.max() < 0.6


def test_rows_of_few_possible_values_are_no_warning():
    flags = np.array([[i % 2, i // 2 % 2] for i in range(200)], np.uint8)
    found = row_findings(made(train=flags, test=flags[:9], labels=flags[:, 0]))
    assert {finding.level for finding in found} == {"ok"}
    assert all(finding.message.endswith("features of so few values must") for finding in found)


def test_equal_examples_of_different_classes_bound_what_can_be_told_right(numbers):
    """Three groups, by hand: 4 + 1, 2 + 2 and 3 + 0 examples of the two classes: 9 of 12."""
    values = numbers.normal(size=(3, 2)).astype(np.float32)
    train = np.repeat(values, [5, 4, 3], axis=0)
    labels = [0, 0, 0, 0, 1, 0, 0, 1, 1, 1, 1, 1]
    found = row_findings(made(train=train, test=-values, labels=labels))
    (message,) = [f.message for f in found if "different classes" in f.message]
    assert "at most 75.00% of the examples can be told right, 3 cannot" in message
