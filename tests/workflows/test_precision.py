"""mixed_bfloat16 and remat through the real commands: resumed, judged, exported, refused."""

import json

import pytest

from tests.workflows.resumed_runs import bits, log_but_times

LAYERS = (
    "[{type: dense, units: 8, activation: relu},"
    " {type: residual, remat: true, layers: [{type: dense, units: 8}, {type: batch_normalization},"
    " {type: dropout, rate: 0.2}]},"
    " {type: dense, units: 3, activation: softmax}]"
)
MIXED = (
    "training.precision=mixed_bfloat16",
    f"model={{layers: {LAYERS}}}",
    "optimizer.use_ema=true",
    "optimizer.global_clipnorm=0.5",
    "optimizer.gradient_accumulation_steps=3",
)


@pytest.fixture
def run(train):
    return train(*MIXED)


@pytest.mark.long
def test_it_goes_on_in_the_bits_of_an_uninterrupted_run(run, interrupted, command):
    path = interrupted(31, *MIXED)
    ended = command("train", path, "--resume", "--json")
    assert ended.exit_code == 0, ended.err
    assert bits(path, ended.document) == bits(run.path, run.summary)
    assert log_but_times(path) == log_but_times(run.path)


def test_eval_computes_in_it_and_an_export_says_that_it_does_not(run, command, tmp_path):
    """So no format needs bfloat16, and the comparison is as sharp as ever."""
    assert json.loads((run.path / "run.json").read_text())["engine"]["precision"] == MIXED[0][19:]
    assert "mixed_bfloat16 is slower than float32 on most processors" in run.ended.err
    ended = command("eval", run.path, "--json")
    assert ended.document["metrics"] == run.summary["metrics"]["test"]
    formats = ("--to", "keras", "--to", "onnx", "--to", "savedmodel", "--to", "litert")
    ended = command("export", run.path, *formats, "-o", tmp_path / "out", "--json")
    assert ended.exit_code == 0, ended.err
    precision = ended.document["precision"]
    assert (precision["trained"], precision["exported"]) == ("mixed_bfloat16", "float32")
    assert 1e-4 < precision["largest_difference"] < 0.05
    assert all(entry["largest_difference"] < 1e-5 for entry in ended.document["exports"])
    ended = command("export", run.path, "--to", "safetensors", "-o", tmp_path / "a.safetensors")
    assert "float32; mixed_bfloat16, as it was trained, gives up to" in " ".join(ended.out.split())


@pytest.mark.long
def test_another_precision_is_refused_unless_it_is_allowed(run, command):
    words = ("train", run.path, "--resume", "training.precision=float32", "training.epochs=4")
    ended = command(*words, "--json")
    assert ended.exit_code == 7
    assert (
        'training.precision was "mixed_bfloat16", is "float32"'
        in ended.document["error"]["message"]
    )
    ended = command(*words, "--allow-changed", "training.precision", "--json")
    assert ended.exit_code == 0, ended.err
    assert ended.document["engine"]["precision"] == "float32"
