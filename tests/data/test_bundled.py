import gzip
import hashlib

import numpy as np
import pytest

from bmtrain.data.bundled import BUNDLED, bundled_directory, is_bundled_name
from bmtrain.data.load import load_dataset
from bmtrain.errors import ConfigError

# As published with the files.
MD5 = {
    "train-images-idx3-ubyte.gz": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte.gz": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte.gz": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte.gz": "27ae3e4e09519cfbb04c329615203637",
}


@pytest.mark.parametrize("name", MD5)
def test_mnist_is_shipped_as_published(name):
    content = gzip.decompress((BUNDLED["mnist"] / name).read_bytes())
    assert hashlib.md5(content).hexdigest() == MD5[name]


def test_every_bundled_set_ships_its_licence_notice():
    for directory in BUNDLED.values():
        assert "licence" in (directory / "README.md").read_text()


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
        bundled_directory("mnits")
    assert caught.value.key == ("data", "source")
    assert "did you mean 'mnist'?" in str(caught.value)
    with pytest.raises(ConfigError, match="did you mean 'mnist'"):
        bundled_directory("MNIST")
    with pytest.raises(ConfigError) as caught:
        bundled_directory("zzz")
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize("name", ["i_ok", "mnits"])
def test_a_path_of_that_name_is_what_was_meant(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).mkdir()
    with pytest.raises(ConfigError) as caught:
        bundled_directory(name)
    assert caught.value.hint == f"{name} is here in the current directory: write ./{name}"


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b"])
def test_a_name_that_no_file_could_have_is_an_unknown_name(name):
    with pytest.raises(ConfigError, match="there is no bundled data set"):
        bundled_directory(name)
