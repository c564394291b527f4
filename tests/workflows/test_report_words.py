"""What a report says in sentences: each follows from the run's record and its predictions."""

import html
import json
import math
import re

import numpy as np
import pytest

from tests.report_tables import Tables
from tests.small_runs import give_classes, log_epochs, make_run

TABLE = """\
name: flowers
data: {source: ./flowers.csv, label: kind, splits: {validation: 0.1, test: 0.2}}
model: {layers: [{type: dense, units: 3, activation: softmax}]}
loss: sparse_categorical_crossentropy
metrics: [accuracy]
optimizer: {name: sgd, learning_rate: 0.01}
training: {epochs: 9, early_stopping: {patience: 2}}
"""


@pytest.fixture
def page(command, tmp_path):
    """(runs …) -> the report's text, spaces plain."""

    def write(*runs):
        output = tmp_path / "page.html"
        ended = command("report", *runs, "-o", output, "--force", "--no-examples")
        assert ended.exit_code == 0, ended.err
        return html.unescape(output.read_text().replace("<wbr>", "")).replace("\u00a0", " ")

    return write


def summed(run, **changed):
    """The run's summary with other entries."""
    path = run / "summary.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))


def test_an_expectation_inside_the_interval_is_met_without_a_tick(page, tmp_path):
    """55 of 60 right: Wilson's interval is 0.819 to 0.964, https://epitools.ausvet.com.au."""
    run = make_run(tmp_path / "run", "expect=['test.accuracy >= 0.9', 'test.accuracy >= 0.8']")
    labels = np.arange(60) % 10
    give_classes(run, labels, np.where(np.arange(60) < 5, (labels + 1) % 10, labels))
    value = 55 / 60
    texts = ["test.accuracy >= 0.9", "test.accuracy >= 0.8"]
    summed(run, expectations=[{"text": text, "value": value, "met": True} for text in texts])
    text = page(run)
    assert (
        '"words missing">The config expects a test accuracy of at least 90.0 %: met with 91.7 %, '
        "but the 95 % interval, 81.9 to 96.4 %, reaches across the bound" in text
    )
    assert '"words good">The config expects a test accuracy of at least 80.0 %: met' in text


@pytest.mark.parametrize(
    ("predicted", "said"),
    [
        ([1, 0, 0, 1, 1, 1, 2, 2, 2], "Its one mistake is to take “a” for “b”."),
        ([1, 1, 0, 1, 1, 1, 0, 2, 2], "to take “a” for “b”: 2 of 3 mistakes."),
        ([1, 0, 0, 0, 1, 1, 2, 2, 2], "Its 2 mistakes are of 2 kinds: it confuses"),
        (
            [1, 1, 0, 0, 0, 1, 2, 2, 1],
            "mistakes, 2 times each of 5, are to take “a” for “b”, “b” for “a”.",
        ),
    ],
)
def test_the_most_frequent_mistakes_are_all_named(page, tmp_path, predicted, said):
    run = make_run(tmp_path / "run", data={"class_names": ["a", "b", "c"]})
    give_classes(run, np.repeat([0, 1, 2], 3), predicted, num_classes=3)
    assert said in page(run)


def test_classes_of_one_recall_are_all_the_worst(page, tmp_path):
    run = make_run(tmp_path / "run", data={"class_names": ["a", "b", "c"]})
    give_classes(run, np.repeat([0, 1, 2], 4), [0, 0, 0, 1, 1, 1, 1, 0, 2, 2, 2, 2], num_classes=3)
    assert "It finds “a”, “b” least often: 75.0 % of each." in page(run)


def test_digits_are_0_to_9_and_a_guess_by_shares_has_the_loss_ln_10(page, tmp_path):
    names = list(map(str, range(10)))
    metrics = {"test": {"loss": 0.2, "accuracy": 1.0}}
    run = make_run(tmp_path / "run", data={"class_names": names}, metrics=metrics)
    give_classes(run, np.arange(20) % 10, np.arange(20) % 10)
    text = page(run)
    assert "to tell 10 classes apart: 0 to 9." in text
    assert f"guessing by the classes' shares: {math.log(10):.4f}" in text


@pytest.mark.parametrize("group", [None, "plant"])
def test_how_the_splits_were_drawn_is_said_and_what_follows(page, tmp_path, group):
    given = [] if group is None else [f"data.splits.group={group}"]
    run = make_run(
        tmp_path / "run",
        *given,
        config=TABLE,
        data={"class_names": ["a", "b", "c"]},
    )
    give_classes(run, [0, 1, 2], [0, 1, 2], num_classes=3)
    text = page(run)
    how = "stratified by class" if group is None else "whole groups of one plant"
    assert f"drawn at random with the seed 0, {how}: test 20.0 %, then validation 10.0 %" in text
    assert ("no group was named" in text) is (group is None)


def test_early_stopping_says_when_and_why_and_by_what_the_epoch_was_chosen(page, tmp_path):
    run = make_run(tmp_path / "run", config=TABLE)
    best = {"which": "best", "epoch": 4, "monitor": "validation.loss"}
    summed(run, epochs_completed=6, evaluated=best)
    log_epochs(run, 6)
    text = page(run)
    assert (
        "Early stopping ended it after epoch 6 of at most 9: the validation loss had not improved "
        "for 2 epochs. All figures are of epoch 4, in which the validation loss was least." in text
    )


def test_what_is_empty_is_neither_on_the_page_nor_in_its_contents(page, tmp_path):
    contents = re.findall(r'<li><a href="#part-1-(\w+)"', page(make_run(tmp_path / "run")))
    assert "limits" in contents
    assert not {"weights", "explained"} & set(contents)


@pytest.fixture
def pair(tmp_path):
    """Two runs on one test set of 40: 30 right in both, 6 only in A, 1 only in B, 3 in neither."""
    labels = np.repeat([0, 1], 20)
    wrong = {"one": [30, 31, 32, 39], "two": [0, 1, 2, 3, 4, 5, 30, 31, 32]}
    runs = []
    for name, rows in wrong.items():
        run = make_run(tmp_path / name, data={"class_names": ["a", "b"], "fingerprint": "cd" * 32})
        said = labels.copy()
        said[rows] = 1 - said[rows]
        give_classes(run, labels, said, num_classes=2)
        log_epochs(run, 3)
        runs.append(run)
    return runs


def test_the_counts_of_mcnemars_test_are_those_of_the_examples(page, pair):
    text = page(*pair)
    assert (
        "Of 40 test examples 30 are right in both, 6 only in A, 1 only in B, 3 in neither." in text
    )
    found = Tables(text).found
    assert [row[0] for row in found["Test examples that only one of them has right"][1:]] == [
        *map(str, range(6)),
        "39",
    ]
    assert found["Recall of each class"][1:] == [
        ["a", "20", "100.0 %", "70.0 %"],
        ["b", "20", "80.0 %", "85.0 %"],
    ]


def test_what_several_runs_share_is_told_once(page, pair):
    text = page(*pair)
    assert text.count("What it was trained and tested on</caption>") == 1
    assert "Not repeated, as the first run has the same: model, data, environment." in text
    assert text.count("A, B: There is no validation split") == 1
    assert "A: There is no validation split" not in text.replace("A, B: ", "")
    contents = re.findall(r'href="#part-(\d)-(\w+)"', text)
    assert {("2", "data"), ("3", "mistakes"), ("1", "answers")} <= set(contents)
    assert ("3", "data") not in contents


def test_a_run_that_still_improved_is_named_before_all_else(page, pair):
    epochs = [
        {"epoch": epoch, "train": {"loss": 3 - 0.1 * epoch}, "time": {"epoch_s": 0.1}}
        for epoch in range(1, 21)
    ]
    (pair[1] / "metrics.jsonl").write_text("\n".join(map(json.dumps, epochs)) + "\n")
    text = page(*pair)
    assert "B was still improving when the training ended" in text.partition("<nav")[0]


def test_the_page_alone_is_enough_to_train_again(page, tmp_path):
    run = make_run(
        tmp_path / "run",
        command=["/home/a/.venv/bin/bmtrain", "train", "/home/a/mine.yaml", "seed=1"],
    )
    text = page(run).partition("How to reproduce it</h2>")[2]
    assert "pip install ." in text
    assert (run / "config.yaml").read_text() in text
    assert '<pre tabindex="0">bmtrain train config.yaml</pre>' in text
    assert "bmtrain train mine.yaml seed=1" in text
    assert "/home/a" not in text
