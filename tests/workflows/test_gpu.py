"""On a real GPU: it trains there, loses nothing, and computes what the processor computes.

Skipped where there is none. On one: ``scripts/test tests/workflows/test_gpu.py -n 4``.
"""

import json
import subprocess

import numpy as np
import pytest

from bmtrain.checkpoint.read import read_checkpoint
from bmtrain.machine import hides_gpus, may_have_gpu

pytestmark = pytest.mark.skipif(
    not may_have_gpu() or hides_gpus(), reason="no NVIDIA GPU, or it is hidden"
)

HIDDEN = {"CUDA_VISIBLE_DEVICES": "-1"}

PICTURES = """\
name: pictures
data: {source: mnist, train_examples: 1000, splits: {validation: 0.1}}
model:
  layers:
    - {type: reshape, target_shape: [28, 28, 1]}
    - {type: conv2d, filters: 8, kernel_size: 3, activation: relu}
    - {type: max_pooling2d}
    - {type: batch_normalization}
    - {type: dropout, rate: 0.2}
    - {type: flatten}
    - {type: dense, units: 10, activation: softmax}
loss: sparse_categorical_crossentropy
metrics: [accuracy]
optimizer: {name: adam, learning_rate: 0.003}
training:
  device: gpu
  epochs: 3
  batch_size: 32
  augmentation:
    - {type: shift, height: 0.1, width: 0.1}
    - {type: rotate, degrees: 10}
    - {type: cutout, size: 0.2}
    - {type: noise, stddev: 0.05}
"""

#: Every layer for sequences, and integer inputs.
TOKENS = """\
name: tokens
data:
  source: splice
  text: sequence
  tokens: {level: character, length: 20}
  splits: {validation: 0.1, test: 0.2}
model:
  layers:
    - {type: embedding, output_dim: 8, mask_zero: true}
    - {type: bidirectional, layer: {type: lstm, units: 8, return_sequences: true}}
    - {type: gru, units: 8, return_sequences: true}
    - {type: conv1d, filters: 8, kernel_size: 5, padding: same, activation: relu}
    - {type: layer_normalization}
    - {type: dropout, rate: 0.2}
    - {type: simple_rnn, units: 16}
    - {type: dense, units: 3, activation: softmax}
loss: sparse_categorical_crossentropy
metrics: [accuracy]
optimizer: {name: adam, learning_rate: 0.01}
training: {device: gpu, epochs: 2, batch_size: 64}
"""
CONFIGS = {"pictures": PICTURES, "tokens": TOKENS}


@pytest.fixture(scope="session")
def configs(make_once):
    def fill(directory):
        for name, text in CONFIGS.items():
            (directory / f"{name}.yaml").write_text(text)

    return make_once("gpu-configs", fill)


@pytest.fixture
def on_gpu(trained):
    """``points.yaml`` trained once on the GPU."""
    return trained("gpu", "--device", "gpu")


def test_a_run_names_its_gpu_and_what_it_took_there(on_gpu):
    assert on_gpu.ended.exit_code == 0, on_gpu.ended.err
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert on_gpu.summary["engine"]["device"] == "gpu"
    assert on_gpu.summary["engine"]["gpu"] == names[0]
    assert f"xla on {names[0]}" in (on_gpu.path / "log.txt").read_text()
    cost = on_gpu.summary["cost"]
    assert 2**10 < cost["peak_gpu_memory_bytes"] < 2**30
    energy = cost["energy_of_start"]
    assert (energy["gpu_j"] or 0) > 0 or any("gpu: " in why for why in energy["unavailable"])


def test_auto_is_the_gpu(trained, on_gpu):
    auto = trained("gpu-auto")
    assert auto.summary["engine"] == on_gpu.summary["engine"]
    assert auto.bits() == on_gpu.bits()
    assert auto.bits("best_checkpoint") == on_gpu.bits("best_checkpoint")
    assert auto.epochs_but_times == on_gpu.epochs_but_times


@pytest.mark.parametrize("steps_per_call", [1, 7])
@pytest.mark.parametrize("engine", ["xla", "graph"])
def test_call_lengths_change_no_bit(trained, engine, steps_per_call):
    words = ("--device", "gpu", f"training.engine={engine}")
    whole = trained(f"gpu-{engine}", *words)
    calls = trained(
        f"gpu-{engine}-{steps_per_call}", *words, f"training.steps_per_call={steps_per_call}"
    )
    assert whole.ended.exit_code == 0, whole.ended.err
    assert calls.epochs_but_times == whole.epochs_but_times
    assert calls.bits() == whole.bits()


@pytest.mark.parametrize("engine", ["xla", "graph"])
@pytest.mark.parametrize("name", sorted(CONFIGS))
def test_a_killed_run_ends_in_the_same_bits(bmtrain, configs, tmp_path, name, engine):
    ended = bmtrain(
        *("verify-resume", configs / f"{name}.yaml", f"training.engine={engine}"),
        *("--kills", "2", "--json"),
        BMTRAIN_RUNS=str(tmp_path),
    )
    document = ended.document
    assert document["error"] is None, ended.err
    assert document["first_difference"] is None
    assert document["runs_compared"] >= 1


@pytest.mark.parametrize("engine", ["xla", "graph"])
def test_every_layer_learns_what_it_learns_on_the_processor(trained, configs, engine):
    """Three steps of descent with all examples: rounding does not grow yet."""
    descent = (
        "optimizer={name: sgd, learning_rate: 0.1}",
        "training.batch_size=full",
        "training.epochs=3",
        f"training.engine={engine}",
    )

    def losses(device):
        words = (*descent, "--device", device)
        run = trained(f"tokens-{engine}-{device}", *words, config=configs / "tokens.yaml")
        return [epoch["train"]["loss"] for epoch in run.epochs]

    there = losses("gpu")
    assert len(there) == 3
    assert there == pytest.approx(losses("cpu"), rel=1e-4)


def test_descent_on_the_gpu_ends_where_it_ends_on_the_processor(trained):
    """Full batches, a convex objective: with 10 bits of mantissa they would be apart by 1e-3."""
    runs = [
        trained(f"line-{name}", "--device", name, config="line.yaml") for name in ("gpu", "cpu")
    ]
    kernels = [read_checkpoint(run.checkpoint()).model["layers.0.kernel"] for run in runs]
    np.testing.assert_allclose(kernels[0], kernels[1], rtol=1e-5)


def test_a_model_says_the_same_on_the_processor(trained, bmtrain, configs):
    wide = ("model={type: mlp, hidden: [512, 512]}", "training.epochs=1")
    run = trained("gpu-wide", *wide, config=configs / "pictures.yaml")
    figures = [
        bmtrain("eval", run.path, "--json", **variables).document["metrics"]
        for variables in ({}, HIDDEN)
    ]
    assert figures[0]["loss"] == pytest.approx(figures[1]["loss"], rel=2e-5)
    assert figures[0]["loss"] == pytest.approx(run.summary["metrics"]["test"]["loss"], rel=1e-6)


def test_streamed_examples_change_no_bit(trained, make_once, configs):
    def fill(directory):
        random = np.random.default_rng(0)
        for part, count in (("train", 3000), ("validation", 500)):
            pixels = random.integers(0, 256, (count, 28, 28), dtype=np.uint8)
            np.save(directory / f"x_{part}.npy", pixels)
            labels = (pixels[:, :14].mean((1, 2)) > pixels[:, 14:].mean((1, 2))).astype(np.int64)
            np.save(directory / f"y_{part}.npy", labels)

    arrays = make_once("gpu-arrays", fill)
    nulls = ("data.splits=null", "data.train_examples=null")
    words = (f"data.source={arrays}", *nulls, "training.batch_size=7")
    runs = [
        trained(
            f"gpu-{storage}", *words, f"data.storage={storage}", config=configs / "pictures.yaml"
        )
        for storage in ("resident", "stream")
    ]
    assert runs[0].ended.exit_code == runs[1].ended.exit_code == 0, runs[0].ended.err
    assert runs[0].bits() == runs[1].bits()


def test_a_resume_elsewhere_is_refused_with_the_words_that_allow_it(bmtrain, tmp_path):
    run = tmp_path / "run"
    began = bmtrain("train", "points.yaml", "--device", "gpu", "--run-dir", run)
    assert began.exit_code == 0, began.err
    more = ("train", run, "--resume", "training.epochs=4", "training.device=auto")
    refused = bmtrain(*more, **HIDDEN)
    assert refused.exit_code == 7
    said = " ".join(refused.err.split())
    assert 'engine.device was "gpu", is "cpu"' in said
    assert "--allow-changed engine.device" in said
    allowed = ("engine.device", "engine.gpu")
    words = [word for key in allowed for word in ("--allow-changed", key)]
    assert bmtrain(*more, *words, **HIDDEN).exit_code == 0
    summary = json.loads((run / "summary.json").read_text())
    assert (summary["engine"]["device"], summary["epochs_completed"]) == ("cpu", 4)


def test_reproduce_says_identical(bmtrain, on_gpu, tmp_path):
    ended = bmtrain("reproduce", on_gpu.path, "--run-dir", tmp_path / "again", "--json")
    assert ended.document["verdict"] == "identical", ended.err


def test_the_next_process_finds_the_compiled_steps(bmtrain, configs, tmp_path):
    """In a cache of their own: else another test's would count."""
    compile_s = []
    for name in ("first", "second"):
        ended = bmtrain(
            *("train", configs / "pictures.yaml", "training.epochs=1", "--json"),
            *("--run-dir", tmp_path / name),
            XDG_CACHE_HOME=str(tmp_path / "cache"),
        )
        compile_s.append(ended.document["timing"]["compile_s"])
    assert compile_s[1] < compile_s[0]
    log = (tmp_path / "second" / "log.txt").read_text()
    assert "compilation cache: 0 entries" not in log


def test_a_hidden_gpu_is_exit_6_and_says_so(bmtrain, tmp_path):
    run = ("points.yaml", "--device", "gpu")
    ended = bmtrain("train", *run, "--run-dir", tmp_path / "run", **HIDDEN)
    assert ended.exit_code == 6
    assert "CUDA_VISIBLE_DEVICES hides every GPU" in " ".join(ended.err.split())


def test_a_model_that_the_gpu_has_no_room_for_is_exit_6(bmtrain, tmp_path):
    """A kernel of 1.6 TB."""
    layers = "{type: dense, units: 630000}, {type: dense, units: 630000}, {type: dense, units: 3}"
    ended = bmtrain(
        *("train", "points.yaml", f"model={{layers: [{layers}]}}", "--device", "gpu"),
        *("loss={name: sparse_categorical_crossentropy, from_logits: true}", "--json"),
        *("--run-dir", tmp_path / "run"),
    )
    assert ended.exit_code == 6, ended.err
    assert "GPU" in ended.document["error"]["message"]
