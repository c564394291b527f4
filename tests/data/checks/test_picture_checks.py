"""Of pictures it is told what sizes they have, which are odd, and which two splits share."""

import numpy as np
import pytest
from PIL import Image

from bmtrain.data.checks.inspection import inspect_dataset
from bmtrain.data.load import load_dataset


@pytest.fixture
def told(tmp_path, monkeypatch, section, numbers):
    monkeypatch.setenv("BMTRAIN_DATA_CACHE", "0")

    def look(shapes, *, image, split="train", copies=(), colour=False):
        """Two classes of pictures of each of ``shapes`` (height, width)."""
        for name in "ab":
            for i, shape in enumerate(shapes):
                path = tmp_path / "d" / split / name / f"{i:02}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                size = (*shape, 3) if colour else shape
                Image.fromarray(numbers.integers(0, 256, size, np.uint8)).save(path)
        for source, target in copies:
            (tmp_path / "d" / target).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "d" / target).write_bytes((tmp_path / "d" / source).read_bytes())
        dataset = load_dataset(section(tmp_path / "d", image=image), task="classification", seed=0)
        return [(finding.level, finding.message) for finding in inspect_dataset(dataset)]

    return look


def about(findings, word):
    return [(level, message) for level, message in findings if word in message]


def test_pictures_of_the_models_size_give_no_warning_about_pictures(told):
    findings = told([(8, 8)] * 12, image={"size": (8, 8), "channels": 1})
    assert about(findings, "picture") == [("ok", "pictures of 8 × 8 (height × width)")]


def test_the_range_of_sizes_is_told(told):
    findings = told([(9, 9)] * 6 + [(20, 30), (8, 8)], image={"size": (8, 8), "channels": 1})
    expected = "pictures from 8 × 8 to 20 × 30 (height × width), most often 9 × 9"
    assert about(findings, "pictures from") == [("ok", expected)]


@pytest.mark.parametrize(
    ("fit", "word"), [("stretch", "squeezed"), ("crop", "cut off"), ("pad", "in black bars")]
)
def test_a_very_different_shape_is_told_with_a_file_and_what_becomes_of_it(told, fit, word):
    findings = told([(8, 8)] * 11 + [(8, 40)], image={"size": (8, 8), "channels": 1, "fit": fit})
    ((level, message),) = about(findings, "very different shape")
    assert level == "warning"
    assert "2 of 24" in message
    assert word in message
    assert "11.png of 8 × 40" in message


def test_pictures_that_are_smaller_than_the_model_takes_are_told(told):
    assert about(told([(4, 4)] * 3, image={"size": (8, 8), "channels": 1}), "enlarged")


def test_grey_pictures_in_three_channels_are_told_and_coloured_ones_are_not(told):
    assert about(told([(8, 8)] * 3, image={"size": (8, 8)}), "channels: 1")
    assert not about(told([(8, 8)] * 3, image={"size": (8, 8)}, colour=True), "channels: 1")


def test_a_picture_that_two_splits_share_is_told_by_its_files(told):
    image = {"size": (8, 8), "channels": 1}
    copies = [("train/a/03.png", "test/a/x.png"), ("train/b/00.png", "test/b/y.png")]
    findings = told([(8, 8)] * 12, image=image, copies=copies)
    ((level, message),) = about(findings, "test examples")
    assert level == "warning"
    assert "2 of the 2 test examples are in train too" in message
    assert "test/a/x.png of test is" in message
    assert "train/a/03.png of train" in message


def test_classes_with_few_pictures_are_told(told):
    assert about(told([(8, 8)] * 3, image={"size": (8, 8)}), "fewer than 10 training examples")
