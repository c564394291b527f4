"""``bmtrain init --data`` of a table that names pictures: read as pictures, if they are there."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml
from PIL import Image

from bmtrain.errors import DataError
from bmtrain.workflows.check import CheckRequest, check
from bmtrain.workflows.init import InitRequest, init

NAMES = [f"seen/{kind}/{i:02}.JPG" for i in range(20) for kind in ("day", "night")]


@pytest.fixture(autouse=True)
def photos(tmp_path, monkeypatch, random):
    """40 pictures of 6 × 9, and a table that names them and says which are bright."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in NAMES:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 100, (6, 9, 3), np.uint8) + 150 * ("day" in name)
        Image.fromarray(pixels.astype(np.uint8)).save(name)
    kinds = [name.split("/")[1] for name in NAMES]
    return pl.DataFrame({"photo": NAMES, "kind": kinds})


def started(**request):
    document = init(InitRequest(output=Path("config.yaml"), force=True, **request))
    return document, yaml.safe_load(Path("config.yaml").read_text())["data"]


@pytest.mark.parametrize(
    ("file", "write"),
    [("a.csv", "write_csv"), ("a.parquet", "write_parquet"), ("a.jsonl", "write_ndjson")],
)
def test_a_table_of_pictures_gets_a_config_that_reads_them(photos, file, write):
    getattr(photos, write)(file)
    document, data = started(data=Path(file))
    assert data["label"] == "kind"
    assert data["image"] == {"size": [6, 9], "channels": 3, "column": "photo"}
    assert document["data"]["input_shape"] == [6, 9, 3]
    assert document["data"]["left_out"] == []
    sections = check(CheckRequest(config=Path("config.yaml")))
    findings = [finding for section in sections for finding in section.findings]
    assert [finding.message for finding in findings if finding.level != "ok"] == []


def test_other_columns_beside_pictures_are_named_as_left_out(photos):
    photos.insert_column(0, pl.Series("width", range(40))).write_csv("a.csv")
    document, data = started(data=Path("a.csv"))
    assert data["image"]["column"] == "photo"
    (left,) = document["data"]["left_out"]
    assert (left["name"], left["reason"]) == ("width", "the pictures are the only input")
    assert "without 'width'" in " ".join(Path("config.yaml").read_text().replace("#", "").split())


def test_a_number_for_each_picture_is_a_regression(photos):
    photos.with_columns(kind=pl.int_range(40) * 0.37).write_csv("a.csv")
    document, data = started(data=Path("a.csv"))
    assert (document["data"]["task"], data["image"]["column"]) == ("regression", "photo")


def test_names_of_pictures_that_are_elsewhere_are_texts_like_others(photos, random):
    photos = photos.with_columns(photo="gone/" + pl.col("photo"), size=random.random(40))
    photos.write_csv("a.csv")
    document, data = started(data=Path("a.csv"), label="kind")
    assert "image" not in data
    assert data["features"] == ["size"]
    assert [left["name"] for left in document["data"]["left_out"]] == ["photo"]


def test_a_picture_that_is_not_there_is_told_with_its_line(photos):
    rows = photos.with_columns(photo=pl.col("photo").replace(NAMES[4], "seen/none.jpg"))
    rows.write_csv("a.csv")
    with pytest.raises(DataError) as caught:
        started(data=Path("a.csv"))
    assert str(caught.value.where).startswith("a.csv, line 6: seen/none.jpg")


def test_paths_that_lead_out_of_the_table_s_directory_are_not_looked_into(photos, tmp_path):
    (tmp_path / "lists").mkdir()
    photos.with_columns(photo="../" + pl.col("photo")).write_csv("lists/a.csv")
    with pytest.raises(DataError, match="leads out of"):
        started(data=Path("lists/a.csv"))


def test_the_column_of_pictures_can_be_named_as_the_label_for_what_it_is_worth(photos, random):
    photos.with_columns(size=random.random(40)).write_csv("a.csv")
    document, data = started(data=Path("a.csv"), label="photo")
    assert (data["label"], len(document["data"]["classes"])) == ("photo", 40)
    assert "image" not in data
