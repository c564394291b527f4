"""Predictions as CSV, JSON lines and NPZ."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bmtrain.cli.rendering.prediction_files import _write_csv
from bmtrain.cli.rendering.prediction_forms import Form

CSV = """\
example,predicted,probability,probability_setosa,"probability_versi,color",probability_größe
0,"versi,color",0.7,0.1,0.7,0.2
1,setosa,0.9,0.9,0.05,0.05
"""


@dataclass
class Predictions:
    """A stream of one block, or of several in files."""

    outputs: np.ndarray
    predicted: np.ndarray
    class_names: tuple[str, ...] | None
    label_name: str | None = None
    skipped: tuple[str, ...] = ()
    sizes: dict[str, int] = field(default_factory=dict)  # file -> examples
    files: tuple[Path, ...] | None = None
    tells_files: bool = False
    unseen: dict[str, int] = field(default_factory=dict)

    @property
    def num_outputs(self) -> int:
        return int(self.outputs.shape[1])

    @property
    def sources(self) -> tuple[Path, ...]:
        return tuple(map(Path, self.sizes or ("in.npy",)))

    @property
    def blocks(self) -> Iterator[tuple[Path, Any]]:
        start = 0
        for name, size in (self.sizes or {"in.npy": len(self.outputs)}).items():
            rows = slice(start, start + size)
            yield Path(name), Predictions(self.outputs[rows], self.predicted[rows], None)
            start += size


def written(predictions, top=None):
    file = io.StringIO()
    _write_csv(Form.of(predictions, top).table(predictions), file)
    return list(csv.reader(file.getvalue().splitlines()))


def records(predictions, top=None):
    return list(Form.of(predictions, top).records(predictions))


def test_without_an_output_csv_goes_to_stdout(bmtrain, requests, fake):
    ended = bmtrain("predict", "run", "in.npy", "--format", "npy")
    assert ended.out == CSV
    assert requests[0] == [
        fake.PredictRequest(fake.Path("run"), (fake.Path("in.npy"),), "npy", None, False)
    ]
    assert bmtrain("predict", "run", "in.npy", "-o", "-").out == CSV


def test_a_csv_file_is_what_stdout_would_be(bmtrain, tmp_path):
    ended = bmtrain("predict", "run", "in.npy", "-o", "out.csv")
    assert (ended.out, ended.err) == ("", "predicting…\n2 predictions in out.csv\n")
    assert (tmp_path / "out.csv").read_text(encoding="utf-8") == CSV


@pytest.mark.parametrize("arguments", [[], ["--quiet"], ["--json"]])
def test_a_checkpoint_that_was_passed_over_is_a_warning_on_stderr(bmtrain, arguments):
    ended = bmtrain("predict", "run", "in.npy", *arguments, scenario="skipped")
    before = "" if arguments else "predicting…\n"
    assert ended.err == f"{before}warning: step-00009375 is damaged\n"
    if "--json" in arguments:
        assert json.loads(ended.out)["skipped"] == ["step-00009375 is damaged"]


def test_json_lines_have_a_record_per_example(bmtrain, tmp_path):
    bmtrain("predict", "run", "in.npy", "-o", "out.jsonl")
    lines = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[1]) == {
        "example": 1,
        "predicted": "setosa",
        "probability": 0.9,
        "probabilities": {"setosa": 0.9, "versi,color": 0.05, "größe": 0.05},
    }


def test_npz_holds_the_exact_figures(bmtrain, tmp_path):
    bmtrain("predict", "run", "in.npy", "-o", "out.NPZ")
    with np.load(tmp_path / "out.NPZ", allow_pickle=False) as arrays:
        assert arrays["outputs"].dtype == np.float32
        assert arrays["outputs"][0].tolist() == np.array([0.1, 0.7, 0.2], np.float32).tolist()
        assert arrays["predicted"].tolist() == [1, 0]
        assert arrays["class_names"].tolist() == ["setosa", "versi,color", "größe"]


def test_npz_of_a_regression_holds_outputs_alone(bmtrain, tmp_path):
    bmtrain("predict", "run", "in.npy", "-o", "out.npz", scenario="regression")
    with np.load(tmp_path / "out.npz", allow_pickle=False) as arrays:
        assert arrays.files == ["outputs"]


def test_json_without_a_file_holds_the_predictions(bmtrain):
    document = json.loads(bmtrain("predict", "run", "in.npy", "--json").out)
    assert document["examples"] == 2
    assert [record["predicted"] for record in document["predictions"]] == ["versi,color", "setosa"]


def test_json_with_a_file_names_it(bmtrain, tmp_path):
    ended = bmtrain("predict", "run", "in.npy", "-o", "out.csv", "--json")
    document = json.loads(ended.out)
    assert document["output"] == "out.csv"
    assert "predictions" not in document
    assert (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("out.txt", "expected a name that ends in .csv, .jsonl or .npz, got 'out.txt'"),
        ("there.csv", "'there.csv' is a directory"),
        ("nowhere/out.csv", "there is no directory 'nowhere'"),
        ("in.csv", "'in.csv' is the input; choose another name"),
    ],
)
def test_a_wrong_output_is_told_before_anything_is_read(bmtrain, requests, tmp_path, output, words):
    (tmp_path / "there.csv").mkdir()
    (tmp_path / "in.csv").write_text("x\n1\n")
    ended = bmtrain("predict", "run", "in.csv", "-o", output)
    assert ended.exit_code == 2
    assert words in ended.err
    assert requests == [[]]
    assert (tmp_path / "in.csv").read_text() == "x\n1\n"


def test_an_output_that_cannot_be_written_leaves_the_old_one(bmtrain, tmp_path, monkeypatch):
    import os

    (tmp_path / "out.csv").write_text("old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    ended = bmtrain("predict", "run", "in.npy", "-o", "out.csv")
    assert ended.exit_code == 6
    assert "out.csv" in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]
    assert (tmp_path / "out.csv").read_text() == "old"


def test_one_output_is_the_probability_of_the_second_class():
    predictions = Predictions(
        np.array([[0.75], [0.25]], np.float32), np.array([1, 0]), ("no", "yes")
    )
    assert written(predictions) == [
        ["example", "predicted", "probability", "probability_no", "probability_yes"],
        ["0", "yes", "0.75", "0.25", "0.75"],
        ["1", "no", "0.75", "0.75", "0.25"],
    ]


def test_regression_outputs_are_numbered_where_there_are_several():
    one = Predictions(np.array([[1.5], [np.nan]], np.float32), np.array([1.5, 0]), None)
    assert written(one) == [["example", "output"], ["0", "1.5"], ["1", "nan"]]
    assert records(one) == [
        {"example": 0, "output": 1.5},
        {"example": 1, "output": None},
    ]
    two = Predictions(np.array([[1.5, -np.inf]], np.float32), np.array([1.5]), None)
    assert written(two)[0] == ["example", "output_0", "output_1"]
    assert records(two) == [{"example": 0, "output_0": 1.5, "output_1": None}]


def test_the_column_that_is_predicted_has_its_name():
    one = Predictions(np.array([[1.5]], np.float32), np.array([1.5]), None, "price")
    assert written(one) == [["example", "price"], ["0", "1.5"]]
    assert records(one) == [{"example": 0, "price": 1.5}]


@pytest.mark.parametrize("label_name", [None, "", "example"])
def test_two_columns_never_have_one_name(label_name):
    one = Predictions(np.array([[1.5]], np.float32), np.array([1.5]), None, label_name)
    assert written(one)[0] == ["example", "output"]


@given(
    hnp.arrays(np.float32, st.tuples(st.integers(1, 20), st.just(2)), elements=st.floats(width=32))
)
def test_written_figures_read_back_as_the_same_float32(outputs):
    rows = written(Predictions(outputs, np.zeros(len(outputs)), None))[1:]
    read = np.array([row[1:] for row in rows]).astype(np.float32)
    np.testing.assert_array_equal(read, outputs)


def test_more_examples_than_a_block_stay_in_order():
    outputs = np.arange(10_000, dtype=np.float32)[:, None]
    rows = written(Predictions(outputs, outputs[:, 0], None))[1:]
    assert [float(row[1]) for row in rows] == list(range(10_000))


def test_a_choice_beyond_the_classes_is_named_by_its_output():
    predictions = Predictions(np.array([[0.2, 0.1]], np.float32), np.array([2]), ("no", "yes"))
    assert written(predictions)[1] == ["0", "output 2", "", "0.2", "0.1"]
    assert records(predictions)[0]["predicted"] == "output 2"
    assert records(predictions)[0]["probability"] is None


NAMES = ("a", "b", "c")


def test_the_likeliest_classes_come_in_their_order_the_predicted_one_first():
    outputs = np.array([[0.25, 0.5, 0.25], [0.1, 0.2, 0.7]], np.float32)
    predictions = Predictions(outputs, outputs.argmax(axis=1), NAMES)
    assert written(predictions, top=2) == [
        ["example", "predicted", "probability", "predicted_2", "probability_2"],
        ["0", "b", "0.5", "a", "0.25"],
        ["1", "c", "0.7", "b", "0.2"],
    ]
    assert records(predictions, top=2)[1] == {
        "example": 1,
        "predicted": "c",
        "probability": 0.7,
        "top": [{"class": "c", "probability": 0.7}, {"class": "b", "probability": 0.2}],
    }
    assert len(written(predictions, top=9)[1]) == 1 + 2 * 3


def test_of_several_files_each_example_says_its_own_and_is_numbered_within_it():
    outputs = np.eye(3, dtype=np.float32)
    predictions = Predictions(
        outputs, outputs.argmax(axis=1), NAMES, sizes={"one.csv": 2, "two.csv": 1}
    )
    assert [row[:3] for row in written(predictions)] == [
        ["file", "example", "predicted"],
        ["one.csv", "0", "a"],
        ["one.csv", "1", "b"],
        ["two.csv", "0", "c"],
    ]
    assert records(predictions)[2]["file"] == "two.csv"


def test_a_terminal_shows_no_progress_before_the_first_prediction(terminal):
    shown = terminal("done", "predict", "run", "x.csv").out
    assert "\r\x1b[2Kpredicting…\r\x1b[2Kexample,predicted," in shown
