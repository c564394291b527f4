"""A classification of texts through every command, from CSV, JSON Lines, a pipe and a program."""

import csv
import io
import json
import random

import numpy as np
import pytest

from bmtrain.errors import DataError

CONFIG = """\
name: reviews
seed: 0
data:
  source: ./reviews.csv
  label: opinion
  text: review
  tokens: {length: 12, vocabulary: 40}
  splits: {validation: 0.2, test: 0.2}
model:
  layers:
    - {type: embedding, output_dim: 8, mask_zero: true}
    - {type: gru, units: 8}
    - {type: dropout, rate: 0.1}
    - {type: dense, units: 2, activation: softmax}
loss: sparse_categorical_crossentropy
metrics: [accuracy]
optimizer: {name: adam, learning_rate: 0.01}
training: {epochs: 4, batch_size: 16, threads: 1, engine: graph}
"""
WORDS = {"good": ("lovely", "great", "fine"), "bad": ("dull", "poor", "boring")}


def reviews(count):
    draw = random.Random(3)
    for _ in range(count):
        opinion = draw.choice(("good", "bad"))
        words = [
            draw.choice(("the", "film", "was", "a", "plot")) for _ in range(draw.randint(2, 9))
        ]
        words.insert(draw.randrange(len(words)), draw.choice(WORDS[opinion]))
        yield f"{' '.join(words).capitalize()}{draw.choice('.!')}", opinion


@pytest.fixture(scope="module")
def texts(make_once):
    return make_once("reviews", _write)


def _write(directory):
    rows = list(reviews(300))
    with (directory / "reviews.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("review", "opinion"), *rows])
    lines = [json.dumps({"opinion": o, "review": r}) for r, o in rows]
    (directory / "reviews.jsonl").write_text("\n".join(lines))
    (directory / "reviews.yaml").write_text(CONFIG)


@pytest.fixture(scope="module")
def run(texts, trained):
    return trained("texts", config=texts / "reviews.yaml")


def test_it_learns_what_tells_the_classes_apart(run):
    assert run.summary["metrics"]["test"]["accuracy"] > 0.95


def test_inputs_are_told_as_tokens_on_the_screen_and_in_the_log(texts, command, tmp_path):
    path = tmp_path / "run"
    ended = command("train", texts / "reviews.yaml", "training.epochs=1", "--run-dir", path)
    assert "; 12 tokens, 2 classes" in " ".join(ended.err.split())
    assert "; 12 tokens, 2 classes" in (path / "log.txt").read_text()


def test_columns_that_the_model_does_not_read_may_be_others(run, texts, command, tmp_path):
    with (texts / "reviews.csv").open() as file:
        rows = [[*row, i] for i, row in enumerate(csv.reader(file))]
    table = tmp_path / "more.csv"
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([[*rows[0][:2], "year"], *rows[1:]])
    predicted = command("predict", run.path, table)
    assert predicted.exit_code == 0, predicted.err
    assert predicted.out == command("predict", run.path, texts / "reviews.csv").out
    evaluated = command("eval", run.path, "--data", table)
    assert evaluated.exit_code == 0, evaluated.err


def test_every_way_in_gives_the_same_predictions(run, texts, command):
    first = command("predict", run.path, texts / "reviews.csv")
    second = command("predict", run.path, texts / "reviews.jsonl")
    assert (first.exit_code, second.exit_code) == (0, 0), first.err + second.err
    assert first.out == second.out
    predicted = [row["predicted"] for row in csv.DictReader(io.StringIO(first.out))]
    with (texts / "reviews.csv").open() as file:
        actual = [row["opinion"] for row in csv.DictReader(file)]
    assert np.mean(np.array(predicted) == np.array(actual)) > 0.95


@pytest.mark.parametrize("name", ["reviews.csv", "reviews.jsonl"])
def test_a_pipe_is_told_by_how_it_begins(run, texts, command, bmtrain, name):
    whole = command("predict", run.path, texts / name).out
    piped = bmtrain("predict", run.path, "-", stdin=(texts / name).read_text())
    assert piped.exit_code == 0, piped.err
    assert piped.out == whole


def test_a_program_gives_texts(run, texts, in_process, command):
    import bmtrain

    with (texts / "reviews.csv").open() as file:
        given = [row["review"] for row in csv.DictReader(file)][:20]
    model = bmtrain.load(run.path)
    predicted = model.predict(given)
    told = command("predict", run.path, texts / "reviews.csv").out
    rows = list(csv.DictReader(io.StringIO(told)))[:20]
    assert predicted.labels == [row["predicted"] for row in rows]
    np.testing.assert_array_equal(model.predict({"review": given}).outputs, predicted.outputs)
    for wrong, words in (
        ("one text", "expected a list of texts, got one text"),
        ([3.5], "got 3.5"),
    ):
        with pytest.raises(DataError, match=words):
            model.predict(wrong)
    with pytest.raises(DataError, match="the text is empty"):
        model.predict(["fine", " "])


def test_json_lines_are_the_same_data(run, texts, train):
    again = train(
        "training.epochs=1",
        f"data.source={texts / 'reviews.jsonl'}",
        config=str(texts / "reviews.yaml"),
    )
    fingerprints = [
        json.loads((one.path / "run.json").read_text())["data"]["fingerprint"]
        for one in (run, again)
    ]
    assert fingerprints[0] == fingerprints[1]


@pytest.mark.long
def test_an_interrupted_training_resumes_exactly(texts, command):
    ended = command(
        "verify-resume", texts / "reviews.yaml", "training.epochs=2", "--kills", 2, "--json"
    )
    assert ended.exit_code == 0, ended.err


def test_arrays_and_empty_texts_are_refused(run, command, tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((3, 12), np.int32))
    ended = command("predict", run.path, tmp_path / "x.npy")
    assert ended.exit_code == 3
    assert "the model takes texts, and these are numbers" in ended.err
    (tmp_path / "e.csv").write_text('review\ngood\n""\n')
    ended = command("predict", run.path, tmp_path / "e.csv")
    assert ended.exit_code == 3
    assert "e.csv, line 3" in ended.err


@pytest.mark.parametrize(
    ("override", "words", "code"),
    [
        ("data.text=nothing", "there is no column 'nothing'", 3),
        ("data.text=opinion", "it is the label", 2),
        ("data.normalize=unit", "the numbers of tokens are names", 2),
        ("data.features=[review]", "that column is the only feature", 2),
        ("data.tokens.level=letter", "one of word, character, byte", 2),
        ("data.tokens.vocabulary=2", "an integer >= 3", 2),
        ("model.layers.0={type: flatten}", "numbers of tokens for quantities", 3),
    ],
)
def test_a_config_that_cannot_be_is_told(texts, command, override, words, code):
    ended = command("check", texts / "reviews.yaml", override)
    assert ended.exit_code == code, ended.err
    assert words in " ".join((ended.out + ended.err).split())


def test_check_tells_of_texts_of_words_that_were_all_cut_off(texts, command):
    ended = command("check", texts / "reviews.yaml", "data.tokens.length=2")
    assert "100.0% of the texts fill all 2 places" in " ".join(ended.out.split())


def test_check_tells_of_vocabulary_length_and_unknown_words(texts, command):
    told = " ".join(command("check", texts / "reviews.yaml").out.split())
    assert "12 tokens, uint16" in told
    assert "the vocabulary has 15 tokens" in told
    cut = " ".join(command("check", texts / "reviews.yaml", "data.tokens.length=4").out.split())
    assert "what is more was cut off at the end" in cut
    few = command("check", texts / "reviews.yaml", "data.tokens.vocabulary=5").out
    assert "a larger data.tokens.vocabulary" in " ".join(few.split())
    long = " ".join(command("check", texts / "reviews.yaml", "data.tokens.length=100").out.split())
    assert "data.tokens.length: 11 holds them all" in long
