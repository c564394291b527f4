"""``import bmtrain``: what a program gets is what the commands give."""

import csv
import json
import subprocess
import sys

import numpy as np
import polars as pl
import pytest

import bmtrain
from bmtrain.errors import CheckpointError, ConfigError, DataError
from bmtrain.events import EpochDone, RunFinished


@pytest.fixture
def graph(trained):
    return trained("graph", "training.engine=graph")


@pytest.fixture
def table(project):
    return pl.read_csv(project / "points.csv")


def test_the_import_is_light():
    code = "import sys, bmtrain; print(*(m.partition('.')[0] for m in sys.modules))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"tensorflow", "keras", "numpy", "polars", "pydantic", "typer"} & set(
        ended.stdout.split()
    )


def test_what_it_offers_is_there_and_nothing_else():
    assert set(bmtrain.__all__) <= set(dir(bmtrain))
    for name in bmtrain.__all__:
        assert getattr(bmtrain, name) is not None
    with pytest.raises(AttributeError, match="module 'bmtrain' has no attribute 'trian'"):
        getattr(bmtrain, "trian")  # noqa: B009  # the type checker knows, too


@pytest.mark.long
def test_a_training_from_python_is_the_commands_bit_for_bit(
    reference, project, environment, tmp_path
):
    code = f"""
import bmtrain, json
result = bmtrain.train("points.yaml", run_dir={str(tmp_path / "run")!r})
print(json.dumps([result.metrics, result.met, len(result.history()), str(result.checkpoint)]))
"""
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    metrics, met, num_epochs, checkpoint = json.loads(ended.stdout)
    assert metrics == reference.summary["metrics"]
    assert (met, num_epochs) == (True, 3)
    ours = [(tmp_path / "run" / "checkpoints" / name / "model.safetensors").read_bytes()
            for name in (checkpoint.rpartition("/")[2],)]  # fmt: skip
    assert ours == [reference.bits("evaluated_checkpoint")[0]]


def test_events_come_as_they_happen_and_a_missed_expectation_is_no_error(
    in_process, project, tmp_path
):
    seen = []
    result = bmtrain.train(
        project / "points.yaml",
        ["training.engine=graph", "training.epochs=1", "training.batch_size=62"],
        run_dir=tmp_path / "run",
        expectations=["test.accuracy >= 1"],
        on_event=lambda event: seen.append(type(event)),
    )
    assert seen.count(EpochDone) == 1
    assert seen[-1] is RunFinished
    assert not result.met
    assert [e["text"] for e in result.expectations] == ["test.accuracy >= 1"]
    assert result.load().checkpoint == result.checkpoint


def test_predictions_are_those_of_the_command(graph, command, project, table):
    ended = command("predict", graph.path, project / "points.csv")
    told = list(csv.DictReader(ended.out.splitlines()))
    predictions = bmtrain.load(graph.path).predict(table)
    assert predictions.labels == [row["predicted"] for row in told]
    assert predictions.class_names is not None
    columns = [
        [float(row[f"probability_{name}"]) for row in told] for name in predictions.class_names
    ]
    np.testing.assert_allclose(predictions.outputs, np.transpose(columns), rtol=1e-6)


def test_columns_are_found_by_name_in_a_frame_a_mapping_and_by_position_in_an_array(graph, table):
    model = bmtrain.load(graph.path)
    names = list(model.data.feature_names or ())
    expected = model.predict(table).outputs
    as_mapping = {name: table[name].to_list() for name in reversed(names)} | {"more": None}
    np.testing.assert_array_equal(model.predict(as_mapping).outputs, expected)
    np.testing.assert_array_equal(model.predict(table.select(names).to_numpy()).outputs, expected)


def test_evaluating_gives_the_figures_of_eval(graph, command, project, table):
    told = command("eval", graph.path, "--data", project / "points.csv", "--json").document
    figures = bmtrain.load(graph.path).evaluate(table, table["side"])
    assert figures == told["metrics"]


def test_weights_and_config_are_those_of_the_checkpoint(graph):
    model = bmtrain.load(graph.path)
    assert model.config.name == "points"
    assert {name: array.shape for name, array in model.weights.items()}["layers.0.kernel"] == (4, 8)


@pytest.mark.parametrize(
    ("examples", "words"),
    [
        (np.zeros((3, 5)), r"expected examples of shape \(4,\), got \(5,\)"),
        (np.zeros(4), "add an axis in front"),
        (np.full((2, 4), np.nan), "expected finite numbers, got nan"),
        (np.array([["a"] * 4]), "expected numbers, got dtype"),
        ([[1, 2, 3, 4], [1, 2]], "expected an array of numbers"),
        ({"x": [1], "y": [1], "z": [1], "nois": [1]}, "there is no column 'noise'.*mean 'nois'"),
        ({"x": [1], "y": [1], "z": [1], "noise": [1, 2]}, "expected columns of one length"),
        ({"x": [1], "y": [1], "z": ["a"], "noise": [1]}, "the column 'z': expected numbers"),
    ],
)
def test_what_does_not_fit_is_told(graph, in_process, examples, words):
    with pytest.raises(DataError, match=words):
        bmtrain.load(graph.path).predict(examples)


def test_labels_that_are_not_known_are_told(graph, in_process, table):
    with pytest.raises(DataError, match="'down'"):
        bmtrain.load(graph.path).evaluate(table[:2], ["left", "down"])


def test_errors_are_those_of_the_commands(tmp_path):
    with pytest.raises(CheckpointError):
        bmtrain.load(tmp_path)
    (tmp_path / "x.yaml").write_text("name: x\nsede: 1\n")
    with pytest.raises(ConfigError) as caught:
        bmtrain.train(tmp_path / "x.yaml")
    assert "sede" in [d.key for d in caught.value.diagnostics]
    assert "x.yaml:2:1" in str(caught.value)
