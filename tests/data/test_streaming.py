"""Features that stay in their file say what an array says, and are read a block at a time."""

import re

import numpy as np
import pytest

from bmtrain.data.checks.inspection import inspect_dataset
from bmtrain.data.examples import features as features_module
from bmtrain.data.examples import normalization
from bmtrain.data.examples.normalization import fit_preprocessing
from bmtrain.data.load import load_dataset
from bmtrain.data.raw import storage, streamed_rows
from bmtrain.data.raw.storage import Storage
from bmtrain.data.raw.streamed_rows import StreamedRows, evenly_spaced, taken, value_blocks
from bmtrain.errors import DataError
from tests.file_rows import saved_rows

LABELS = np.arange(40) % 3


def write(directory, x, labels=LABELS, **others):
    directory.mkdir(exist_ok=True)
    arrays = {"x_train": x, "y_train": labels, **others}
    for name, array in arrays.items():
        np.save(directory / f"{name}.npy", array)
    return directory


@pytest.fixture
def load(section):
    def read(path, wanted, **keys):
        section_of_it = section(path, storage=wanted, **keys)
        return load_dataset(section_of_it, task="classification", seed=3)

    return read


@pytest.mark.parametrize(
    "values",
    [
        np.arange(40 * 12, dtype=np.uint8).reshape(40, 3, 4),
        np.linspace(-3, 3, 200, dtype=np.float32).reshape(40, 5),
        np.linspace(-3, 3, 200).reshape(40, 5),
        np.linspace(-3, 3, 200).astype(">f4").reshape(40, 5),
        np.arange(200).reshape(40, 5),
        np.arange(40) % 2 == 0,
        np.linspace(-3, 3, 40, dtype=np.float16),
    ],
    ids=lambda values: f"{values.dtype.str}{values.ndim}",
)
@pytest.mark.parametrize("keys", [{}, {"splits": {"validation": 0.25}, "train_examples": 20}])
def test_streamed_data_is_resident_data(tmp_path, load, values, keys):
    path = write(tmp_path, values)
    held, streamed = load(path, "resident", **keys), load(path, "stream", **keys)
    assert streamed.facts == held.facts  # the fingerprint is one of them
    for name, split in streamed.splits.items():
        expected = held.splits[name].array
        assert split.is_streamed
        assert (split.features.shape, split.features.dtype) == (expected.shape, expected.dtype)
        assert split.features.nbytes == expected.nbytes
        assert split.features[:].tobytes() == expected.tobytes()
        rows = np.array([3, 0, 3, len(expected) - 1])
        assert split.features[rows].tobytes() == expected[rows].tobytes()
        assert taken(split.features, rows)[1:3].tobytes() == expected[rows[1:3]].tobytes()
        assert np.array_equal(split.features[2], expected[2])
        block = np.zeros((6, *expected.shape[1:]), expected.dtype)
        split.features.read_into(block, rows)
        assert block[:4].tobytes() == expected[rows].tobytes()
        assert not block[4:].any()


@pytest.mark.parametrize("kind", ["auto", "unit", "standardize"])
@pytest.mark.parametrize("shape", [(40, 12), (40, 3, 4)])
def test_statistics_and_findings_are_those_of_the_array(
    tmp_path, load, numbers, monkeypatch, kind, shape
):
    for module in (streamed_rows, normalization):
        name = "BLOCK_VALUES" if module is streamed_rows else "_BLOCK_VALUES"
        monkeypatch.setattr(module, name, 100)  # several blocks
    path = write(tmp_path, numbers.normal(size=shape).astype(np.float32))
    held, streamed = load(path, "resident"), load(path, "stream")
    one, other = fit_preprocessing(held, kind), fit_preprocessing(streamed, kind)
    assert one.offset.tobytes() == other.offset.tobytes()
    assert one.scale.tobytes() == other.scale.tobytes()
    told = [finding.message for finding in inspect_dataset(streamed, other)]
    assert set(told) >= {finding.message for finding in inspect_dataset(held, one)}


def test_blocks_cover_all_values_once(numbers, tmp_path):
    values = numbers.integers(0, 255, (17, 3, 5)).astype(np.uint8)
    rows = StreamedRows(saved_rows(tmp_path / "x.npy", values), values.dtype)
    blocks = list(value_blocks(rows, 60))
    assert [block.shape for block in blocks] == [(4, 15)] * 4 + [(1, 15)]
    np.testing.assert_array_equal(np.concatenate(blocks), values.reshape(17, 15))


def test_a_sample_is_spread_over_the_whole_file(tmp_path, monkeypatch):
    monkeypatch.setattr(streamed_rows, "BLOCK_VALUES", 5)
    file = saved_rows(tmp_path / "x.npy", np.arange(101, dtype=np.float32))
    assert evenly_spaced(StreamedRows(file, file.dtype)).tolist() == [[0], [25], [50], [75], [100]]


def test_auto_streams_what_is_beyond_its_share_of_the_memory(tmp_path, load, monkeypatch):
    path = write(tmp_path, np.zeros((40, 5)))  # float64 in the file, float32 for the model
    monkeypatch.setattr(storage, "available_memory", lambda: 4 * 40 * 5 * 4)
    assert not load(path, "auto").splits["train"].is_streamed
    monkeypatch.setattr(storage, "available_memory", lambda: 4 * 40 * 5 * 4 - 4)
    assert load(path, "auto").splits["train"].is_streamed
    assert not load(path, "resident").splits["train"].is_streamed


def test_a_byte_is_held_as_a_byte():
    assert not Storage("auto", 100).streams((100,), np.dtype(np.uint8))
    assert not Storage("auto", 100).streams((100,), np.dtype(np.bool_))
    assert Storage("auto", 100).streams((26,), np.dtype(np.int64))


def test_idx_files_are_streamed_as_they_are(tmp_path, load, write_idx_directory, numbers):
    images = numbers.normal(size=(40, 3, 4)).astype(np.float32)  # big-endian in the file
    labels = LABELS.astype(np.uint8)
    path = write_idx_directory(tmp_path / "idx", train_images=images, train_labels=labels)
    streamed = load(path, "stream").splits["train"]
    assert streamed.is_streamed
    assert streamed.features[:].tobytes() == images.tobytes()
    assert streamed.features.dtype.isnative


def test_test_examples_of_another_integer_width_stay_in_their_file_too(tmp_path, load):
    x = np.arange(40 * 2, dtype=np.uint8).reshape(40, 2)
    path = write(tmp_path, x, x_test=x[:10].astype(np.int64), y_test=LABELS[:10])
    test = load(path, "stream").splits["test"]
    assert (test.is_streamed, test.features.dtype) == (True, np.uint8)
    assert test.features[:].tobytes() == x[:10].tobytes()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.nan, r"x_train.npy\[33\]: expected finite numbers, got nan"),
        (1e39, r"x_train.npy\[33\]: a value is too large for float32"),
    ],
)
def test_a_bad_value_in_a_later_block_is_told_with_its_row(
    tmp_path, load, monkeypatch, value, message
):
    monkeypatch.setattr(features_module, "_BLOCK_VALUES", 20)  # four rows
    x = np.zeros((40, 5))
    x[33, 1] = value
    with pytest.raises(DataError) as caught:
        load(write(tmp_path, x), "stream")
    assert re.search(message, str(caught.value))


def test_fortrans_order_is_refused_where_it_would_be_streamed(tmp_path, load):
    path = write(tmp_path, np.asfortranarray(np.zeros((40, 5))))
    assert load(path, "resident").splits["train"].features.shape == (40, 5)
    with pytest.raises(DataError, match="Fortran's order"):
        load(path, "stream")


@pytest.mark.parametrize("cut", [1, 400])
def test_a_truncated_file_is_refused_before_it_is_streamed(tmp_path, load, cut):
    path = write(tmp_path, np.zeros((40, 5)))
    file = path / "x_train.npy"
    file.write_bytes(file.read_bytes()[:-cut])
    with pytest.raises(DataError, match="truncated"):
        load(path, "stream")
