from dataclasses import replace

import numpy as np
import pytest

from bmtrain.data.examples.dataset import DataFacts
from bmtrain.data.load import load_examples
from bmtrain.errors import DataError, UsageError

PICTURES = DataFacts(
    task="classification",
    input_shape=(2, 3),
    input_dtype="uint8",
    class_names=("0", "1", "2"),
    num_outputs=3,
    feature_names=None,
    label_name=None,
    num_train_examples=10,
    fingerprint="",
)
FLOWERS = replace(
    PICTURES,
    input_shape=(2,),
    input_dtype="float32",
    class_names=("lily", "rose", "tulip"),
    feature_names=("width", "height"),
    label_name="species",
)
X = np.arange(24, dtype=np.uint8).reshape(4, 2, 3)
Y = np.array([2, 0, 1, 1])


def labels_of(examples):
    assert examples.labels is not None
    return examples.labels.tolist()


def test_an_npy_file_holds_features_alone(tmp_path):
    np.save(tmp_path / "a.npy", X)
    examples = load_examples(tmp_path / "a.npy", PICTURES, labels="optional")
    np.testing.assert_array_equal(examples.features, X)
    assert examples.labels is None
    assert examples.num_rows == 4
    with pytest.raises(DataError, match="the labels are missing"):
        load_examples(tmp_path / "a.npy", PICTURES, labels="required")


def test_an_npz_file_holds_features_and_labels(tmp_path):
    np.savez(tmp_path / "a.npz", x=X.astype(np.int64), y=Y)
    examples = load_examples(tmp_path / "a.npz", PICTURES, labels="required")
    assert examples.features.dtype == np.uint8
    assert labels_of(examples) == [2, 0, 1, 1]
    assert examples.labels is not None
    assert examples.labels.dtype == np.int32


def test_an_idx_directory_and_a_single_idx_file_are_read(tmp_path, write_idx_directory):
    write_idx_directory(tmp_path, t10k_images=X, t10k_labels=Y.astype(np.uint8))
    assert labels_of(load_examples(tmp_path, PICTURES, labels="required")) == [2, 0, 1, 1]
    alone = tmp_path / "t10k-images-idx3-ubyte"
    assert load_examples(alone, PICTURES, labels="optional").num_rows == 4


def test_a_table_is_read_by_column_name_in_any_order(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("species,height,width\nrose,2,1\nlily,4,3\n")
    examples = load_examples(path, FLOWERS, labels="required")
    assert examples.features.tolist() == [[1, 2], [3, 4]]
    assert labels_of(examples) == [1, 0]
    path.write_text("height,width\n2,1\n")
    assert load_examples(path, FLOWERS, labels="optional").num_rows == 1
    with pytest.raises(DataError, match="there is no column 'species'"):
        load_examples(path, FLOWERS, labels="required")


def test_a_table_for_a_model_of_arrays_is_refused(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"trained on arrays.*\.npy, each of shape \(2, 3\)"):
        load_examples(path, PICTURES, labels="optional")


def test_an_array_for_a_model_of_a_table_has_its_labels_by_name(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.ones((2, 2)), y=np.array(["tulip", "rose"]))
    examples = load_examples(tmp_path / "a.npz", FLOWERS, labels="required")
    assert labels_of(examples) == [2, 1]


def test_targets_of_a_regression_must_be_as_many_as_the_model_has(tmp_path):
    facts = replace(PICTURES, task="regression", class_names=None, num_outputs=1)
    np.savez(tmp_path / "a.npz", x=X, y=np.arange(4.0))
    examples = load_examples(tmp_path / "a.npz", facts, labels="required")
    assert labels_of(examples) == [[0], [1], [2], [3]]
    np.savez(tmp_path / "a.npz", x=X, y=np.ones((4, 2)))
    with pytest.raises(DataError, match="expected 1 target per example, got 2"):
        load_examples(tmp_path / "a.npz", facts, labels="required")


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((4, 3, 2), np.uint8), r"expected examples of shape \(2, 3\), got \(3, 2\)$"),
        (np.zeros((2, 3), np.uint8), r"got \(3,\) \(for a single example add an axis in front\)"),
        (np.zeros((4, 2, 3), np.float32), "expected uint8 values as in the training examples"),
        (np.full((4, 2, 3), 256), "expected uint8 values"),
        (np.zeros((0, 2, 3), np.uint8), "got no examples"),
    ],
)
def test_examples_that_do_not_fit_the_model_are_refused(tmp_path, array, message):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(DataError, match=message):
        load_examples(tmp_path / "a.npy", PICTURES, labels="optional")


def test_a_single_example_of_one_feature_vector_is_pointed_out(tmp_path):
    np.save(tmp_path / "a.npy", np.ones(2))
    with pytest.raises(DataError, match="add an axis in front"):
        load_examples(tmp_path / "a.npy", FLOWERS, labels="optional")


def test_an_unknown_format_and_a_missing_path_are_told(tmp_path):
    with pytest.raises(UsageError, match="unknown format 'xlsx'; expected auto, idx, npz"):
        load_examples(tmp_path, PICTURES, format="xlsx", labels="optional")
    with pytest.raises(DataError, match="no such file or directory"):
        load_examples(tmp_path / "none.npy", PICTURES, labels="optional")
    np.save(tmp_path / "a.npy", X)
    renamed = (tmp_path / "a.npy").rename(tmp_path / "a.bin")
    assert load_examples(renamed, PICTURES, format="npy", labels="optional").num_rows == 4
