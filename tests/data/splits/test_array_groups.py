"""``data.splits.group`` of arrays: a group for each example, and none on both sides of a split."""

import numpy as np
import pytest

from bmtrain.data.load import load_dataset
from bmtrain.data.records.conversion import written_whole
from bmtrain.data.sources import convert_into
from bmtrain.errors import DataError

LABELS = np.arange(60) % 2
PATIENTS = np.arange(60) // 4
KEYS = {"splits": {"validation": 0.3, "group": "patient"}}


@pytest.fixture
def write(tmp_path):
    def to(form, patients=PATIENTS, **others):
        x = np.arange(60, dtype=np.float32).reshape(60, 1)
        arrays = {"x_train": x, "y_train": LABELS, "patient_train": patients, **others}
        if form == "npz":
            np.savez(tmp_path / "a.npz", **arrays)
            return tmp_path / "a.npz"
        (tmp_path / "a").mkdir()
        for name, array in arrays.items():
            np.save(tmp_path / "a" / f"{name}.npy", array)
        return tmp_path / "a"

    return to


@pytest.fixture
def load(section):
    def read(path, **keys):
        return load_dataset(section(path, **{**KEYS, **keys}), task="classification", seed=1)

    return read


@pytest.mark.parametrize("form", ["npz", "npy"])
@pytest.mark.parametrize("dtype", [np.int64, np.uint8, "U9"])
def test_no_group_is_on_both_sides_of_a_split(write, load, form, dtype):
    splits = load(write(form, PATIENTS.astype(dtype))).splits
    train, validation = (
        {int(row) // 4 for row in splits[name].features[:, 0]} for name in ("train", "validation")
    )
    assert train | validation == set(range(15))
    assert not train & validation
    assert len(splits["validation"].labels) == 4 * len(validation)


def test_arrays_are_split_like_a_table_of_the_same_examples(write, load, tmp_path):
    rows = [f"{row},{LABELS[row]},{PATIENTS[row]:02}" for row in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["x,y,patient", *rows]) + "\n")
    table = load(tmp_path / "t.csv", label="y").splits
    arrays = load(write("npz", np.array([f"{at:02}" for at in PATIENTS]))).splits
    for name in ("train", "validation"):
        assert arrays[name].features.tobytes() == table[name].features.tobytes()


def test_streamed_and_converted_arrays_keep_their_groups(write, load, section, tmp_path):
    path = write("npy")
    whole = load(path, storage="resident")
    with written_whole(tmp_path / "a.set") as empty:
        convert_into(empty, section(path, **KEYS))
    assert load(path, storage="stream").facts == whole.facts
    assert load(tmp_path / "a.set").fingerprints == whole.fingerprints


@pytest.mark.parametrize(
    ("patients", "message"),
    [
        (PATIENTS[:-1], "expected one group per example: 60 examples, 59 groups"),
        (PATIENTS / 2, "expected a text or an integer per example, got float64 of shape"),
        (PATIENTS.reshape(60, 1), "expected a text or an integer per example, got int64 of shape"),
    ],
)
def test_what_is_no_group_for_each_example_is_refused(write, load, patients, message):
    with pytest.raises(DataError, match=message):
        load(write("npz", patients))


def test_a_missing_array_is_named_with_the_nearest(write, load):
    with pytest.raises(
        DataError, match=r"patents_train is missing: data\.splits\.group asks"
    ) as caught:
        load(write("npz"), splits={"validation": 0.3, "group": "patents"})
    assert caught.value.key == ("data", "splits", "group")
    assert "patient_train" in str(caught.value.hint)


def test_published_splits_share_no_group(write, load):
    others = {"x_test": np.zeros((2, 1), np.float32), "y_test": LABELS[:2]}
    path = write("npz", patient_test=np.array([99, 3]), **others)
    with pytest.raises(DataError, match="the group '3' is in train and in test"):
        load(path, splits={"group": "patient"})


def test_idx_files_hold_no_groups(write_idx_directory, tmp_path, load):
    images, labels = np.zeros((60, 2, 2), np.uint8), LABELS.astype(np.uint8)
    path = write_idx_directory(tmp_path / "idx", train_images=images, train_labels=labels)
    with pytest.raises(DataError, match="IDX files hold no groups of examples") as caught:
        load(path)
    assert caught.value.key == ("data", "splits", "group")
    assert "patient_train" in str(caught.value.hint)
