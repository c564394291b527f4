"""Folders and tables of pictures as sources: the same bits as arrays, and every fault with its file."""

import gzip
import os
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from bmtrain.data.bundled import BUNDLED
from bmtrain.data.example_blocks import blocks_of_all, example_blocks, examples_in
from bmtrain.data.given_examples import given_features
from bmtrain.data.load import load_dataset, load_examples
from bmtrain.data.pictures import pictures
from bmtrain.errors import ConfigError, DataError
from bmtrain.progress import progress_told_to

IMAGE = {"size": (5, 4), "channels": 1}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("BMTRAIN_DATA_CACHE", raising=False)
    return tmp_path / "cache" / "bmtrain" / "data"


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def pixels(numbers):
    """Of class and number; all are different."""
    drawn = numbers.integers(0, 256, (3, 4, 5, 4), np.uint8)
    return {
        (name, i): drawn[c, i] for c, name in enumerate(("cat", "dog", "owl")) for i in range(4)
    }


@pytest.fixture
def folder(tmp_path, pixels):
    root = tmp_path / "animals"
    for (name, i), picture in pixels.items():
        save(root / name / f"{i}.png", picture)
    return root


@pytest.fixture
def split_folder(tmp_path, pixels):
    root = tmp_path / "split"
    for (name, i), picture in pixels.items():
        save(root / ("train", "train", "val", "test")[i] / name / f"{i}.png", picture)
    return root


@pytest.fixture
def loaded(section):
    def load(path, *, task="classification", image=IMAGE, **keys):
        return load_dataset(section(path, image=image, **keys), task=task, seed=0)

    return load


def mnist(kind):
    content = gzip.decompress((BUNDLED["mnist"].path / f"t10k-{kind}-ubyte.gz").read_bytes())
    return np.frombuffer(content, np.uint8, offset=16 if kind == "images-idx3" else 8)


def test_grey_pictures_of_mnist_are_the_bits_of_its_idx_file(tmp_path, loaded):
    images, labels = mnist("images-idx3").reshape(-1, 28, 28)[:300], mnist("labels-idx1")[:300]
    for i, (image, label) in enumerate(zip(images, labels, strict=True)):
        save(tmp_path / "digits" / str(label) / f"{i:03}.png", image)
    dataset = loaded(tmp_path / "digits", image={"size": (28, 28), "channels": 1})
    train = dataset.splits["train"]
    order = np.argsort(labels, kind="stable")
    np.testing.assert_array_equal(train.features, images[order][..., None])
    np.testing.assert_array_equal(train.labels, labels[order])
    assert dataset.facts.class_names == tuple("0123456789")
    assert dataset.facts.input_shape == (28, 28, 1)
    assert dataset.facts.input_dtype == "uint8"


def test_classes_are_the_directories_names_sorted(folder, loaded, pixels):
    dataset = loaded(folder)
    assert dataset.facts.class_names == ("cat", "dog", "owl")
    expected = np.stack(list(pixels.values()))[..., None]
    np.testing.assert_array_equal(dataset.splits["train"].features, expected)
    assert dataset.splits["train"].labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert dataset.splits["train"].files[5] == folder / "dog" / "1.png"


def test_train_validation_and_test_directories_are_splits(split_folder, loaded, pixels):
    splits = loaded(split_folder).splits
    assert {name: split.num_examples for name, split in splits.items()} == {
        "train": 6,
        "validation": 3,
        "test": 3,
    }
    np.testing.assert_array_equal(splits["test"].features[1, ..., 0], pixels["dog", 3])


def test_a_class_may_be_called_train(tmp_path, loaded, pixels):
    for (name, i), picture in pixels.items():
        save(tmp_path / "toys" / name.replace("cat", "train") / f"{i}.png", picture)
    assert loaded(tmp_path / "toys").facts.class_names == ("dog", "owl", "train")


def test_drawn_splits_keep_each_picture_with_its_file(folder, loaded, pixels):
    for split in loaded(folder, splits={"test": 0.25}).splits.values():
        for features, file in zip(split.features, split.files, strict=True):
            picture = pixels[file.parent.name, int(file.stem)]
            np.testing.assert_array_equal(features[..., 0], picture)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_table_names_pictures_relative_to_itself(folder, loaded, pixels, suffix):
    table = folder / f"list.{suffix}"
    rows = [(f"{name}/{i}.png", name, float(i)) for name, i in list(pixels)[::-1]]
    frame = pl.DataFrame(rows, ["file", "kind", "weight"], orient="row")
    getattr(frame, f"write_{suffix}")(table)
    image = IMAGE | {"column": "file"}
    dataset = loaded(table, image=image, label="kind")
    expected = np.stack(list(pixels.values())[::-1])[..., None]
    np.testing.assert_array_equal(dataset.splits["train"].features, expected)
    assert dataset.facts.label_name == "kind"
    targets = loaded(table, image=image, label="weight", task="regression").splits["train"]
    assert targets.labels[:, 0].tolist() == [3, 2, 1, 0] * 3
    with pytest.raises(ConfigError, match="which column has the pictures' paths"):
        loaded(table, label="kind")


def test_pictures_are_decoded_once(folder, loaded, cache, monkeypatch):
    first = loaded(folder)
    monkeypatch.setattr(pictures, "_blocks", None)  # cannot be decoded again
    second = loaded(folder)
    assert first.facts.fingerprint == second.facts.fingerprint
    assert len(list(cache.iterdir())) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: os.utime(folder / "dog" / "1.png", ns=(1, 1)),
        lambda folder: save(folder / "dog" / "1.png", np.zeros((5, 4), np.uint8)),
        lambda folder: (folder / "dog" / "1.png").rename(folder / "dog" / "7.png"),
        lambda folder: (folder / "dog" / "1.png").unlink(),
    ],
)
def test_a_changed_folder_is_read_again(folder, loaded, cache, change):
    loaded(folder)
    change(folder)
    found = loaded(folder).splits["train"]
    assert len(list(cache.iterdir())) == 2
    for features, file in zip(found.features, found.files, strict=True):
        np.testing.assert_array_equal(features[..., 0], np.asarray(Image.open(file)))


def test_content_that_changed_under_the_same_size_and_time_is_read_again(folder, loaded):
    loaded(folder)
    path = folder / "dog" / "1.png"
    before = path.stat()
    content = (folder / "dog" / "2.png").read_bytes()
    path.write_bytes(content[: before.st_size].ljust(before.st_size, b"\0"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    found = loaded(folder).splits["train"]
    np.testing.assert_array_equal(found.features[5], found.features[6])


@pytest.mark.parametrize("change", [{"size": (4, 4)}, {"channels": 3}, {"fit": "crop"}])
def test_another_image_section_is_decoded_anew(folder, loaded, cache, change):
    loaded(folder)
    loaded(folder, image=IMAGE | change)
    assert len(list(cache.iterdir())) == 2


def test_without_a_cache_the_bits_are_the_same(folder, loaded, monkeypatch):
    with_cache = loaded(folder)
    monkeypatch.setenv("BMTRAIN_DATA_CACHE", "0")
    without = loaded(folder)
    assert with_cache.facts.fingerprint == without.facts.fingerprint


def test_progress_is_told(folder, loaded, monkeypatch):
    monkeypatch.setattr(pictures, "_NUM_ROWS", 5)
    told = []
    with progress_told_to(lambda *facts: told.append(facts)):
        loaded(folder)
    assert told == [("pictures", done, 12) for done in (0, 5, 10)]


def failing(loaded, path, **keys):
    with pytest.raises((DataError, ConfigError)) as caught:
        loaded(path, **keys)
    return caught.value


def test_every_unreadable_picture_is_counted_and_the_first_is_named(folder, loaded, cache):
    for name in ("dog/0.png", "dog/3.png", "owl/1.png"):
        (folder / name).write_bytes(b"no picture")
    error = failing(loaded, folder)
    assert error.where == str(folder / "dog" / "0.png")
    assert "the first of 3 pictures that cannot be read" in error.message
    others = f"{folder / 'dog' / '3.png'}, {folder / 'owl' / '1.png'}"
    assert error.hint == f"replace them or take them away; the others: {others}"
    assert list(cache.iterdir()) == []


def test_a_file_that_is_no_picture_by_its_name_is_an_error_unless_it_is_to_be_ignored(
    folder, loaded
):
    (folder / "dog" / "notes.txt").write_text("x")
    (folder / "owl" / ".hidden.png").write_text("x")
    error = failing(loaded, folder)
    assert error.where == str(folder / "dog" / "notes.txt")
    assert "data.image.ignore: ['*.txt']" in str(error.hint)
    error = failing(loaded, folder, image=IMAGE | {"ignore": ("*.txt",)})
    assert error.where == str(folder / "owl" / ".hidden.png")
    found = loaded(folder, image=IMAGE | {"ignore": ("*.txt", ".*")})
    assert found.splits["train"].num_examples == 12


@pytest.mark.parametrize("ignore", [{}, {"ignore": ("*.txt",)}])
def test_what_desktops_leave_is_ignored_whatever_else_is(folder, loaded, ignore):
    for name in (".DS_Store", "dog/Thumbs.db", "dog/._1.png", "owl/desktop.ini"):
        (folder / name).write_bytes(b"x")
    found = loaded(folder, image=IMAGE | ignore)
    assert found.splits["train"].num_examples == 12


def test_classes_a_level_too_deep_are_told_with_the_source_that_may_be_meant(tmp_path, loaded):
    save(tmp_path / "a" / "b" / "cat" / "1.png", np.zeros((5, 4), np.uint8))
    error = failing(loaded, tmp_path / "a")
    assert "a directory inside a class" in error.message
    assert f"in {tmp_path / 'a' / 'b'}, name that as the source" in str(error.hint)


def test_an_empty_class_is_told_with_what_to_do(folder, loaded):
    (folder / "ant").mkdir()
    assert str(failing(loaded, folder).hint).endswith("data.image.ignore: ['ant']")
    assert loaded(folder, image=IMAGE | {"ignore": ("ant",)}).splits["train"].num_examples == 12


def test_a_label_that_is_no_column_of_a_table_of_pictures_points_at_the_config(folder, loaded):
    (folder / "list.csv").write_text("file,colour\ncat/0.png,cat\ndog/1.png,dog\n")
    error = failing(loaded, folder / "list.csv", label="color")
    assert (error.key, error.hint) == (("data", "label"), "did you mean 'colour'?")


def test_a_table_for_a_model_of_a_folder_is_told_what_may_be_given_instead(folder, loaded):
    facts = loaded(folder).facts
    (folder / "list.csv").write_text("file,note\ncat/0.png,x\n")
    with pytest.raises(DataError, match="which column has the pictures' paths") as caught:
        load_examples(folder / "list.csv", facts, labels="optional")
    assert caught.value.where == str(folder / "list.csv")
    assert "a table with a column of paths alone" in str(caught.value.hint)
    assert "data.image" not in str(caught.value.hint)  # a model's settings are what they are


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda root: save(root / "stray.png", np.zeros((5, 4), np.uint8)), "without a class"),
        (lambda root: (root / "ant").mkdir(), "holds no picture"),
        (lambda root: (root / "dog" / "puppies").mkdir(), "a directory inside a class"),
        (lambda root: (root / "labels.md").write_text("x"), "no picture by its name"),
    ],
)
def test_another_form_of_folder_is_told(folder, loaded, change, message):
    change(folder)
    assert message in failing(loaded, folder).message


def test_a_directory_beside_the_splits_is_told(split_folder, loaded):
    shutil.copytree(split_folder / "test", split_folder / "extra")
    assert "got 'extra'" in failing(loaded, split_folder).message
    (split_folder / "extra").rename(split_folder / "valid")
    assert "two directories of the validation split" in failing(loaded, split_folder).message


def test_a_folder_without_a_train_directory_is_told(split_folder, loaded):
    shutil.rmtree(split_folder / "train")
    (split_folder / "train").mkdir()
    assert failing(loaded, split_folder)


@pytest.mark.parametrize("kind", ["file", "directory"])
def test_a_link_out_of_the_folder_is_not_followed(tmp_path, folder, loaded, kind):
    outside = tmp_path / "private"
    save(outside / "me.png", np.zeros((5, 4), np.uint8))
    if kind == "file":
        (folder / "dog" / "9.png").symlink_to(outside / "me.png")
    else:
        (folder / "zebra").symlink_to(outside)
    error = failing(loaded, folder)
    assert "leads out of" in error.message
    assert "9.png" in error.where or "zebra" in error.where


def test_a_link_within_the_folder_is_followed_and_the_folder_may_be_one(tmp_path, folder, loaded):
    (folder / "dog" / "9.png").symlink_to(folder / "dog" / "1.png")
    (tmp_path / "link").symlink_to(folder)
    found = loaded(tmp_path / "link").splits["train"]
    np.testing.assert_array_equal(found.features[8], found.features[5])


def test_a_link_to_nowhere_is_told(folder, loaded):
    (folder / "dog" / "9.png").symlink_to("gone.png")
    assert failing(loaded, folder).where == str(folder / "dog" / "9.png")


@pytest.mark.parametrize("text", ["../private/me.png", "/etc/hostname", "dog/../../private/me.png"])
def test_a_table_does_not_lead_out_of_its_directory(tmp_path, folder, loaded, text):
    save(tmp_path / "private" / "me.png", np.zeros((5, 4), np.uint8))
    (folder / "list.csv").write_text(f"file,kind\ncat/0.png,cat\n{text},dog\n")
    error = failing(loaded, folder / "list.csv", label="kind")
    assert "leads out of" in error.message
    assert "list.csv, line 3" in error.where


def test_a_missing_picture_of_a_table_is_told_with_its_line(folder, loaded):
    (folder / "list.csv").write_text("file,kind\ncat/0.png,cat\ndog/77.png,dog\n")
    error = failing(loaded, folder / "list.csv", label="kind")
    assert "list.csv, line 3" in error.where
    assert "dog/77.png" in error.where


def test_without_a_size_the_message_says_what_to_write(folder, section):
    with pytest.raises(ConfigError, match=r"pictures need data\.image") as caught:
        load_dataset(section(folder), task="classification", seed=0)
    assert "data.image: {size: [5, 4], channels: 1}" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("keys", "message"),
    [({"label": "kind"}, "it has none"), ({"features": ("a",)}, "it has none")],
)
def test_columns_are_not_of_a_folder(folder, loaded, keys, message):
    assert message in failing(loaded, folder, **keys).message


def test_an_image_section_is_not_of_arrays(tmp_path, loaded):
    np.savez(tmp_path / "d.npz", x_train=np.zeros((2, 2)), y_train=np.arange(2))
    assert "is about pictures" in failing(loaded, tmp_path / "d.npz").message


def test_examples_for_a_model_are_read_as_its_training_examples_were(
    split_folder, loaded, pixels, tmp_path
):
    facts = loaded(split_folder).facts
    found = load_examples(split_folder, facts, labels="required")
    assert found.labels is not None
    assert found.labels.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(found.features[2, ..., 0], pixels["owl", 3])
    unlabelled = load_examples(split_folder, facts, labels="optional")
    assert len(unlabelled.features) == 12
    alone = load_examples(split_folder / "test" / "owl" / "3.png", facts, labels="optional")
    np.testing.assert_array_equal(alone.features[0, ..., 0], pixels["owl", 3])
    with pytest.raises(DataError, match="a picture alone has no label"):
        load_examples(split_folder / "test" / "owl" / "3.png", facts, labels="required")
    (split_folder / "list.csv").write_text("x\ntest/owl/3.png\n")
    table = load_examples(split_folder / "list.csv", facts, labels="optional")
    np.testing.assert_array_equal(table.features, alone.features)
    with pytest.raises(DataError, match="which column of a table has the labels"):
        load_examples(split_folder / "list.csv", facts, labels="required")


def test_blocks_name_each_pictures_file(split_folder, loaded, pixels):
    facts = loaded(split_folder).facts
    (split_folder / "list.csv").write_text("x\ntest/owl/3.png\ntrain/dog/1.png\n")
    sources = examples_in([split_folder / "test", split_folder / "train" / "cat" / "0.png"])
    assert len(sources) == 4
    blocks = list(blocks_of_all([*sources, split_folder / "list.csv"], facts))
    assert [len(block.features) for block in blocks] == [4, 2]  # pictures fill blocks together
    for block in blocks:
        for features, file in zip(block.features, block.files or (), strict=True):
            picture = pixels[file.parent.name, int(file.stem)]
            np.testing.assert_array_equal(features[..., 0], picture)


def test_a_folder_of_any_depth_is_all_its_pictures(tmp_path, loaded, folder):
    facts = loaded(folder).facts
    save(tmp_path / "new" / "a" / "b" / "1.png", np.zeros((5, 4), np.uint8))
    save(tmp_path / "new" / "0.png", np.zeros((9, 7), np.uint8))
    (tmp_path / "new" / "readme.txt").write_text("x")
    assert [path.name for path in examples_in([tmp_path / "new"])] == ["0.png", "1.png"]
    (block,) = example_blocks(tmp_path / "new", facts)
    assert block.features.shape == (2, 5, 4, 1)


def test_paths_can_be_given_by_a_program(folder, loaded, pixels):
    facts = loaded(folder).facts
    found = given_features([str(folder / "owl" / "2.png"), folder / "cat"], facts)
    expected = [pixels["owl", 2], *(pixels["cat", i] for i in range(4))]
    np.testing.assert_array_equal(found[..., 0], expected)
    np.testing.assert_array_equal(given_features(folder / "cat", facts), found[1:])
    with pytest.raises(DataError, match="there is no such file"):
        given_features(["gone.png"], facts)


def test_a_model_of_arrays_takes_no_pictures(folder, dataset):
    facts = dataset(np.zeros((2, 5, 4), np.uint8), np.arange(2)).facts
    for read in (
        lambda: list(blocks_of_all([folder / "cat" / "0.png"], facts)),
        lambda: list(example_blocks(folder, facts)),
        lambda: load_examples(folder, facts, labels="required"),
    ):
        with pytest.raises(DataError, match="not trained on pictures"):
            read()


def test_a_model_of_pictures_takes_arrays_of_their_shape(folder, loaded):
    facts = loaded(folder).facts
    given = np.zeros((3, 5, 4, 1), np.uint8)
    np.testing.assert_array_equal(given_features(given, facts), given)


def test_the_number_of_threads_does_not_show(folder, loaded, monkeypatch):
    prints = []
    for threads in (1, 4):
        monkeypatch.setattr(pictures, "num_processors", lambda threads=threads: threads)
        monkeypatch.setenv("BMTRAIN_DATA_CACHE", "0")
        prints.append(loaded(folder).facts.fingerprint)
    assert prints[0] == prints[1]
    assert Path(folder).exists()


def test_a_tables_weights_stay_with_their_pictures(folder, loaded, pixels):
    rows = [f"{name}/{i}.png,{name},{i + 1}" for name, i in pixels]
    (folder / "list.csv").write_text("\n".join(["file,kind,weight", *rows]) + "\n")
    dataset = loaded(folder / "list.csv", label="kind", sample_weight="weight")
    assert dataset.splits["train"].weights.tolist() == [1, 2, 3, 4] * 3
    (folder / "list.csv").unlink()
    with pytest.raises(ConfigError, match="has no weights"):
        loaded(folder, sample_weight="weight")
