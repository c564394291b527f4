import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bmtrain.data.splits.drawn_splits import draw_splits, draw_subset
from bmtrain.errors import DataError

fractions = st.sampled_from([None, 0.05, 0.1, 0.25, 0.4])
strata_lists = st.lists(st.integers(0, 4), min_size=3, max_size=300)


def size(fraction, rows):
    return 0 if fraction is None else int(np.floor(fraction * rows + 0.5))


@given(strata=strata_lists, validation=fractions, test=fractions, seed=st.integers(0, 2**32 - 1))
@settings(max_examples=200, deadline=None)
def test_splits_are_a_partition_in_the_classes_proportions(strata, validation, test, seed):
    strata = np.array(strata, np.int32)
    try:
        drawn = draw_splits(strata, validation=validation, test=test, seed=seed)
    except DataError:
        # Refused only where a class or a split is too small, or too little is left.
        counts = np.bincount(strata)
        num_classes = np.count_nonzero(counts)
        sizes = [size(fraction, len(strata)) for fraction in (validation, test) if fraction]
        assert (
            min(counts[counts > 0]) < 1 + len(sizes)
            or min(sizes) < num_classes
            or sum(sizes) > len(strata) - num_classes
        )
        return
    rows = np.concatenate([drawn.train, drawn.validation, drawn.test])
    assert sorted(rows.tolist()) == list(range(len(strata)))
    counts = np.bincount(strata)
    for fraction, chosen in ((validation, drawn.validation), (test, drawn.test)):
        assert (np.diff(chosen) > 0).all()
        assert len(chosen) == size(fraction, len(strata))
        if fraction is not None:
            got = np.bincount(strata[chosen], minlength=len(counts))
            assert (got[counts > 0] >= 1).all()
            # Where each class's share is one example or more, no share is off by more than one.
            if (counts[counts > 0] * fraction >= 1).all():
                assert (np.abs(got - counts * fraction) < 1 + 1e-9).all()


@given(strata=strata_lists, share=st.floats(0.05, 1), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_a_subset_keeps_the_proportions_and_every_class(strata, share, seed):
    strata = np.array(strata, np.int32)
    counts = np.bincount(strata)
    num_examples = max(int(share * len(strata)), int(np.count_nonzero(counts)))
    rows = draw_subset(strata, num_examples, seed=seed)
    assert len(rows) == len(set(rows.tolist())) == num_examples
    got = np.bincount(strata[rows], minlength=len(counts))
    assert (got[counts > 0] >= 1).all()


def test_largest_remainders_by_hand():
    # 10 % of 45, 33, 22 is 4.5, 3.3, 2.2 of 10 rows: floors 4, 3, 2; the one left goes to 4.5.
    strata = np.repeat([0, 1, 2], [45, 33, 22]).astype(np.int32)
    drawn = draw_splits(strata, validation=None, test=0.1, seed=0)
    assert np.bincount(strata[drawn.test]).tolist() == [5, 3, 2]


def test_a_rare_class_is_in_every_split():
    strata = np.repeat([0, 1], [997, 3]).astype(np.int32)
    drawn = draw_splits(strata, validation=0.1, test=0.1, seed=0)
    for rows in (drawn.train, drawn.validation, drawn.test):
        assert np.count_nonzero(strata[rows] == 1) == 1
    assert (len(drawn.test), len(drawn.validation)) == (100, 100)


def test_large_fractions_leave_one_of_each_class_for_training():
    strata = np.repeat([0, 1], [97, 3]).astype(np.int32)
    drawn = draw_splits(strata, validation=0.5, test=0.45, seed=0)
    assert np.bincount(strata[drawn.train]).tolist() == [4, 1]


def test_the_test_split_does_not_depend_on_the_validation_split():
    strata = np.zeros(100, np.int32)
    alone = draw_splits(strata, validation=None, test=0.2, seed=5)
    both = draw_splits(strata, validation=0.3, test=0.2, seed=5)
    np.testing.assert_array_equal(alone.test, both.test)


def test_the_draw_is_a_pure_function_of_the_seed():
    strata = np.arange(100, dtype=np.int32) % 3
    first = draw_splits(strata, validation=0.2, test=0.2, seed=1)
    again = draw_splits(strata, validation=0.2, test=0.2, seed=1)
    other = draw_splits(strata, validation=0.2, test=0.2, seed=2)
    np.testing.assert_array_equal(first.train, again.train)
    assert first.train.tolist() != other.train.tolist()


def test_a_class_too_small_for_the_splits_is_named():
    strata = np.array([0] * 50 + [1] * 2, np.int32)
    with pytest.raises(
        DataError, match=r"class 'rare' has 2 examples, too few.* 3 splits"
    ) as caught:
        draw_splits(strata, validation=0.1, test=0.1, seed=0, names=("often", "rare"))
    assert caught.value.key == ("data", "splits")
    draw_splits(strata, validation=0.1, test=None, seed=0)
    strata = np.array([0] * 50 + [1], np.int32)
    with pytest.raises(DataError, match="class 'rare' has 1 example, too few"):
        draw_splits(strata, validation=0.1, test=None, seed=0, names=("often", "rare"))


def test_a_rare_class_that_is_another_in_other_case_is_told_to_be_one():
    strata = np.array([0] + [1] * 50, np.int32)
    with pytest.raises(DataError, match=r"class 'Setosa' has 1 example, too few") as caught:
        draw_splits(strata, validation=0.1, test=None, seed=0, names=("Setosa", "setosa"))
    assert caught.value.hint == "did you mean 'setosa'?"
    with pytest.raises(DataError) as caught:
        draw_splits(strata, validation=0.1, test=None, seed=0, names=("setos", "setosa"))
    assert caught.value.hint is None


def test_an_empty_split_is_refused():
    with pytest.raises(DataError, match="the test split would have 0 examples") as caught:
        draw_splits(np.zeros(4, np.int32), validation=None, test=0.1, seed=0)
    assert caught.value.key == ("data", "splits", "test")
    with pytest.raises(DataError, match="the training part has 1 example"):
        draw_splits(np.zeros(1, np.int32), validation=None, test=0.5, seed=0)
    with pytest.raises(DataError, match=r"validation split would have 10 examples.* 9 at most"):
        draw_splits(np.zeros(10, np.int32), validation=0.95, test=None, seed=0)


def test_a_split_smaller_than_the_number_of_classes_is_refused():
    strata = np.repeat(np.arange(20, dtype=np.int32), 3)
    with pytest.raises(DataError, match="would have 6 examples; it needs 20 at least"):
        draw_splits(strata, validation=None, test=0.1, seed=0)


def test_a_subset_must_fit():
    strata = np.array([0, 0, 1], np.int32)
    with pytest.raises(DataError, match="at most the 3 examples of the training split, got 4") as e:
        draw_subset(strata, 4, seed=0)
    assert e.value.key == ("data", "train_examples")
    with pytest.raises(DataError, match="1 example cannot hold one of each of the 2 classes"):
        draw_subset(strata, 1, seed=0)
    assert draw_subset(strata, 3, seed=0).tolist() == [0, 1, 2]
