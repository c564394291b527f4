"""``eval`` of what passes for a checkpoint in form: it must make sense before anything is computed."""

import json
import os
import shutil
from typing import Any

import numpy as np
import pytest


@pytest.fixture
def forged(trained, tmp_path):
    """A copy of a trained checkpoint, moved away from its run; to be changed."""
    path = tmp_path / "forged"
    shutil.copytree(trained("graph", "training.engine=graph").checkpoint(), path)
    return path


@pytest.fixture
def evaluated(command, forged, project):
    def evaluate():
        return command("eval", forged, "--data", project / "points.csv", "--json")

    return evaluate


def a_pipe(_forger, path):
    (path / "model.safetensors").unlink()
    os.mkfifo(path / "model.safetensors")


def a_link_to_a_device(_forger, path):
    (path / "preprocessing.json").unlink()
    (path / "preprocessing.json").symlink_to("/dev/zero")


def a_link_to_the_right_file(_forger, path):
    (path / "manifest.json").rename(path.parent / "content")
    (path / "manifest.json").symlink_to(path.parent / "content")


def a_header_of_terabytes(forger, path):
    forger.replace(path, "model.safetensors", (2**42).to_bytes(8, "little") + b"{}")


def a_file_of_holes(_forger, path):
    os.truncate(path / "model.safetensors", 2**42)


def overlapping_tensors(forger, path):
    content = (path / "model.safetensors").read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    begin = header["layers.1.gamma"]["data_offsets"]
    header["layers.1.beta"]["data_offsets"] = begin
    text = json.dumps(header).encode()
    content = len(text).to_bytes(8, "little") + text + content[8 + length :]
    forger.replace(path, "model.safetensors", content)


def a_missing_tensor(forger, path):
    names = ("layers.0.kernel", "layers.1.gamma", "layers.1.beta")
    forger.replace_tensors(path, "model.safetensors", {name: np.zeros(8) for name in names})


def nan(forger, path):
    forger.seal_raw(path, b'"seed": 3', b'"seed": NaN')


def a_key_twice(forger, path):
    forger.seal_raw(path, b'"seed": 3', b'"seed": 3, "seed": 3')


def deep_nesting(forger, path):
    forger.seal_raw(path, b'"seed": 3', b'"seed": ' + b"[" * 100_000 + b"]" * 100_000)


FORGERIES = (
    *(a_pipe, a_link_to_a_device, a_link_to_the_right_file, a_header_of_terabytes),
    *(a_file_of_holes, overlapping_tensors, a_missing_tensor, nan, a_key_twice, deep_nesting),
)


@pytest.mark.usefixtures("nothing_hangs")
@pytest.mark.parametrize("forge", FORGERIES)
def test_what_lies_is_exit_7_with_its_file_whether_alone_or_in_a_run(
    trained, command, project, forged, forger, forge
):
    forge(forger, forged)
    for words in ((forged, "--data", project / "points.csv"), (forged.parent,)):
        if words == (forged.parent,):
            (forged.parent / "checkpoints").mkdir()
            forged.rename(forged.parent / "checkpoints" / "step-00000072")
        ended = command("eval", *words, "--json")
        assert ended.exit_code == 7
        error = ended.document["error"]
        assert str(forged.parent) in error["where"]
        assert "\n" not in error["message"]


@pytest.mark.parametrize("name", ["checkpoints", "checkpoints/step-00000072"])
def test_a_run_whose_checkpoints_are_elsewhere_is_exit_7(trained, command, tmp_path, name):
    run = tmp_path / "run"
    shutil.copytree(trained("graph", "training.engine=graph").path, run)
    (run / name).rename(tmp_path / "elsewhere")
    for other in (run / "checkpoints").glob("step-*"):
        shutil.rmtree(other)
    (run / name).symlink_to(tmp_path / "elsewhere")
    ended = command("eval", run, "--json")
    assert ended.exit_code == 7
    assert "a link, not a directory; links are refused" in ended.document["error"]["message"]


def test_a_link_that_the_user_typed_is_followed(command, forged, project, tmp_path):
    (tmp_path / "latest").symlink_to(forged)
    assert command("eval", tmp_path / "latest", "--data", project / "points.csv").exit_code == 0


def of_regression(forger, path, **facts):
    document = json.loads((path / "preprocessing.json").read_text())
    document |= {"task": "regression", "class_names": None, "num_outputs": 1, **facts}
    forger.replace(path, "preprocessing.json", json.dumps(document).encode())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"metrics": ["mean_squared_error"]}, "'mean_squared_error' is a figure of regression"),
        ({"metrics": ["accuracy"] * 50}, "'accuracy' is listed twice"),
        ({"loss": {"name": "mean_squared_error"}}, "its config is one of regression, its data"),
        ({"model": {"type": "layers", "layers": [{"type": "flatten"}]}}, "does not belong to the"),
        (
            {"model": {"type": "layers", "layers": [{"type": "dense", "units": 3}] * 2}},
            "is missing",
        ),
    ],
)
def test_a_config_that_makes_no_sense_of_its_data_is_refused(
    forged, forger, evaluated, change, words
):
    forger.change(forged, "experiment", **change)
    ended = evaluated()
    assert ended.exit_code == 7
    assert words in ended.document["error"]["message"]


def test_facts_of_another_task_are_refused(forged, forger, evaluated):
    of_regression(forger, forged)
    ended = evaluated()
    assert ended.exit_code == 7
    message = "its config is one of classification, its data was one of regression"
    assert ended.document["error"]["message"] == message


def test_small_weights_of_a_layer_that_gives_terabytes_are_refused_before_it_is_built(
    forged, forger, command, tmp_path
):
    """A kernel of 1 × 1,000,000 over a million values: 4 MB of weights, 4 TB per example."""
    wide = {"type": "dense", "units": 1_000_000}
    layers = [
        wide,
        {"type": "reshape", "target_shape": [1_000_000, 1]},
        wide,
        {"type": "reshape", "target_shape": [1_000_000, 1_000_000]},
        {"type": "dense", "units": 1},
        {"type": "reshape", "target_shape": [1, 1_000_000]},
        {"type": "dense", "units": 1},
        {"type": "flatten"},
    ]
    of_regression(forger, forged)
    model = {"type": "layers", "layers": layers}
    forger.change(
        forged, "experiment", model=model, loss={"name": "mean_squared_error"}, metrics=[]
    )
    shapes = {0: (4, 10**6), 2: (1, 10**6), 4: (10**6, 1), 6: (10**6, 1)}
    weights: dict[str, Any] = {
        f"layers.{i}.kernel": np.zeros(shape, np.float32) for i, shape in shapes.items()
    }
    weights |= {f"layers.{i}.bias": np.zeros(shape[1], np.float32) for i, shape in shapes.items()}
    forger.replace_tensors(forged, "model.safetensors", weights)
    np.save(tmp_path / "x.npy", np.zeros((1, 4), np.float32))
    ended = command("predict", forged, tmp_path / "x.npy", "--json")
    assert ended.exit_code == 6
    assert "layer 2 (dense) needs" in ended.err
    assert "for 1 example" in ended.err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"label": None}, "a table needs data.label"),
        ({"source": "letters"}, "there is no bundled data set 'letters'"),
        ({"format": "npz"}, "names columns of a table"),
    ],
)
def test_a_recorded_config_that_contradicts_its_data_is_the_checkpoints_fault(
    trained, command, forger, tmp_path, change, words
):
    path = tmp_path / "run"
    shutil.copytree(trained("graph", "training.engine=graph").path, path)
    for checkpoint in (path / "checkpoints").glob("step-*"):
        data = forger.manifest(checkpoint)["experiment"]["data"]
        forger.change(checkpoint, "experiment", data=data | change)
    ended = command("eval", path, "--json")
    assert ended.exit_code == 7
    assert ended.document["error"]["message"].startswith("its config does not fit its data: ")
    assert words in ended.document["error"]["message"]


@pytest.mark.parametrize(
    ("recorded", "followed"),
    [
        ({"mode": "xla", "threads": 1}, ("xla", 1)),
        ({"mode": "graph", "threads": 4096}, ("graph", 4096)),
        ({"mode": "graph", "threads": 4097}, ("graph", "auto")),
        ({"mode": "graph", "threads": 10**18}, ("graph", "auto")),
        ({"mode": "graph", "threads": 0}, ("graph", "auto")),
        ({"mode": "graph", "threads": True}, ("graph", "auto")),
        ({"mode": "graph", "threads": "8"}, ("graph", "auto")),
        ({"mode": "eager", "threads": 2}, ("auto", 2)),
        ({"mode": ["xla"]}, ("auto", "auto")),
        ({}, ("auto", "auto")),
    ],
)
def test_a_recorded_engine_that_makes_no_sense_is_not_followed(recorded, followed):
    """TensorFlow starts as many threads as it is told to."""
    from bmtrain.workflows.restoring import recorded_engine

    assert recorded_engine(recorded) == followed
