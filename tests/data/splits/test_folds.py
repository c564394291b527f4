from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from bmtrain.config.sections.data import DataSection, SplitsSection
from bmtrain.data.load import load_dataset
from bmtrain.data.splits.drawn_splits import draw_groups
from bmtrain.data.splits.folds import Fold, fold_of_rows
from bmtrain.data.splits.group_splits import deal_groups
from bmtrain.errors import ConfigError, DataError

SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def rows(draw):
    """Strata and groups of up to 80 rows, in at least 3 groups."""
    num_rows = draw(st.integers(6, 80))
    strata = draw(st.lists(st.integers(0, 3), min_size=num_rows, max_size=num_rows))
    groups = draw(st.lists(st.integers(0, 12), min_size=num_rows - 3, max_size=num_rows - 3))
    return np.array(strata, np.int32), np.array([*groups, 20, 21, 22], np.int64)


@given(rows(), st.integers(2, 6), SEEDS)
def test_folds_are_disjoint_complete_even_and_stratified(drawn, num_folds, seed):
    strata, _ = drawn
    folds = fold_of_rows(strata, None, num_folds, seed=seed)
    assert folds.shape == strata.shape
    sizes = np.bincount(folds, minlength=num_folds)
    assert sizes.sum() == len(strata)
    assert np.ptp(sizes) <= 1
    for stratum in np.unique(strata):
        assert np.ptp(np.bincount(folds[strata == stratum], minlength=num_folds)) <= 1


@given(rows(), st.integers(2, 3), SEEDS)
def test_no_group_is_in_two_folds_and_no_fold_is_empty(drawn, num_folds, seed):
    strata, groups = drawn
    folds = fold_of_rows(strata, groups, num_folds, seed=seed)
    for group in np.unique(groups):
        assert len(np.unique(folds[groups == group])) == 1
    assert set(folds) == set(range(num_folds))


@given(rows(), st.floats(0.05, 0.5), st.floats(0.05, 0.4), SEEDS)
def test_no_group_is_on_both_sides_of_a_drawn_split(drawn, validation, test, seed):
    strata, groups = drawn
    splits = draw_groups(strata, groups, validation=validation, test=test, seed=seed)
    parts = [splits.train, splits.validation, splits.test]
    assert sorted(np.concatenate(parts)) == list(range(len(strata)))
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert not set(groups[parts[one]]) & set(groups[parts[other]])
    assert all(len(part) for part in parts)
    alone = draw_groups(strata, groups, validation=None, test=test, seed=seed)
    np.testing.assert_array_equal(alone.test, splits.test)


def test_groups_of_one_meet_the_fractions_in_each_class(random):
    strata = random.integers(0, 3, 1000).astype(np.int32)
    parts = deal_groups(np.arange(1000), strata, [0.6, 0.3, 0.1], seed=1, stream=4)
    for stratum in range(3):
        counts = np.bincount(parts[strata == stratum], minlength=3)
        expected = np.array([0.6, 0.3, 0.1]) * (strata == stratum).sum()
        np.testing.assert_allclose(counts, expected, atol=1.5)


def test_dealt_groups_are_as_even_as_those_of_scikit_learn(random):
    """Sizes of folds, and each fold's share of the classes, on groups of uneven sizes."""
    sizes = random.integers(1, 40, 60)
    groups = np.repeat(np.arange(60), sizes)
    strata = (random.random(len(groups)) < 0.2).astype(np.int32)
    ours = fold_of_rows(strata, groups, 5, seed=3)
    theirs = np.empty(len(groups), np.int64)
    for number, (_, held) in enumerate(
        StratifiedGroupKFold(5, shuffle=True, random_state=3).split(groups, strata, groups)
    ):
        theirs[held] = number

    def spread(folds):
        return [np.ptp(np.bincount(folds[strata == s], minlength=5)) for s in (0, 1)]

    assert all(one <= other + 2 for one, other in zip(spread(ours), spread(theirs), strict=True))


def test_another_seed_deals_otherwise_and_the_same_one_alike(random):
    strata = random.integers(0, 2, 200).astype(np.int32)
    for groups in (None, random.integers(0, 50, 200)):
        one, same, other = (fold_of_rows(strata, groups, 4, seed=seed) for seed in (1, 1, 2))
        np.testing.assert_array_equal(one, same)
        assert (one != other).any()


def test_too_few_for_the_folds_are_told():
    strata = np.zeros(3, np.int32)
    with pytest.raises(DataError, match="3 examples are too few for 4 folds"):
        fold_of_rows(strata, None, 4, seed=0)
    with pytest.raises(DataError, match="2 groups, too few for 3 parts without a group on both"):
        fold_of_rows(strata, np.array([5, 5, 9]), 3, seed=0)


@pytest.mark.parametrize("text", ["0/5", "6/5", "1/1", "1", "a/b", "1/2/3", "-1/5", "1/99999", ""])
def test_what_is_no_fold_is_none(text):
    with pytest.raises(ValueError, match="expected k/K"):
        Fold.parse(text)


def test_a_fold_is_read_as_it_is_written():
    assert str(Fold.parse("3/10")) == "3/10"


@pytest.fixture
def table(tmp_path):
    """60 visits of 12 patients, each of one class but for two."""
    lines = ["patient,x,y"]
    lines += [
        f"p{at % 12},{at},{'sick' if at % 12 < 4 or at == 11 else 'well'}" for at in range(60)
    ]
    path = tmp_path / "visits.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def load(path, **splits: Any):
    section = DataSection(source=str(path), label="y", splits=SplitsSection(**splits))
    return load_dataset(section, task="classification", seed=0)


def xs(split):
    return set(split.features[:, 0].tolist())


@pytest.mark.parametrize("group", [None, "patient"])
def test_each_fold_is_held_out_once_and_the_test_split_never_changes(table, group):
    features = None if group else ("x",)
    datasets = []
    for number in range(1, 5):
        asked: Any = {"test": 0.2, "fold": f"{number}/4", "group": group}
        section = DataSection(
            source=str(table), label="y", splits=SplitsSection(**asked), features=features
        )
        datasets.append(load_dataset(section, task="classification", seed=0).splits)
    held = [xs(splits["validation"]) for splits in datasets]
    tests = {frozenset(xs(splits["test"])) for splits in datasets}
    assert len(tests) == 1
    assert sum(map(len, held)) == len(set().union(*held)) == 60 - len(next(iter(tests)))
    for splits, fold in zip(datasets, held, strict=True):
        assert xs(splits["train"]) == set(range(60)) - fold - next(iter(tests))
        if group:
            patients = [{x % 12 for x in xs(split)} for split in splits.values()]
            assert not patients[0] & patients[1]
            assert not patients[0] & patients[2]
            assert not patients[1] & patients[2]


def test_the_group_is_no_feature_and_keeps_together(table):
    dataset = load(table, validation=0.25, test=0.25, group="patient")
    assert dataset.facts.feature_names == ("x",)
    patients = [{x % 12 for x in xs(split)} for split in dataset.splits.values()]
    assert [len(part) for part in patients] == [6, 3, 3]


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"splits": {"group": "patent"}}, DataError, "there is no column 'patent'"),
        ({"splits": {"group": "y"}}, ConfigError, "'y' is the label"),
        (
            {"splits": {"group": "patient"}, "features": ("patient", "x")},
            ConfigError,
            "'patient' is the group of the examples",
        ),
        (
            {"splits": {"group": "patient"}, "sample_weight": "patient"},
            ConfigError,
            "'patient' is the weight of the examples",
        ),
    ],
)
def test_a_group_that_is_something_else_is_told_at_its_key(table, changes, error, message):
    section = DataSection(source=str(table), label="y", **changes)
    with pytest.raises(error, match=message) as caught:
        load_dataset(section, task="classification", seed=0)
    assert caught.value.key is not None


def test_published_splits_that_share_a_group_are_told_with_their_row(tmp_path):
    (tmp_path / "train.csv").write_text("g,x,y\na,1,p\nb,2,q\n")
    (tmp_path / "test.csv").write_text("g,x,y\nc,1,p\nb,2,q\n")
    with pytest.raises(DataError, match="the group 'b' is in train and in test") as caught:
        load(tmp_path, group="g")
    assert caught.value.where == f"{tmp_path / 'test.csv'}, line 3"
    # The caret is under the setting: file, line and number are in the message.
    assert str(caught.value.message).endswith("(test.csv, line 3)")
    assert "a fraction" in str(caught.value.hint)
    (tmp_path / "test.csv").write_text("g,x,y\na,1,p\nb,2,q\nb,3,q\n")
    with pytest.raises(DataError, match=r"\(test.csv, line 2\), and 1 more group likewise"):
        load(tmp_path, group="g")


def test_published_validation_and_test_splits_share_no_group_either(tmp_path):
    (tmp_path / "train.csv").write_text("g,x,y\na,1,p\nb,2,q\n")
    (tmp_path / "validation.csv").write_text("g,x,y\nc,1,p\nd,2,q\n")
    (tmp_path / "test.csv").write_text("g,x,y\ne,1,p\nd,2,q\n")
    with pytest.raises(DataError, match="the group 'd' is in validation and in test") as caught:
        load(tmp_path, group="g")
    assert caught.value.where == f"{tmp_path / 'test.csv'}, line 3"


def test_a_class_of_one_group_alone_cannot_be_held_out(tmp_path):
    lines = [f"g{at // 10},{at},{'p' if at < 30 else 'q'}" for at in range(40)]
    path = tmp_path / "d.csv"
    path.write_text("\n".join(["g,x,y", *lines]) + "\n")
    held = [f"{number}/4" for number in range(1, 5)]
    told = []
    for fold in held:
        try:
            load(path, group="g", fold=fold)
        except DataError as error:
            told.append(error.message)
    (message,) = told
    assert message.startswith("no example of class 'q' is left for training")


def test_a_missing_group_is_told_with_its_line(tmp_path):
    path = tmp_path / "d.csv"
    path.write_text("g,x,y\na,1,p\n,2,q\nb,3,q\n")
    with pytest.raises(DataError, match="column 'g': the cell is empty") as caught:
        load(path, group="g")
    assert caught.value.where == f"{path}, line 3"


def test_a_fold_beside_a_published_validation_split_is_refused(tmp_path):
    for name in ("train", "validation"):
        (tmp_path / f"{name}.csv").write_text("x,y\n1,p\n2,q\n3,p\n4,q\n")
    with pytest.raises(ConfigError, match="has a validation split of its own"):
        load(tmp_path, fold="1/2")
