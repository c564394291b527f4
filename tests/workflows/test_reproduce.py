"""reproduce and the comparison under it: identical, within tolerance, different and since when."""

import json
import shutil

import numpy as np
import pytest

from bmtrain.checkpoint.find import find_checkpoint
from bmtrain.checkpoint.read import read_checkpoint
from bmtrain.checkpoint.write import write_checkpoint
from bmtrain.runs.predictions import predictions_path, read_predictions, write_predictions
from bmtrain.workflows.run_comparison import compare_runs


def test_the_same_config_on_the_same_machine_gives_the_same_bits(bmtrain, trained, tmp_path):
    run = trained("reference")
    ended = bmtrain("reproduce", run.path, "--run-dir", tmp_path / "again", "--json")
    assert ended.exit_code == 0, ended.out + ended.err
    document = ended.document
    assert (document["verdict"], document["differences"]) == ("identical", [])
    assert document["run_dir"] == str(tmp_path / "again")
    first, second = (path / "metrics.jsonl" for path in (run.path, tmp_path / "again"))
    assert first.read_bytes() != second.read_bytes()  # but for the times it is
    again = json.loads((tmp_path / "again" / "summary.json").read_text())
    assert again["status"] == "completed"


def test_the_records_engine_is_followed_not_the_rule(bmtrain, trained, tmp_path):
    run = trained("graph", "training.engine=graph")
    config = run.path / "config.yaml"
    copy = tmp_path / "copy"
    shutil.copytree(run.path, copy)
    (copy / "config.yaml").write_text(config.read_text().replace("engine: graph", "engine: auto"))
    ended = bmtrain("reproduce", copy, "--run-dir", tmp_path / "again", "--json")
    assert ended.document["verdict"] == "identical"
    assert "environment" in ended.document


def test_another_seed_differs_since_the_first_epoch(run_of, command, tmp_path):
    run = run_of("training.epochs=2")
    ended = command("reproduce", run.path, "seed=4", "--run-dir", tmp_path / "again")
    assert ended.exit_code == 4
    assert ended.out.startswith("different  since epoch 1;")
    assert "train.loss was" in ended.out


@pytest.mark.parametrize(("tolerance", "code"), [("1e9", 0), ("1e-9", 4), ("0", 4)])
def test_the_tolerance_decides(run_of, command, tmp_path, tolerance, code):
    run = run_of("training.epochs=1")
    words = ("optimizer.learning_rate=0.010001", "--tolerance", tolerance, "--json")
    ended = command("reproduce", run.path, *words, "--run-dir", tmp_path / "again")
    assert ended.exit_code == code
    document = ended.document
    assert document["verdict"] == ("within_tolerance" if code == 0 else "different")
    assert 0 < document["largest"] < 1
    assert document["first_epoch"] == 1


def test_what_differs_in_the_environment_is_told(run_of, command, tmp_path):
    run = run_of("training.epochs=1")
    document = json.loads((run.path / "run.json").read_text())
    document["environment"]["packages"]["keras"] = "3.99"
    document["engine"]["processor"] = "another"
    (run.path / "run.json").write_text(json.dumps(document))
    ended = command("reproduce", run.path, "--run-dir", tmp_path / "again", "--json")
    told = ended.document["environment"]
    assert any('engine.processor was "another"' in line for line in told)
    assert any('environment.packages.keras was "3.99"' in line for line in told)


def test_a_mixture_is_said_to_be_one(run_of, command, tmp_path):
    run = run_of("training.epochs=1")
    words = ("optimizer.learning_rate=0.5", "training.epochs=2", "--allow-changed", "optimizer")
    assert command("train", run.path, *words, "--resume").exit_code == 0
    ended = command("reproduce", run.path, "--run-dir", tmp_path / "again")
    assert "a mixture, not one config" in ended.err
    assert ended.exit_code == 4
    assert "since epoch 1" in ended.out


def test_a_run_without_a_whole_checkpoint_is_refused_before_anything_is_trained(
    run_of, command, tmp_path
):
    run = run_of("training.epochs=1")
    for manifest in run.path.glob("checkpoints/*/manifest.json"):
        manifest.write_text("{}")
    ended = command("reproduce", run.path, "--run-dir", tmp_path / "again")
    assert ended.exit_code == 7
    assert "no whole checkpoint" in ended.err
    assert not (tmp_path / "again").exists()


def test_what_is_no_run_and_what_did_not_complete_are_refused(run_of, command, tmp_path):
    ended = command("reproduce", tmp_path)
    assert ended.exit_code == 2
    assert "is not a run directory" in ended.err
    run = run_of("optimizer={name: sgd, learning_rate: 1.0e+30}")
    ended = command("reproduce", run.path)
    assert ended.exit_code == 7
    assert "did not complete" in ended.err
    assert f"{run.path} --resume" in ended.err


# --- the comparison -----------------------------------------------------------------------


@pytest.fixture
def pair(run_of, tmp_path):
    """A run and a copy of it, to be changed."""
    run = run_of("training.epochs=3")
    shutil.copytree(run.path, tmp_path / "copy")
    return run.path, tmp_path / "copy"


def rewritten(run, **changes):
    """Its last checkpoint with other content, whole."""
    path = find_checkpoint(run, "last").path
    checkpoint = read_checkpoint(path)
    shutil.rmtree(path)
    from dataclasses import replace

    write_checkpoint(path, replace(checkpoint, **{k: f(checkpoint) for k, f in changes.items()}))


def flipped(arrays, name):
    """The arrays with the lowest bit of one value flipped."""
    bits = arrays[name].copy()
    bits.view(np.uint32).flat[0] ^= 1
    return {**arrays, name: bits}


def test_a_copy_is_identical_whatever_its_times_and_log_say(pair):
    first, second = pair
    log = second / "metrics.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    for line in lines:
        line["time"]["epoch_s"] = 1e6
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    (second / "log.txt").write_text("other")
    comparison = compare_runs(first, second)
    assert comparison.identical
    assert (comparison.first_epoch, comparison.largest) == (None, 0.0)


@pytest.mark.parametrize("part", ["model", "optimizer"])
def test_one_bit_of_one_array_is_found_and_named(pair, part):
    first, second = pair
    checkpoint = read_checkpoint(find_checkpoint(second, "last").path)
    name = next(n for n, a in getattr(checkpoint, part).items() if a.dtype == np.float32 and a.size)
    rewritten(second, **{part: lambda c: flipped(getattr(c, part), name)})
    found = [entry for entry in compare_runs(first, second).differences if part in entry.where]
    assert found
    assert found[0].where == f"last checkpoint: {part} {name}"
    assert found[0].what.startswith("1 of ")


def test_a_figure_of_the_log_is_found_with_its_epoch(pair):
    first, second = pair
    log = second / "metrics.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    lines[1]["validation"]["loss"] += 1e-12
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    comparison = compare_runs(first, second)
    assert comparison.first_epoch == 2
    assert comparison.differences[0].where == "epoch 2"
    assert "validation.loss was" in comparison.differences[0].what
    log.write_text("".join(json.dumps(line) + "\n" for line in lines[:1]))
    assert compare_runs(first, second).first_epoch == 2


def test_missing_predictions_and_other_outputs_are_found(pair):
    first, second = pair
    path = predictions_path(second / "predictions", "test")
    stored = read_predictions(path)
    from dataclasses import replace

    outputs = stored.outputs.copy()
    outputs[3, 1] = np.nan
    write_predictions(second / "predictions", "test", replace(stored, outputs=outputs))
    (entry,) = compare_runs(first, second).differences
    assert entry.where == "predictions outputs"
    assert entry.largest == float("inf")
    path.unlink()
    assert str(compare_runs(first, second).differences[0]) == "predictions: only the first has them"


def test_another_best_checkpoint_is_found(pair):
    first, second = pair
    rewritten(
        second,
        state=lambda c: __import__("dataclasses").replace(c.state, best_step=None, best_epoch=None),
    )
    told = [str(entry) for entry in compare_runs(first, second).differences]
    assert "best checkpoint: only the first has one" in told
    assert any(line.startswith("last checkpoint: state: best_step was") for line in told)
