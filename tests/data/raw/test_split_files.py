"""``data.splits`` that name files: read like the table beside which they are."""

import numpy as np
import pytest

from bmtrain.data.load import load_dataset
from bmtrain.data.records.fixed_records import DESCRIPTION
from bmtrain.data.sources import convert_into
from bmtrain.errors import ConfigError, DataError

COLUMNS = ("a", "b", "kind")


def rows(first, count):
    return [(float(n), n / 4, "xyz"[n % 3]) for n in range(first, first + count)]


def write(path, values, columns=COLUMNS, *, order=COLUMNS):
    """A CSV file of ``values``, whose columns are ``columns``, in another order."""
    path.parent.mkdir(exist_ok=True)
    at = [columns.index(name) for name in order]
    lines = [",".join(order), *(",".join(str(row[i]) for i in at) for row in values)]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def table(tmp_path):
    """Thirty rows, nine more for validation and six for test; one column stands elsewhere."""
    write(tmp_path / "val.csv", rows(30, 9), order=("kind", "b", "a"))
    write(tmp_path / "test.csv", rows(39, 6))
    return write(tmp_path / "data.csv", rows(0, 30))


@pytest.fixture
def load(section, tmp_path, table):
    def read(splits, source=table, **keys):
        named = {
            split: str(tmp_path / value) if is_file(split, value) else value
            for split, value in splits.items()
        }
        whole = section(source, label="kind", splits=named, **keys)
        return load_dataset(whole, task="classification", seed=1)

    return read


def is_file(split, value):
    return split in ("validation", "test") and isinstance(value, str)


def first_column(split):
    return split.features[:][:, 0].tolist()


@pytest.mark.parametrize("storage", ["resident", "stream"])
def test_files_are_the_splits_and_columns_are_found_by_name(load, storage, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    found = load({"validation": "val.csv", "test": "test.csv"}, storage=storage).splits
    assert first_column(found["train"]) == [float(n) for n in range(30)]
    assert first_column(found["validation"]) == [float(n) for n in range(30, 39)]
    assert first_column(found["test"]) == [float(n) for n in range(39, 45)]
    assert found["validation"].features[:][:, 1].tolist() == [n / 4 for n in range(30, 39)]
    assert found["validation"].labels.tolist() == [0, 1, 2] * 3


def test_a_fraction_of_the_other_split_is_of_the_source_alone(load):
    found = load({"validation": 0.2, "test": "test.csv"}).splits
    assert [found[name].num_examples for name in ("train", "validation", "test")] == [24, 6, 6]
    drawn = {*first_column(found["train"]), *first_column(found["validation"])}
    assert drawn == {float(n) for n in range(30)}


def test_folds_leave_a_test_file_as_it_is(load):
    found = load({"fold": "1/3", "test": "test.csv"}).splits
    assert [found[name].num_examples for name in ("train", "validation", "test")] == [20, 10, 6]
    assert first_column(found["test"]) == [float(n) for n in range(39, 45)]


def test_a_directory_may_lack_the_split_that_a_file_is(load, tmp_path):
    write(tmp_path / "set" / "train.csv", rows(0, 30))
    write(tmp_path / "set" / "test.csv", rows(50, 3))
    found = load({"validation": "val.csv"}, tmp_path / "set").splits
    assert {name: split.num_examples for name, split in found.items()} == {
        "train": 30,
        "validation": 9,
        "test": 3,
    }
    with pytest.raises(ConfigError, match="has a test split of its own") as caught:
        load({"test": "test.csv"}, tmp_path / "set")
    assert caught.value.key == ("data", "splits", "test")


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("vall.csv", "there is no such file", "did you mean"),
        (".", "expected a file, got a directory", ""),
        ("val.parquet", "expected CSV like the source, got PARQUET", ""),
        ("val.txt", "the format cannot be told", ""),
    ],
)
def test_what_is_no_such_table_is_told_at_its_key(load, tmp_path, name, message, hint):
    for made in ("val.parquet", "val.txt"):
        (tmp_path / made).write_text("a\n")
    with pytest.raises(DataError, match=message) as caught:
        load({"validation": name})
    assert caught.value.key == ("data", "splits", "validation")
    assert hint in str(caught.value.hint)
    assert caught.value.where == str(tmp_path / name)


def test_any_ending_will_do_where_the_format_is_said(load, table, tmp_path):
    (tmp_path / "val.txt").write_text((tmp_path / "val.csv").read_text())
    found = load({"validation": "val.txt"}, format="csv").splits
    assert found["validation"].num_examples == 9


def test_what_is_wrong_in_it_is_told_with_its_line(load, tmp_path):
    write(tmp_path / "val.csv", [(1, 2, "x"), (1, "oops", "y")])
    with pytest.raises(DataError, match="oops") as caught:
        load({"validation": "val.csv"})
    assert caught.value.where == f"{tmp_path / 'val.csv'}, line 3"
    write(tmp_path / "val.csv", [(1, "x")], ("a", "kind"), order=("a", "kind"))
    with pytest.raises(DataError, match="'b'"):
        load({"validation": "val.csv"})


def test_no_group_is_in_the_table_and_in_a_file(load, tmp_path, table):
    columns = (*COLUMNS, "g")
    write(table, [(*row, f"g{n}") for n, row in enumerate(rows(0, 30))], columns, order=columns)
    write(tmp_path / "val.csv", [(1, 2, "x", "g7")], columns, order=columns)
    with pytest.raises(DataError, match="'g7' is in train and in validation"):
        load({"validation": "val.csv", "group": "g"})


def test_files_are_for_tables_alone(section, tmp_path, table):
    np.savez(tmp_path / "a.npz", x_train=np.ones((6, 2)), y_train=np.arange(6) % 2)
    splits = {"test": str(tmp_path / "test.csv")}
    with pytest.raises(ConfigError, match=r"a file beside a table, and a.npz is NPZ") as caught:
        load_dataset(section(tmp_path / "a.npz", splits=splits), task="classification", seed=0)
    assert caught.value.key == ("data", "splits", "test")


def test_they_are_converted_with_their_table(section, load, tmp_path, table):
    files = {"test": str(tmp_path / "test.csv")}
    files["validation"] = str(tmp_path / "val.csv")
    (tmp_path / "set").mkdir()
    convert_into(tmp_path / "set", section(table, label="kind", splits=files))
    assert (tmp_path / "set" / DESCRIPTION).is_file()
    again = load_dataset(section(tmp_path / "set"), task="classification", seed=1)
    whole = load({"validation": "val.csv", "test": "test.csv"})
    assert again.facts == whole.facts
    with pytest.raises(ConfigError, match="a file beside a table"):
        load_dataset(section(tmp_path / "set", splits=files), task="classification", seed=1)


def test_pictures_of_a_table_may_have_files_too(section, tmp_path):
    from PIL import Image

    for n in range(6):
        Image.new("L", (4, 4), 40 * n).save(tmp_path / f"{n}.png")
    for name, numbers in (("train", (0, 1, 2, 3)), ("more", (4, 5))):
        lines = ["path,kind", *(f"{n}.png,{'xy'[n % 2]}" for n in numbers)]
        (tmp_path / f"{name}.csv").write_text("\n".join(lines) + "\n")
    keys = {"label": "kind", "image": {"size": (4, 4), "channels": 1}}
    splits = {"test": str(tmp_path / "more.csv")}
    whole = section(tmp_path / "train.csv", splits=splits, **keys)
    found = load_dataset(whole, task="classification", seed=0).splits
    assert found["test"].array[:, 0, 0].reshape(-1).tolist() == [160, 200]
