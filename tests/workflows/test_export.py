"""``bmtrain export`` through the command: what is there afterwards, and what never is."""

import dataclasses
import hashlib
import json
import shlex
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest

from bmtrain.exports.table import FORMATS
from bmtrain.runs.predictions import read_predictions

ROOT = Path(__file__).parents[2]
FILES = {
    "savedmodel": "points_savedmodel",
    "keras": "points.keras",
    "onnx": "points.onnx",
    "litert": "points.tflite",
    "safetensors": "points.safetensors",
}
ALL = [word for name in FILES for word in ("--to", name)]


@pytest.fixture
def graph(trained):
    return trained("graph", "training.engine=graph")


@pytest.fixture
def predicted(reference, bmtrain, project):
    """What `predict` says of the whole table: (features, probabilities)."""
    import polars as pl

    table = pl.read_csv(project / "points.csv").drop("side")
    document = bmtrain("predict", reference.path, project / "points.csv", "--json").document
    rows = [list(record["probabilities"].values()) for record in document["predictions"]]
    return table.to_numpy().astype(np.float32), np.array(rows, np.float32)


def test_all_formats_give_what_predict_gives(bmtrain, reference, predicted, tmp_path):
    """By the real command, in a process of its own; read here by ONNX Runtime, from raw values."""
    import onnxruntime

    ended = bmtrain("export", reference.path, *ALL, "-o", tmp_path / "out", "--json")
    assert ended.exit_code == 0, ended.err
    assert ended.err == f"reading the data that the run recorded: {reference_data(reference)}\n"
    document = ended.document
    assert [entry["format"] for entry in document["exports"]] == list(FILES)
    for entry in document["exports"]:
        assert entry["passed"]
        assert entry["largest_difference"] < 1e-5
        assert entry["path"] == str(tmp_path / "out" / FILES[entry["format"]])
    assert document["examples"] == {"source": "test", "number": 62}
    assert document["outputs"]["class_names"] == ["left", "right", "up"]
    assert document["inputs"]["feature_names"] == ["x", "y", "z", "noise"]
    beside = {f"{FILES[name]}.json" for name in ("keras", "litert", "safetensors")}
    assert {path.name for path in (tmp_path / "out").iterdir()} == {*FILES.values(), *beside}
    features, probabilities = predicted
    session = onnxruntime.InferenceSession(tmp_path / "out" / "points.onnx")
    outputs = session.run(None, {"inputs": features})[0]
    np.testing.assert_allclose(outputs, probabilities, atol=2e-5)


def reference_data(run):
    return json.loads((run.path / "run.json").read_text())["data"]["source"]


def test_the_json_beside_describes_that_very_file(graph, command, tmp_path):
    ended = command("export", graph.path, "--to", "safetensors", "-o", tmp_path / "m.safetensors")
    assert ended.exit_code == 0, ended.err
    content = (tmp_path / "m.safetensors").read_bytes()
    beside = json.loads((tmp_path / "m.safetensors.json").read_text())
    assert beside["describes"] == {
        "file": "m.safetensors",
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    assert [layer["type"] for layer in beside["layers"]] == [
        *("dense", "batch_normalization", "activation", "dropout", "dense")
    ]
    assert beside["preprocessing"]["normalize"] == "standardize"
    weights = (graph.checkpoint("evaluated_checkpoint") / "model.safetensors").read_bytes()
    assert content == weights, "the tensors are those of the checkpoint"


def test_the_stored_predictions_of_the_run_come_out_of_its_export(
    graph, command, tmp_path, project
):
    """The oracle is what the training itself wrote."""
    import keras

    from bmtrain.config.load import load_config
    from bmtrain.workflows.preparation import load_experiment_data

    assert command("export", graph.path, "--to", "keras", "-o", tmp_path).exit_code == 0
    split = load_experiment_data(load_config(project / "points.yaml").experiment).splits["test"]
    model = keras.saving.load_model(tmp_path / "points.keras", safe_mode=True)
    stored = read_predictions(graph.path / "predictions" / "test.safetensors")
    np.testing.assert_allclose(model.predict(split.features, verbose=0), stored.outputs, atol=1e-5)


def test_a_regression_s_targets_are_told_as_targets(trained, command, tmp_path):
    run = trained("line", config="line.yaml")
    ended = command("export", run.path, *ALL, "-o", tmp_path, "--json")
    assert ended.exit_code == 0, ended.err
    outputs = ended.document["outputs"]
    assert (outputs["values"], outputs["label_name"]) == ("targets", "target")
    assert outputs["class_names"] is None


@pytest.mark.parametrize(
    ("words", "values", "shown"),
    [
        (["loss={name: sparse_categorical_crossentropy, from_logits: true}"], "logits", "logits of 3 classes"),
        (["loss=mse", "metrics=[]", "data.task=classification"], "scores", "scores of 3 classes"),
    ],
)  # fmt: skip
def test_outputs_stay_as_they_were_trained_and_are_named(
    train, command, tmp_path, words, values, shown
):
    model = "model={type: mlp, hidden: []}"
    run = train("training.epochs=1", model, *words)
    assert run.ended.exit_code == 0, run.ended.err
    ended = command("export", run.path, "--to", "onnx", "-o", tmp_path)
    assert ended.exit_code == 0, ended.err
    assert f"outputs        {shown}\n" in ended.out
    ended = command("export", run.path, "--to", "onnx", "-o", tmp_path, "--force", "--json")
    assert ended.document["outputs"]["values"] == values


@pytest.mark.parametrize("format_name", FILES)
def test_an_export_that_differs_is_not_kept(graph, command, tmp_path, monkeypatch, format_name):
    """One weight is another: exit code 4, and nothing under the final name or beside it."""
    exporter = FORMATS[format_name]

    def write(content, path):
        name = "layers.4.bias"
        changed = content.weights[name] + np.array([0.01, 0, 0], np.float32)
        content.keras_model.layers[-1].bias.assign(changed)
        exporter.write(
            dataclasses.replace(content, weights=content.weights | {name: changed}), path
        )

    monkeypatch.setitem(FORMATS, format_name, dataclasses.replace(exporter, write=write))
    words = ["export", graph.path, "--to", format_name, "-o", tmp_path / "out"]
    (tmp_path / "out").mkdir()
    ended = command(*words)
    assert ended.exit_code == 4
    assert f"✘ {format_name}" in ended.out
    assert "gives other outputs than the checkpoint: largest difference" in ended.out
    assert "in Python" not in ended.out
    assert list((tmp_path / "out").iterdir()) == []
    quiet = command(*words, "--quiet")
    assert (quiet.exit_code, quiet.out) == (4, "")
    assert f"✘ {format_name}" in quiet.err
    document = command(*words, "--json").document
    assert document["exit_code"] == 4
    assert document["exports"][0]["path"] is None
    assert not document["exports"][0]["passed"]
    assert command(*words, "--tolerance", "0.1").exit_code == 0


def test_what_is_there_is_replaced_only_when_asked(graph, command, tmp_path):
    words = ["export", graph.path, "--to", "keras", "--to", "savedmodel", "-o", tmp_path]
    assert command(*words).exit_code == 0
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    ended = command(*words)
    assert ended.exit_code == 6
    assert f"error: {tmp_path}/points.keras: it exists already\n" in ended.err
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    assert command(*words, "--force").exit_code == 0
    (tmp_path / "points.keras").unlink()
    ended = command("export", graph.path, "--to", "keras", "-o", tmp_path)
    assert "points.keras.json: it exists already" in ended.err


def test_what_a_killed_export_moved_away_is_put_back_and_then_not_replaced_unasked(
    graph, command, tmp_path, monkeypatch
):
    monkeypatch.setattr("bmtrain.workflows.export.restored_session", None)
    waiting = tmp_path / ".bmtrain-12345678.exporting" / "points_savedmodel.replaced"
    waiting.mkdir(parents=True)
    (waiting / "saved_model.pb").write_text("old")
    ended = command("export", graph.path, "--to", "savedmodel", "-o", tmp_path)
    assert ended.exit_code == 6
    assert "points_savedmodel: it exists already" in ended.err
    assert (tmp_path / "points_savedmodel" / "saved_model.pb").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_without_the_extra_the_command_to_install_it_is_told(graph, command, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setattr("bmtrain.workflows.export.restored_session", None)  # before TensorFlow
    ended = command("export", graph.path, "--to", "keras", "--to", "onnx", "-o", tmp_path)
    assert ended.exit_code == 6
    assert "onnxruntime" in ended.err
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = pyproject["project"]["optional-dependencies"]["export"]
    hint = next(line for line in ended.err.splitlines() if line.startswith("hint: "))
    assert shlex.split(hint)[1:] == [sys.executable, "-m", "pip", "install", *packages]
    assert list(tmp_path.iterdir()) == []


def test_what_a_format_cannot_express_is_told_before_anything_starts(
    graph, command, tmp_path, monkeypatch
):
    litert = dataclasses.replace(FORMATS["litert"], objection=lambda *_: "it has 9 axes")
    monkeypatch.setitem(FORMATS, "litert", litert)
    monkeypatch.setattr("bmtrain.workflows.export.restored_session", None)
    ended = command("export", graph.path, "--to", "keras", "--to", "litert", "-o", tmp_path)
    assert (ended.exit_code, ended.out) == (2, "")
    assert ended.err == "exporting…\nerror: --to litert: it has 9 axes\n"
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_alone_is_compared_on_random_inputs_and_that_is_said(
    graph, command, tmp_path, monkeypatch
):
    opened = []
    monkeypatch.setattr("bmtrain.data.sources.choose_format", lambda path, _: opened.append(path))
    ended = command("export", graph.checkpoint(), "--to", "safetensors", "-o", tmp_path)
    assert (ended.exit_code, opened) == (0, [])
    assert (
        "compared on    257 random inputs: a checkpoint alone opens no other file; "
        "--data PATH compares on real ones\n"
    ) in ended.out


def test_data_that_is_gone_is_told_and_does_not_keep_a_model_in(graph, command, tmp_path, forger):
    run = tmp_path / "run"
    shutil.copytree(graph.path, run)
    for checkpoint in (run / "checkpoints").glob("step-*"):
        experiment = forger.manifest(checkpoint)["experiment"]
        experiment["data"]["source"] = str(tmp_path / "gone.csv")
        forger.change(checkpoint, "experiment", **experiment)
    ended = command("export", run, "--to", "onnx", "-o", tmp_path)
    assert ended.exit_code == 0, ended.err
    assert "257 random inputs: " in ended.out
    assert "gone.csv: there is no such file" in ended.out


def test_other_data_needs_no_labels_and_must_be_there(graph, command, tmp_path, random):
    np.save(tmp_path / "x.npy", random.normal(size=(5, 4)).astype(np.float32))
    words = ["export", graph.path, "--to", "safetensors", "-o", tmp_path / "a.safetensors"]
    ended = command(*words, "--data", tmp_path / "x.npy", "--json")
    assert ended.exit_code == 0, ended.err
    assert ended.document["examples"] == {"source": str(tmp_path / "x.npy"), "number": 5}
    ended = command(*words, "--data", tmp_path / "none.npy", "--force", "--json")
    assert ended.exit_code == 3
    assert ended.document["exports"] == []


def test_a_name_must_be_one_of_the_format(graph, command, tmp_path):
    ended = command("export", graph.path, "--to", "onnx", "-o", tmp_path / "model.pb")
    assert ended.exit_code == 2
    assert "expected a directory or a name that ends in .onnx" in ended.err


def test_a_saved_model_is_not_put_into_another(graph, command, tmp_path):
    """A directory of one's own takes it in; a SavedModel is what is to be replaced."""
    target = tmp_path / "model"
    words = ["export", graph.path, "--to", "savedmodel", "-o", target]
    assert command(*words).exit_code == 0
    assert (target / "saved_model.pb").is_file()
    assert command(*words).exit_code == 6
    assert command(*words, "--force").exit_code == 0
    assert not (target / "points_savedmodel").exists()


def test_a_full_disk_is_told_and_nothing_stays(graph, command, small_disk):
    disk = small_disk("1m")
    disk.fill(leaving=0)
    for name in FILES:
        ended = command(
            "export", graph.path, "--to", name, "-o", disk.path / f"m{FORMATS[name].suffix}"
        )
        assert ended.exit_code == 6, (name, ended.err)
        assert [path.name for path in disk.path.iterdir()] == ["ballast"], name


def test_a_damaged_best_checkpoint_is_told(graph, command, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(graph.path, run)
    best = run / "checkpoints" / graph.checkpoint("evaluated_checkpoint").name
    (best / "model.safetensors").write_bytes(b"")
    ended = command("export", best, "--to", "onnx", "-o", tmp_path)
    assert ended.exit_code == 7


@pytest.mark.parametrize(
    "wait_s",
    [pytest.param(0.3, marks=pytest.mark.long), 2.0, pytest.param(2.6, marks=pytest.mark.long)],
)
def test_ctrl_c_leaves_nothing_half_done(graph, environment, project, tmp_path, wait_s):
    """Whenever it comes: what has its name is whole, and nothing else is there."""
    command = [sys.executable, "-m", "bmtrain", "export", graph.path, *ALL, "-o", tmp_path / "out"]
    process = subprocess.Popen(
        list(map(str, command)),
        cwd=project,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(wait_s)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) in {0, 130}
    beside = {f"{FILES[name]}.json" for name in ("keras", "litert", "safetensors")}
    left = {path.name for path in (tmp_path / "out").glob("*")}
    assert left <= {*FILES.values(), *beside}
    assert all(name.removesuffix(".json") in left for name in left)


@pytest.mark.slow
def test_no_runtime_leaves_anything_in_the_home(trained, bmtrain, tmp_path):
    """ONNX Runtime would count its users there."""
    pytest.importorskip("onnx")
    run = trained("graph", "training.engine=graph")
    ended = bmtrain(
        "export", run.path, "--to", "onnx", "--to", "litert", "--json",
        directory=tmp_path, HOME=str(tmp_path / "home"), BMTRAIN_XLA_CACHE="0",
    )  # fmt: skip
    assert ended.exit_code == 0, ended.err
    assert not (tmp_path / "home").exists()
