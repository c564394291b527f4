from pathlib import Path

import numpy as np
import pytest

from bmtrain.data.examples.dataset import DataFacts
from bmtrain.data.load import load_dataset, load_examples
from bmtrain.data.missing_paths import missing_path_hint
from bmtrain.errors import DataError

MOVED = "data that has moved is given with data.source=PATH, to eval with --data PATH"
FACTS = DataFacts(
    task="classification",
    input_shape=(2,),
    input_dtype="float32",
    class_names=("a", "b"),
    num_outputs=2,
    feature_names=None,
    label_name=None,
    num_train_examples=2,
    fingerprint="",
)


@pytest.fixture
def hint_of(section):
    def load(path: Path) -> str | None:
        with pytest.raises(DataError, match="there is no such file or directory") as caught:
            load_dataset(section(path), task="classification", seed=0)
        assert caught.value.where == str(path)
        assert caught.value.key == ("data", "source")
        return caught.value.hint

    return load


def test_the_nearest_file_is_what_was_meant(tmp_path, hint_of):
    (tmp_path / "iris.csv").touch()
    assert hint_of(tmp_path / "irs.csv") == f"did you mean {tmp_path / 'iris.csv'}? {MOVED}"
    assert hint_of(tmp_path / "IRIS.CSV") == f"did you mean {tmp_path / 'iris.csv'}? {MOVED}"


def test_else_the_data_beside_it_is_named_and_how_to_say_that_it_moved(tmp_path, hint_of):
    assert hint_of(tmp_path / "a.npz") == f"looked in {tmp_path}, which holds no data; {MOVED}"
    for name in ["iris.csv", "wine.npz", "notes.txt"]:
        (tmp_path / name).touch()
    beside = f"looked in {tmp_path}, which holds iris.csv, wine.npz"
    assert hint_of(tmp_path / "zzzzzzzz.npy") == f"{beside}; {MOVED}"
    for number in range(8):
        (tmp_path / f"{number}.csv").touch()
    assert missing_path_hint(tmp_path / "zzzzzzzz.npy") == (
        f"looked in {tmp_path}, which holds 0.csv, 1.csv, 2.csv, 3.csv, 4.csv, …"
    )


def test_the_first_directory_that_is_missing_is_named(tmp_path, hint_of):
    path = tmp_path / "old" / "data" / "iris.csv"
    assert hint_of(path) == f"there is no directory {tmp_path / 'old'}; {MOVED}"


def test_a_bundled_name_behind_a_slash_is_told_to_be_a_bare_word(tmp_path, hint_of):
    bare = "a bundled set is a bare word: data.source=mnist"
    assert hint_of(tmp_path / "mnist") == bare
    assert hint_of(tmp_path / "MNITS") == bare
    assert hint_of(tmp_path / "mnist.npz") != bare


def test_a_path_of_an_option_is_looked_for_from_here(tmp_path, monkeypatch):
    np.save(tmp_path / "images.npy", np.ones((2, 2)))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError) as caught:
        load_examples(Path("image.npy"), FACTS, labels="optional")
    assert caught.value.hint == f"did you mean {tmp_path / 'images.npy'}?"
    with pytest.raises(DataError) as caught:
        load_examples(Path("new.csv"), FACTS, labels="optional")
    assert caught.value.hint == f"looked in {tmp_path}, which holds images.npy"


def test_a_path_that_is_there_keeps_its_own_hint(tmp_path):
    (tmp_path / "a.bin").touch()
    with pytest.raises(DataError, match="format cannot be told") as caught:
        load_examples(tmp_path / "a.bin", FACTS, labels="optional")
    assert caught.value.hint is not None
    assert "--format" in caught.value.hint


def test_a_directory_that_cannot_be_listed_is_named(tmp_path, monkeypatch):
    def refuse(directory):
        raise DataError("cannot be read: Permission denied", where=str(directory))

    monkeypatch.setattr("bmtrain.data.missing_paths.names_in", refuse)
    assert missing_path_hint(tmp_path / "a.csv") == f"looked in {tmp_path}"


def test_a_link_to_nothing_is_told_to_be_one(tmp_path, hint_of):
    (tmp_path / "a.csv").symlink_to(tmp_path / "b.csv")
    expected = f"it is a link to {tmp_path / 'b.csv'}, which is not there; {MOVED}"
    assert hint_of(tmp_path / "a.csv") == expected


def test_a_directory_of_other_names_says_which_files_it_holds(section, tmp_path):
    (tmp_path / "iris.csv").touch()
    with pytest.raises(DataError, match="holds no data of a known format") as caught:
        load_dataset(section(tmp_path), task="classification", seed=0)
    assert caught.value.hint == "name a file: it holds iris.csv"
    (tmp_path / "iris.csv").rename(tmp_path / "iris.txt")
    with pytest.raises(DataError) as caught:
        load_dataset(section(tmp_path), task="classification", seed=0)
    assert caught.value.hint is None
