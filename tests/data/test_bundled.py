import csv
import gzip
import hashlib
import re
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import bmtrain.data.bundled
from bmtrain.data.bundled import BUNDLED, bundled_set, is_bundled_name
from bmtrain.data.load import load_dataset
from bmtrain.errors import ConfigError, DataError

DATA = Path(bmtrain.data.bundled.__file__).parent / "bundled"
TABLES = [name for name, bundled in BUNDLED.items() if bundled.format == "csv"]

# As published with the files.
MD5 = {
    "train-images-idx3-ubyte.gz": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte.gz": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte.gz": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte.gz": "27ae3e4e09519cfbb04c329615203637",
}


@pytest.mark.parametrize("name", MD5)
def test_mnist_is_shipped_as_published(name):
    content = gzip.decompress((BUNDLED["mnist"].path / name).read_bytes())
    assert hashlib.md5(content).hexdigest() == MD5[name]


def test_every_file_of_data_is_the_one_that_was_made():
    lines = (DATA / "SHA256SUMS").read_text().splitlines()
    made = {name: digest for digest, name in (line.split("  ") for line in lines)}
    there = {
        str(path.relative_to(DATA)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in DATA.glob("*/*")
        if path.is_file() and path.name != "README.md"
    }
    assert there == made


def test_every_directory_of_data_is_a_bundled_set():
    assert {path.name for path in DATA.iterdir() if path.is_dir()} == set(BUNDLED)
    for name, bundled in BUNDLED.items():
        assert bundled.path in {DATA / name / part for part in ("", f"{name}.csv", "pictures")}


@pytest.mark.parametrize("name", BUNDLED)
def test_every_bundled_set_ships_its_licence_notice(name):
    notice = (DATA / name / "README.md").read_text()
    assert re.search(r"(?i)licence\b.*" + re.escape(BUNDLED[name].licence), notice)
    assert re.search(r"doi:|Copyright|U\.S\.C\.", notice)


def test_mnist_and_the_tables_together_are_small():
    tables = [bundled.path for bundled in BUNDLED.values() if bundled.format == "csv"]
    assert sum(len(zlib.compress(path.read_bytes())) for path in tables) < 1_000_000


def rows_of(name):
    with BUNDLED[name].path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_what_its_entry_and_its_notice_say(name):
    bundled, rows = BUNDLED[name], rows_of(name)
    notice = (DATA / name / "README.md").read_text()
    assert len(rows) == bundled.num_examples
    assert f"{len(rows):,}" in notice
    assert len(rows[0]) > 1
    assert all(len(row) == len(rows[0]) and None not in row.values() for row in rows)
    assert re.search(rf"{bundled.label}.*the label", notice)
    if bundled.task == "classification":
        for value, count in Counter(row[bundled.label] for row in rows).items():
            assert re.search(rf"[ ,]{re.escape(value)} (\([^)]+\) )?{count:,}[,:]", notice), value
    else:
        assert all(float(row[bundled.label]) >= 0 for row in rows)


def test_the_tables_hold_what_they_are_bundled_for():
    penguins = rows_of("penguins")
    assert {row["island"] for row in penguins} == {"Biscoe", "Dream", "Torgersen"}
    assert sum("" in row.values() for row in penguins) == 11
    assert not {"casual", "registered"} & rows_of("bikeshare")[0].keys()
    sequences = [row["sequence"] for row in rows_of("splice")]
    assert {len(sequence) for sequence in sequences} == {60}
    assert set("".join(sequences)) == set("ACGTDNRS")
    assert len(set(sequences)) == len(sequences)
    # A donor site is GT after the 30th letter, an acceptor site AG before it; nearly always.
    donors = [row["sequence"] for row in rows_of("splice") if row["junction"] == "EI"]
    assert sum(sequence[30:32] == "GT" for sequence in donors) > 0.98 * len(donors)
    texts = [row["text"] for row in rows_of("speeches")]
    assert len(set(texts)) == len(texts)
    assert min(len(text.split()) for text in texts) >= 50
    genes = [float(value) for row in rows_of("pbmc") for value in list(row.values())[:-1]]
    assert len(genes) == 700 * 291
    assert min(genes) == 0 < max(genes) < 10


def test_a_bundled_table_knows_its_label(section):
    dataset = load_dataset(
        section("bikeshare", features=("temp", "hum")), task="regression", seed=0
    )
    assert dataset.facts.label_name == "bikers"
    assert dataset.facts.feature_names == ("temp", "hum")
    other = section("bikeshare", label="windspeed", features=("temp",))
    assert load_dataset(other, task="regression", seed=0).facts.label_name == "windspeed"


def test_gene_expression_needs_no_further_words(section):
    dataset = load_dataset(section("pbmc"), task="classification", seed=0)
    assert dataset.splits["train"].features.shape == (700, 291)
    assert dataset.facts.class_names is not None
    assert len(dataset.facts.class_names) == 10


def test_a_format_that_is_said_is_the_one_that_is_tried(section):
    with pytest.raises(DataError):
        load_dataset(section("pbmc", format="npz"), task="classification", seed=0)
    load_dataset(section("pbmc", format="csv"), task="classification", seed=0)


def test_mnist_has_70000_digits_and_ten_classes(section):
    dataset = load_dataset(section("mnist"), task="classification", seed=0)
    train, test = dataset.splits["train"], dataset.splits["test"]
    assert train.features.shape == (60_000, 28, 28)
    assert test.features.shape == (10_000, 28, 28)
    assert train.features.dtype == np.uint8
    assert train.labels.dtype == np.int32
    # The first labels, as every tutorial shows them.
    assert train.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert np.bincount(test.labels)[:2].tolist() == [980, 1135]
    assert dataset.facts.class_names == tuple("0123456789")
    assert dataset.facts.num_outputs == 10
    assert dataset.facts.input_shape == (28, 28)
    assert dataset.facts.feature_names is None
    assert list(dataset.splits) == ["train", "test"]


def test_a_bare_word_is_a_name_and_all_else_a_path():
    assert is_bundled_name("mnist")
    assert not any(map(is_bundled_name, ["./mnist", "mnist.csv", "a/b", "a\\b"]))


def test_an_unknown_name_is_a_config_error_with_the_nearest_name():
    with pytest.raises(ConfigError, match="no bundled data set 'mnits'") as caught:
        bundled_set("mnits")
    assert caught.value.key == ("data", "source")
    assert "did you mean 'mnist'?" in str(caught.value)
    with pytest.raises(ConfigError, match="did you mean 'mnist'"):
        bundled_set("MNIST")
    with pytest.raises(ConfigError) as caught:
        bundled_set("zzz")
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize("name", ["i_ok", "mnits"])
def test_a_path_of_that_name_is_what_was_meant(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).mkdir()
    with pytest.raises(ConfigError) as caught:
        bundled_set(name)
    assert caught.value.hint == f"{name} is here in the current directory: write ./{name}"


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b"])
def test_a_name_that_no_file_could_have_is_an_unknown_name(name):
    with pytest.raises(ConfigError, match="there is no bundled data set"):
        bundled_set(name)


def test_the_digits_are_pictures_of_mnists_pixel_by_pixel(section, monkeypatch):
    monkeypatch.setenv("BMTRAIN_DATA_CACHE", "0")
    image = {"size": (28, 28), "channels": 1}
    digits = load_dataset(section("digits", image=image), task="classification", seed=0)
    mnist = load_dataset(section("mnist"), task="classification", seed=0)
    assert sum(split.num_examples for split in digits.splits.values()) == 1000
    for name, split in digits.splits.items():
        assert np.bincount(split.labels).tolist() == [split.num_examples // 10] * 10
        published = mnist.splits[name]
        numbers = [int(file.stem) for file in split.files or ()]
        np.testing.assert_array_equal(
            split.features[:][..., 0], published.features[np.array(numbers)]
        )
        np.testing.assert_array_equal(split.labels, published.labels[numbers])


def test_the_addresses_of_bundled_sets_are_those_of_their_notices():
    for bundled in BUNDLED.values():
        folders = (bundled.path, *bundled.path.parents)
        notice = next(folder for folder in folders if (folder / "README.md").is_file())
        of_registry = re.sub("https://(doi.org|www.npmjs.com/package)/", "", bundled.url)
        if of_registry != bundled.url:
            assert of_registry in (notice / "README.md").read_text()
