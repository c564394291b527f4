import numpy as np
import pytest

from bmtrain.checkpoint.preprocessing import encode_facts
from bmtrain.config.sections.loss import (
    BinaryCrossentropy,
    HalfMeanSquaredError,
    SparseCategoricalCrossentropy,
)
from bmtrain.data.examples.labels import MAX_CLASSES
from bmtrain.data.examples.preprocessing import Preprocessing
from bmtrain.data.load import load_dataset, resolve_task
from bmtrain.errors import ConfigError, DataError


@pytest.fixture
def arrays(tmp_path, numbers):
    """60 examples of 3 classes, with a published test split of 6."""
    path = tmp_path / "d.npz"

    def write(**changed):
        content = {
            "x_train": numbers.integers(0, 256, (60, 2, 2)).astype(np.uint8),
            "y_train": np.arange(60) % 3,
            "x_test": numbers.integers(0, 256, (6, 2, 2)).astype(np.uint8),
            "y_test": np.arange(6) % 3,
        }
        content |= changed
        np.savez(path, **{name: array for name, array in content.items() if array is not None})
        return path

    return write


def load(section, task="classification", seed=0):
    return load_dataset(section, task=task, seed=seed)


def fails(section, message, error=DataError, task="classification"):
    with pytest.raises(error, match=message) as caught:
        load(section, task)
    return caught.value


def test_the_task_follows_from_the_loss_unless_it_is_said(section):
    sparse = SparseCategoricalCrossentropy(name="sparse_categorical_crossentropy")
    half = HalfMeanSquaredError(name="half_mean_squared_error")
    assert resolve_task(section("mnist"), sparse) == "classification"
    binary = BinaryCrossentropy(name="binary_crossentropy")
    assert resolve_task(section("mnist"), binary) == "classification"
    assert resolve_task(section("mnist"), half) == "regression"
    assert resolve_task(section("mnist", task="classification"), half) == "classification"


def test_a_published_test_split_is_taken_and_validation_drawn_from_train(section, arrays):
    dataset = load(section(arrays(), splits={"validation": 0.2}))
    sizes = {name: split.num_examples for name, split in dataset.splits.items()}
    assert sizes == {"train": 48, "validation": 12, "test": 6}
    assert list(dataset.splits) == ["train", "validation", "test"]
    assert np.bincount(dataset.splits["validation"].labels).tolist() == [4, 4, 4]
    assert dataset.facts.num_train_examples == 48
    assert dataset.facts.input_dtype == "uint8"
    assert len(dataset.facts.fingerprint) == 64


def test_drawn_splits_hold_each_example_of_the_training_part_once(section, arrays):
    path = arrays(x_train=np.arange(60).reshape(60, 1), x_test=None, y_test=None)
    dataset = load(section(path, splits={"validation": 0.1, "test": 0.2}))
    values = np.concatenate([split.features[:, 0] for split in dataset.splits.values()])
    assert sorted(values.tolist()) == list(range(60))
    for split in dataset.splits.values():
        np.testing.assert_array_equal(split.features[:, 0] % 3, split.labels)


def test_the_seed_decides_the_draw_and_the_fingerprint_tells(section, arrays):
    path = arrays()
    wanted = section(path, splits={"validation": 0.1})
    assert load(wanted).facts.fingerprint == load(wanted).facts.fingerprint
    assert load(wanted).facts.fingerprint != load(wanted, seed=1).facts.fingerprint


def test_a_test_fraction_beside_a_published_test_split_is_a_config_error(section, arrays):
    path = arrays()
    for test in (0.1, {"fraction": 0.1}):
        error = fails(section(path, splits={"test": test}), "test split of its own", ConfigError)
        assert error.key == ("data", "splits", "test")
        assert "test: {fraction: 0.1, replace: true}" in error.hint


def test_replace_puts_the_published_test_split_aside(section, arrays):
    wanted = section(arrays(), splits={"test": {"fraction": 0.1, "replace": True}})
    dataset = load(wanted)
    sizes = {name: split.num_examples for name, split in dataset.splits.items()}
    assert sizes == {"train": 54, "test": 6}
    assert np.bincount(dataset.splits["test"].labels).tolist() == [2, 2, 2]


def test_a_validation_fraction_beside_a_published_one_is_a_config_error(section, arrays):
    path = arrays(x_validation=np.zeros((3, 2, 2), np.uint8), y_validation=np.arange(3))
    error = fails(section(path, splits={"validation": 0.1}), "of its own", ConfigError)
    assert error.key == ("data", "splits", "validation")
    assert list(load(section(path)).splits) == ["train", "validation", "test"]


def test_fractions_that_leave_nothing_are_a_config_error(section, arrays):
    path = arrays(x_test=None, y_test=None)
    fails(section(path, splits={"validation": 0.5, "test": 0.5}), "none are left", ConfigError)


def test_train_examples_are_drawn_after_the_splits(section, arrays):
    path = arrays()
    whole = load(section(path, splits={"validation": 0.2}))
    small = load(section(path, splits={"validation": 0.2}, train_examples=9))
    assert np.bincount(small.splits["train"].labels).tolist() == [3, 3, 3]
    assert small.facts.num_train_examples == 9
    np.testing.assert_array_equal(
        small.splits["validation"].features, whole.splits["validation"].features
    )
    fails(section(path, train_examples=61), "at most the 60 examples")


def test_regression_has_float_targets_and_plain_splits(section, arrays, numbers):
    targets = numbers.normal(size=(60, 2))
    path = arrays(y_train=targets, y_test=targets[:6])
    dataset = load(section(path, splits={"validation": 0.25}), task="regression")
    assert dataset.splits["validation"].labels.shape == (15, 2)
    assert dataset.splits["train"].labels.dtype == np.float32
    assert dataset.facts.class_names is None
    assert dataset.facts.num_outputs == 2


def test_a_table_becomes_classes_by_name(section, tmp_path):
    rows = [f"{row},{row * 0.5},{'rose' if row % 3 else 'lily'}" for row in range(30)]
    path = tmp_path / "flowers.csv"
    path.write_text("a,b,species\n" + "\n".join(rows))
    dataset = load(section(path, label="species", splits={"test": 0.2}))
    facts = dataset.facts
    assert facts.class_names == ("lily", "rose")
    assert facts.feature_names == ("a", "b")
    assert (facts.label_name, facts.input_shape, facts.input_dtype) == ("species", (2,), "float32")
    for split in dataset.splits.values():
        np.testing.assert_array_equal(split.labels, (split.features[:, 0] % 3 != 0).astype(int))


def test_an_unknown_label_of_a_test_table_is_named_with_file_and_line(section, tmp_path):
    (tmp_path / "train.csv").write_text("a,y\n1,p\n2,q\n")
    (tmp_path / "test.csv").write_text("a,y\n1,p\n2,r\n")
    error = fails(section(tmp_path, label="y"), "the label 'r' is not among the 2 classes")
    assert error.where == f"{tmp_path / 'test.csv'}, line 3"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"y_train": np.arange(59) % 3}, "one label per example: 60 examples, 59 labels"),
        ({"y_train": np.zeros(1)}, "one label per example: 60 examples, 1 label$"),
        ({"y_train": np.array(3)}, "y_train: expected one entry per example, got a single number"),
        ({"y_train": np.empty(0)}, "one label per example: 60 examples, 0 labels"),
        ({"y_test": np.full(6, 3)}, r"y_test\[0\]: the label '3' is not among the 3 classes"),
        ({"y_train": np.arange(60) % 2 * 2}, r"y_test\[1\]: class '1' has no training example"),
        ({"x_test": np.zeros((6, 3, 2), np.uint8)}, r"shape \(2, 2\), got \(3, 2\)"),
        ({"x_test": np.zeros((6, 2, 2))}, "expected uint8 values as in the training examples"),
        ({"x_train": np.full((60, 2, 2), np.nan)}, "finite numbers, got nan"),
        ({"x_train": np.zeros((0, 2, 2)), "y_train": np.zeros(0)}, "there are no examples"),
    ],
)
def test_parts_that_do_not_agree_are_refused(section, arrays, changed, message):
    fails(section(arrays(**changed)), message)


def test_test_targets_must_be_as_many_as_train_targets(section, arrays):
    path = arrays(y_train=np.ones((60, 2)), y_test=np.ones((6, 3)))
    fails(section(path), "expected 2 targets per example, got 3", task="regression")


def test_test_integers_may_be_wider_than_train(section, arrays):
    dataset = load(section(arrays(x_test=np.full((6, 2, 2), 255))))
    assert dataset.splits["test"].features.dtype == np.uint8


def test_a_missing_source_points_at_the_config(section, tmp_path):
    error = fails(section(tmp_path / "none.npz"), "no such file or directory")
    assert error.key == ("data", "source")
    assert error.where == str(tmp_path / "none.npz")


@pytest.mark.parametrize(
    ("source", "message"),
    [("./" + "a" * 3000, "cannot be read: File name too long"), ("./a\0b", "null character")],
)
@pytest.mark.parametrize("chosen", ["auto", "csv"])
def test_paths_that_cannot_be_are_data_errors(section, source, message, chosen):
    error = fails(section(source, format=chosen, label="y"), message)
    assert error.key == ("data", "source")


@pytest.mark.parametrize("key", ["label", "features"])
def test_column_settings_are_for_tables(section, arrays, key):
    value = {"label": "y", "features": ("a",)}[key]
    error = fails(section(arrays(), **{key: value}), "NPZ: it has none", ConfigError)
    assert error.key == ("data", key)


def test_formats_that_are_not_told_by_the_path_are_refused(section, tmp_path):
    (tmp_path / "data.bin").write_bytes(b"x")
    fails(section(tmp_path / "data.bin"), "format cannot be told")
    fails(section(tmp_path), "no data of a known format")
    fails(section(tmp_path, format="npz"), "expected a file for the format npz")
    (tmp_path / "train-images-idx3-ubyte").write_bytes(b"x")
    fails(section(tmp_path / "train-images-idx3-ubyte"), "expected a directory.*name the directory")


def test_a_format_that_is_said_wins_over_the_name(section, arrays):
    path = arrays()
    renamed = path.rename(path.with_name("d.bin"))
    assert load(section(renamed, format="npz")).splits["train"].num_examples == 60


def test_directories_of_npy_and_idx_files_are_told_apart(
    section, tmp_path, numbers, write_idx_directory
):
    images = numbers.integers(0, 256, (6, 2, 2)).astype(np.uint8)
    labels = np.arange(6, dtype=np.uint8) % 2
    idx = write_idx_directory(tmp_path / "idx", train_images=images, train_labels=labels)
    npy = tmp_path / "npy"
    npy.mkdir()
    np.save(npy / "x_train.npy", images)
    np.save(npy / "y_train.npy", labels)
    first, second = load(section(idx)), load(section(npy))
    np.testing.assert_array_equal(first.splits["train"].features, images)
    assert first.facts == second.facts


def test_as_many_classes_as_there_may_be_fit_in_a_checkpoint(section, arrays):
    labels = np.arange(60) % 3
    labels[7] = MAX_CLASSES - 1
    dataset = load(section(arrays(y_train=labels, x_test=None, y_test=None)))
    ones = np.ones((), np.float32)
    assert encode_facts(Preprocessing(dataset.facts, "none", ones, ones))


def test_names_that_a_checkpoint_cannot_hold_are_refused_before_the_training(section, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,y\n1," + "x" * 5_000_000 + "\n2," + "z" * 5_000_000 + "\n")
    error = fails(section(path, label="y"), "names of classes and columns are more than a check")
    assert error.where == str(path)
    assert len(str(error)) < 300
