"""``bmtrain init --data`` of a table whose texts are what there is to learn from."""

import csv
import random
import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from bmtrain.data.bundled import BUNDLED
from bmtrain.errors import DataError
from bmtrain.workflows.check import CheckRequest, check
from bmtrain.workflows.init import InitRequest, init

DRAW = random.Random(7)
WORDS = ("the", "film", "was", "a", "plot", "of", "no", "great", "dull", "length")


def words(count):
    return " ".join(DRAW.choice(WORDS) for _ in range(count))


def letters(count, alphabet="ACGT"):
    return "".join(DRAW.choice(alphabet) for _ in range(count))


@pytest.fixture
def start(tmp_path, monkeypatch):
    """(header, row of a number, number of rows) -> (the config written, its text, what check finds)."""
    monkeypatch.chdir(tmp_path)

    def run(header, row, count=60):
        with Path("mine.csv").open("w", newline="") as file:
            csv.writer(file).writerows([header.split(","), *(row(i) for i in range(count))])
        return started("mine.csv")

    return run


def started(data):
    init(InitRequest(data=Path(data), output=Path("config.yaml")))
    text = Path("config.yaml").read_text()
    sections = check(CheckRequest(config=Path("config.yaml")))
    findings = [finding for section in sections for finding in section.findings]
    return yaml.safe_load(text), text, [found for found in findings if found.level != "ok"]


def test_texts_of_many_words_are_read_word_by_word_without_the_other_columns(start):
    lengths = [8 + i % 13 for i in range(60)]
    config, text, doubts = start("review,stars,y", lambda i: (words(lengths[i]), i % 7, i % 2))
    assert config["data"]["text"] == "review"
    assert config["data"]["tokens"] == {"level": "word", "length": max(lengths)}
    assert "features" not in config["data"]
    assert re.search(r"# .*without 'stars'", text)
    embedding, pooling, *_, output = config["model"]["layers"]
    assert embedding["mask_zero"] is True
    assert pooling == {"type": "global_average_pooling1d"}
    assert output == {"type": "dense", "units": 2, "activation": "softmax"}
    assert not doubts


def test_a_text_far_longer_than_the_others_loses_its_end(start):
    config, text, doubts = start("t,y", lambda i: (words(300 if i == 5 else 10 + i % 5), i % 2))
    assert config["data"]["tokens"]["length"] == 15
    assert "300 at most; 1.7% of them lose their end" in text
    assert not doubts


def test_sequences_of_one_length_are_read_character_by_character(start):
    config, text, doubts = start("dna,y", lambda i: (letters(25), i % 3))
    assert config["data"]["tokens"] == {"level": "character", "length": 25}
    types = [layer["type"] for layer in config["model"]["layers"]]
    assert types == ["embedding", "conv1d", "dropout", "flatten", "dense", "dropout", "dense"]
    assert "Each text has 25 characters" in text
    assert not doubts


def test_sequences_of_several_lengths_have_a_recurrent_layer_with_a_mask(start):
    alphabet = "ACDEFGHIKLMNPQRSTVWY"
    config, _, doubts = start("protein,y", lambda i: (letters(30 + i % 9, alphabet), i % 2))
    assert config["data"]["tokens"] == {"level": "character", "length": 38}
    embedding, recurrent, *_ = config["model"]["layers"]
    assert embedding["mask_zero"] is True
    assert recurrent["type"] == "bidirectional"
    assert not doubts


def test_texts_with_targets_that_are_numbers_are_a_regression(start):
    config, _, doubts = start("t,price", lambda i: (words(8 + i % 11), f"{i * 0.37:.2f}"))
    assert config["data"]["text"] == "t"
    assert config["model"]["layers"][-1] == {"type": "dense", "units": 1}
    assert config["loss"] == "mse"
    assert not doubts


def test_texts_of_a_script_without_spaces_are_read_character_by_character(start):
    config, _, doubts = start(
        "text,y", lambda i: (f"{letters(20 + i % 9, '我你他看书电影好')}。", i % 2)
    )
    assert config["data"]["tokens"] == {"level": "character", "length": 29}
    assert not doubts


def test_of_several_texts_the_longest_is_read_and_the_others_are_named(start):
    config, text, _ = start("title,body,note,y", lambda i: (words(9), words(20), words(8), i % 2))
    assert config["data"]["text"] == "body"
    assert re.search(r"# .*without 'title' and 'note'|# .*without 'title', 'note'", text)


def test_few_words_are_texts_where_there_is_nothing_else(start):
    config, _, _ = start("title,y", lambda i: (f"{words(3)} {i}", i % 2))
    assert config["data"]["text"] == "title"


@pytest.mark.parametrize(
    "text",
    [
        lambda i: f"Mr {words(3)} {i}",
        lambda i: letters(12),
        lambda i: f"{i:032x}",
        lambda i: f"someone-{i}-{letters(20)}@example.org",
        lambda i: f"/a/b/c/d/e/f/g/h/i/j/{letters(9)}/{i}.png",
        lambda i: ("the film was a plot of no great length", "no, it was not a film at all")[i % 2],
        lambda i: "" if i == 9 else words(12),
    ],
    ids=["names", "codes", "checksums", "addresses", "paths", "texts that repeat", "missing texts"],
)
def test_beside_other_features_what_is_no_obvious_text_is_none(start, text):
    config, _, _ = start("a,t,y", lambda i: (f"{i * 1.7 % 5:.2f}", text(i), i % 2))
    assert "text" not in config["data"]


def test_a_remark_beside_many_numbers_is_left_out(start):
    header = ",".join([*(f"n{i}" for i in range(30)), "remark,y"])
    config, _, _ = start(header, lambda i: (*np.sin(np.arange(30) + i), words(12), i % 2))
    assert "text" not in config["data"]
    assert len(config["data"]["features"]) == 30


@pytest.mark.long
@pytest.mark.parametrize(("name", "least"), [("speeches", 0.78), ("splice", 0.93)])
def test_what_is_written_for_a_bundled_set_trains_to_what_its_recipe_expects(
    bmtrain, tmp_path, name, least
):
    data = BUNDLED[name].path
    assert bmtrain("init", "--data", data, directory=tmp_path).exit_code == 0
    checked = bmtrain("check", "config.yaml", directory=tmp_path)
    assert checked.exit_code == 0
    assert "0 warnings" in checked.out
    trained = bmtrain("train", "config.yaml", "--json", directory=tmp_path)
    assert trained.exit_code == 0, trained.err
    assert trained.document["metrics"]["test"]["accuracy"] >= least


def test_a_missing_text_is_told_without_a_setting_that_texts_do_not_have(start):
    with pytest.raises(DataError, match="column 'review': the cell is empty") as caught:
        start("review,y", lambda i: ("" if i == 3 else words(12), i % 2))
    assert caught.value.hint == "fill it in or remove the row"
