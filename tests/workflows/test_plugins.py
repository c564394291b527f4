"""A run with plugins: computed, saved, gone on with, compared and exported; loaded when it is named."""

import builtins
import html
import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

import bmtrain as package
from bmtrain.checkpoint.read import read_checkpoint
from bmtrain.errors import CheckpointError, PluginError
from bmtrain.plugins.loading import load_plugins
from tests.report_tables import Tables

TWINS = Path(__file__).parents[1] / "plugins" / "twins.py"

#: Each of the built-in parts, and its twin of the plugin.
CONFIG = """\
name: line
data: {{source: {source}, label: target, normalize: none, splits: {{test: 0.2}}}}
model:
  layers:
    - {{type: {dense}, units: 3}}
    - {{type: {dense}, units: 1}}
loss: {loss}
metrics: [{metrics}]
optimizer: {{name: adam, learning_rate: 0.02}}
training:
  epochs: 3
  batch_size: 8
  threads: 1
  engine: graph
  augmentation: [{{type: {noise}, stddev: 0.1}}]
"""
BUILT_IN = {
    "dense": "dense",
    "loss": "mean_squared_error",
    "metrics": "mean_absolute_error, max_error",
    "noise": "noise",
}
OF_TWINS = {
    "dense": "twin_dense",
    "loss": "twin_squared_error",
    "metrics": "twin_absolute_error, twin_max_error",
    "noise": "twin_noise",
}


@pytest.fixture
def config(project, tmp_path):
    """(parts, changes of the text) -> a config in ``tmp_path``."""

    def write(parts, *changes, name="line.yaml"):
        text = CONFIG.format(source=project / "line.csv", **parts)
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


@pytest.fixture
def trained_twins(command, config, tmp_path):
    """(changes of the config) -> the run directory, trained with the plugin."""

    def run(*changes):
        path = tmp_path / "twins"
        ended = command(
            "train", config(OF_TWINS, *changes), "--plugin", TWINS, "--run-dir", path, "--json"
        )
        assert ended.exit_code == 0, ended.err
        return path

    return run


def weights(run):
    (path,) = (run / "checkpoints").glob("step-*")
    return read_checkpoint(path, plugins=load_plugins([TWINS])).model


def in_bfloat16_and_again(dense):
    """The changes of a config whose first layer is computed again for its gradients."""
    line = f"{{type: {dense}, units: 3}}"
    again = f"{{type: residual, remat: true, layers: [{line}]}}"
    return (line, again), ("threads: 1\n", "threads: 1\n  precision: mixed_bfloat16\n")


@pytest.mark.parametrize(
    "changes", [lambda _: (), in_bfloat16_and_again], ids=["as it is", "in bfloat16 and again"]
)
def test_what_a_plugin_computes_is_what_the_same_built_in_parts_compute(
    command, config, tmp_path, trained_twins, changes
):
    twins, path = trained_twins(*changes("twin_dense")), tmp_path / "built-in"
    built_in = config(BUILT_IN, *changes("dense"), name="b.yaml")
    ended = command("train", built_in, "--run-dir", path, "--json")
    assert ended.exit_code == 0, ended.err
    ours, theirs = (json.loads((run / "summary.json").read_text()) for run in (twins, path))
    for split, figures in theirs["metrics"].items():
        found = {name.removeprefix("twin_"): v for name, v in ours["metrics"][split].items()}
        found = {{"absolute_error": "mean_absolute_error"}.get(n, n): v for n, v in found.items()}
        assert found == figures, split
    ours, theirs = weights(twins), weights(path)
    assert list(ours) == list(theirs)
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name])


def test_a_checkpoint_loads_when_its_plugin_is_named_and_not_without(
    command, trained_twins, tmp_path, project
):
    run = trained_twins()
    named = ("--plugin", TWINS)
    told = command("eval", run, *named, "--json").document
    assert told["metrics"] == json.loads((run / "summary.json").read_text())["metrics"]["test"]
    for words in (
        ("eval", run),
        ("predict", run, project / "line.csv"),
        ("export", run, "--to", "keras"),
        ("train", run, "--resume", "training.epochs=4"),
        ("reproduce", run),
    ):
        ended = command(*words)
        assert ended.exit_code == 7, ended
        assert "it needs the layer 'twin_dense', the loss" in ended.err
        assert f"twins.py (sha256 {load_plugins([TWINS]).files[0].sha256})" in ended.err
    page = tmp_path / "page.html"
    told = command("report", run, "-o", page)
    assert told.exit_code == 0, told.err
    assert "name it: --plugin twins.py" in " ".join(told.err.split())
    told = command("report", run, *named, "-o", page, "--force", "--json")
    assert told.document["skipped"] == []
    text = page.read_text()
    assert Tables(text).found["Layers, in order"][1][:2] == ["0", "twin_dense"]
    assert f"bmtrain reproduce {run} --plugin twins.py" in html.unescape(text)
    with pytest.raises(CheckpointError, match="it needs the layer"):
        package.load(run)
    model = package.load(run, plugins=[TWINS])
    table = {name: np.zeros(4, np.float32) for name in "abc"}
    outputs = model.predict(table).outputs
    np.testing.assert_array_equal(outputs, outputs[:1].repeat(4, axis=0))


def test_another_content_is_a_warning_to_eval_and_refused_when_the_run_goes_on(
    command, trained_twins, tmp_path
):
    run, other = trained_twins(), tmp_path / "twins.py"
    other.write_text(TWINS.read_text() + "# another\n")
    ended = command("eval", run, "--plugin", other)
    assert ended.exit_code == 0
    assert "the plugin twins.py is not what it was (sha256 " in ended.err
    on = ("train", run, "--resume", "training.epochs=4", "--plugin", other)
    refused = command(*on)
    assert refused.exit_code == 7
    assert "plugins was twins.py (" in refused.err
    assert "--allow-changed plugins" in refused.err
    assert command(*on, "--allow-changed", "plugins").exit_code == 0
    (changed,) = json.loads((run / "run.json").read_text())["changed"]
    assert changed["key"] == "plugins"


def test_a_random_layer_goes_on_with_the_bits_that_it_had(command, config, tmp_path):
    random = (
        "- {type: twin_dense, units: 1}",
        "- {type: twin_dropout}\n    - {type: dense, units: 1}",
    )
    path = config(OF_TWINS, random)
    once, twice = tmp_path / "once", tmp_path / "twice"
    named = ("--plugin", TWINS, "--json")
    assert command("train", path, "--run-dir", once, *named).exit_code == 0
    assert command("train", path, "training.epochs=1", "--run-dir", twice, *named).exit_code == 0
    ended = command("train", twice, "--resume", "training.epochs=3", *named)
    assert ended.exit_code == 0, ended.err
    newest = [max((run / "checkpoints").glob("step-*")) for run in (once, twice)]
    first, second = ((step / "model.safetensors").read_bytes() for step in newest)
    assert first == second


def test_runs_are_compared_without_their_plugins(command, trained_twins, config, tmp_path):
    run, other = trained_twins(), tmp_path / "other"
    more = ("--plugin", TWINS, "--run-dir", other, "--json")
    assert command("train", config(OF_TWINS), "training.epochs=2", *more).exit_code == 0
    document = command("compare", run, other, "--json").document
    assert document["figure"] == "test.twin_absolute_error"
    (found,) = document["evidence"]
    assert "is a plugin's, and comparing runs loads none" in found["reason"]
    assert [row["key"] for row in document["config"]] == ["training.epochs"]
    assert command("runs", tmp_path, "--json").exit_code == 0


def test_a_format_of_a_plugin_is_read_trained_on_and_predicted(command, config, project, tmp_path):
    rows = (project / "line.csv").read_text().splitlines()[1:]
    lines = [" ".join([cells[3], *cells[:3]]) for cells in (row.split(",") for row in rows)]
    (tmp_path / "line.lines").write_text("\n".join(lines) + "\n")
    path = config(
        BUILT_IN, (f"source: {project / 'line.csv'}, label: target", "source: ./line.lines")
    )
    named = ("--plugin", TWINS)
    ended = command("train", path, *named, "--run-dir", tmp_path / "run", "--json")
    assert ended.exit_code == 0, ended.err
    csv = command("predict", tmp_path / "run", tmp_path / "line.lines", *named)
    assert len(csv.out.splitlines()) == 61
    (tmp_path / "bad.lines").write_text("1 2 3 4\n1 2 x 4\n")
    for words in (("predict", tmp_path / "run"), ("eval", tmp_path / "run", "--data")):
        ended = command(*words, tmp_path / "bad.lines", *named)
        assert ended.exit_code == 3
        assert "bad.lines: line 2: expected numbers, got '1 2 x 4'" in ended.err
    ended = command("convert", tmp_path / "line.lines", tmp_path / "npy", *named)
    assert ended.exit_code == 0, ended.err
    assert np.load(tmp_path / "npy" / "x_train.npy").shape == (60, 3)
    assert (
        command("convert", tmp_path / "line.lines", tmp_path / "n", "--format", "x").exit_code == 2
    )


def test_exports_hold_a_plugins_layer_or_say_before_why_not(command, trained_twins, tmp_path):
    run, to = trained_twins(), tmp_path / "exports"
    to.mkdir()
    for name in ("onnx", "safetensors"):
        ended = command("export", run, "--to", name, "-o", to, "--plugin", TWINS)
        assert ended.exit_code == 2
        assert f"--to {name}: layer 0 (twin_dense) is a plugin's, and " in ended.err
    bare = tmp_path / "twins.py"
    registered = '@keras.saving.register_keras_serializable("twins")'
    bare.write_text(TWINS.read_text().replace(registered, ""))
    ended = command("export", run, "--to", "keras", "-o", to, "--plugin", bare)
    assert ended.exit_code == 2
    assert "Dense, the class of twin_dense, is not registered" in ended.err
    assert "checkpoint" not in ended.err  # nor anything else: it is refused at first
    assert "reading" not in ended.err
    ended = command("export", run, "--to", "keras", "-o", to, "--plugin", TWINS, "--json")
    assert ended.exit_code == 0, ended.err
    (export,) = ended.document["exports"]
    assert "where the layer classes of twins.py are registered" in export["usage"]
    description = json.loads((to / "line.keras.json").read_text())
    assert description["plugins"][0]["file"] == "twins.py"


FAILING = """\
from typing import Literal
from bmtrain import plugins


class Failing(plugins.LossSection):
    name: Literal["failing"]


def build(config):
    def loss(targets, outputs):
        raise ValueError("no loss today\\nand a second line")

    return loss


plugins.register_loss(Failing, builder=build)
"""


def test_code_that_fails_in_a_training_is_told_with_its_line_and_no_traceback(
    command, config, tmp_path
):
    (tmp_path / "failing.py").write_text(FAILING)
    path = config(BUILT_IN | {"loss": "failing"})
    run = tmp_path / "run"
    ended = command("train", path, "--plugin", tmp_path / "failing.py", "--run-dir", run)
    assert ended.exit_code == 2
    assert (
        f"{tmp_path / 'failing.py'}:11:9: error: ValueError: no loss today (in loss)" in ended.err
    )
    assert "Traceback" not in ended.err
    assert "Nothing was run" not in ended.err
    assert {entry.name for entry in run.iterdir()} == {".lock", "log.txt"}
    assert "ended: plugin: ValueError: no loss today" in (run / "log.txt").read_text()
    assert "Traceback" not in (run / "log.txt").read_text()
    document = command(
        "train", path, "--plugin", tmp_path / "failing.py", "--run-dir", run, "--json"
    ).document  # the same command begins there again
    assert (document["error"]["code"], document["exit_code"]) == ("plugin", 2)
    with pytest.raises(ValueError, match="no loss today"):  # a program sees its own exception
        package.train(path, plugins=[tmp_path / "failing.py"], run_dir=tmp_path / "again")


@pytest.mark.parametrize("place", ["file", "path", "config"])
def test_no_path_in_a_checkpoint_is_opened_as_a_plugin(
    command, trained_twins, tmp_path, forger, place, monkeypatch
):
    """Whatever the records say: the file that they point at is not even looked at."""
    evil = tmp_path / "evil.py"
    evil.write_text(TWINS.read_text())
    run = trained_twins()
    (checkpoint,) = (run / "checkpoints").glob("step-*")
    document = forger.manifest(checkpoint)
    records = json.loads((run / "run.json").read_text())
    for plugins in (document["plugins"], records["plugins"]):
        plugins[0] |= {"file": str(evil)} if place == "file" else {}
        plugins[0] |= {"path": str(evil)} if place == "path" else {}
    if place == "config":
        document["experiment"] |= {"plugins": [str(evil)]}
        text = (run / "config.yaml").read_text()
        (run / "config.yaml").write_text(f"{text}plugins: [{evil}]\n")
    forger.seal(checkpoint, document)
    (run / "run.json").write_text(json.dumps(records))
    opened = []

    def seen(real):
        def call(path, *arguments, **options):
            opened.append(path)
            return real(path, *arguments, **options)

        return call

    for module, name in ((os, "open"), (builtins, "open"), (os, "stat"), (os, "lstat")):
        monkeypatch.setattr(module, name, seen(getattr(module, name)))
    known = set(sys.modules)
    for named in ((), ("--plugin", TWINS)):
        for words in (
            ("eval", run),
            ("eval", checkpoint),
            ("train", run, "--resume"),
            ("compare", run, run),
        ):
            ended = command(*words, *(named if words[0] != "compare" else ()))
            assert ended.exit_code in (2, 7), ended
            assert "Traceback" not in ended.err
    assert opened
    assert not [path for path in opened if "evil" in str(path)]
    assert not [name for name in set(sys.modules) - known if "evil" in name]


def test_a_plugin_is_handed_on_to_the_processes_that_a_proof_starts(config, tmp_path, in_process):
    from bmtrain.workflows.observed_training import main

    document = {
        "config": str(config(OF_TWINS)),
        "overrides": ["training.epochs=1"],
        "run_dir": str(tmp_path / "run"),
        "start": "new",
    }
    reading, writing = os.pipe()
    try:
        assert main([json.dumps(document | {"plugins": [str(TWINS)]}), str(writing)]) == 0
        assert os.read(reading, 1000).endswith(b"d")
    finally:
        os.close(reading)
        os.close(writing)
    paths = load_plugins([TWINS]).paths
    assert paths == (TWINS.absolute(),)


def test_check_says_what_of_a_plugin_is_used_and_schema_holds_it(command, config):
    document = command("check", config(OF_TWINS), "--plugin", TWINS, "--json").document
    told = [finding["message"] for finding in document["sections"][0]["findings"]]
    (found,) = [t for t in told if "of the plugin twins.py the config uses the layer" in t]
    assert found.endswith("; what it computes is not run here: --measure does that")
    assert "twin_dense" in command("schema", "--plugin", TWINS).out
    assert "twin_dense" not in command("schema").out


def test_what_xla_cannot_compile_of_a_plugin_is_told(runtime):
    import tensorflow as tf

    from bmtrain.workflows.session import native_faults

    @tf.function(jit_compile=True, autograph=False)
    def compiled(x):
        return tf.strings.length(tf.strings.as_string(x))

    with pytest.raises(PluginError, match="XLA cannot compile") as caught, native_faults("cpu"):
        compiled(tf.constant(1.0))
    assert "training.engine: graph" in str(caught.value.hint)


def test_folds_are_trained_and_gone_on_with_by_the_plugin(command, config, tmp_path):
    path = config(OF_TWINS, ("epochs: 3", "epochs: 1"))
    words = ("--folds", "2", "--plugin", TWINS, "--run-dir", tmp_path / "folds", "--json")
    assert command("train", path, *words).exit_code == 0
    shutil.rmtree(tmp_path / "folds" / "fold-2")
    assert command("train", tmp_path / "folds", "--resume").exit_code == 7
    ended = command("train", tmp_path / "folds", "--resume", "--plugin", TWINS, "--json")
    assert ended.exit_code == 0, ended.err
    assert len(ended.document["folds"]) == 2
