"""``data.storage: stream``: no result changes by a bit, and memory is bounded."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bmtrain.config.load import load_config
from bmtrain.workflows.preparation import load_experiment_data


@pytest.fixture(scope="session")
def arrays(make_once, project):
    """The project's config on the same examples as arrays; in blocks of two steps if streamed."""

    def fill(directory):
        split = load_experiment_data(
            load_config(project / "points.yaml", ("data.splits=null",)).experiment
        ).splits["train"]
        (directory / "arrays").mkdir()
        np.save(directory / "arrays" / "x_train.npy", split.array)
        np.save(directory / "arrays" / "y_train.npy", split.labels)
        config = (project / "points.yaml").read_text()
        config = config.replace("./points.csv, label: side", "./arrays, normalize: standardize")
        (directory / "arrays.yaml").write_text(config)

    return make_once("arrays-project", fill)


def bits(run_dir):
    summary = json.loads((run_dir / "summary.json").read_text())
    files = [
        (run_dir / "checkpoints" / Path(summary[which]).name / name).read_bytes()
        for which in ("checkpoint", "best_checkpoint")
        for name in ("model.safetensors", "optimizer.safetensors")
    ]
    lines = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
    log = [{key: value for key, value in line.items() if key != "time"} for line in lines]
    return files, log, summary["metrics"]


#: Blocks of two steps: the test's data would fit into one.
SMALL_BLOCKS = """\
import sys
from bmtrain.data.raw import streamed_rows
streamed_rows.STREAM_BYTES = 2 * 8 * 4 * 4
from bmtrain.cli.main import main
sys.argv[0] = "bmtrain"
sys.exit(main())
"""


@pytest.fixture
def train_arrays(arrays, environment, tmp_path):
    """(name, overrides …) -> the run directory; streamed runs in blocks of two steps."""

    def run(name, *overrides, config=None, options=()):
        path = tmp_path / name
        command = [sys.executable, "-c", SMALL_BLOCKS, "train", config or arrays / "arrays.yaml"]
        where = () if options else ("--run-dir", path)
        ended = subprocess.run(
            [*command, *overrides, *where, *options, "--json"],
            capture_output=True,
            text=True,
            env=environment,
            cwd=tmp_path,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return path

    return run


@pytest.mark.parametrize(
    "steps_per_call",
    [pytest.param(1, marks=pytest.mark.long), 7, pytest.param(1000, marks=pytest.mark.long)],
)
def test_a_streamed_run_is_the_resident_run_to_the_bit(train_arrays, steps_per_call):
    """Dropout, batch normalisation, a short last batch, drawn splits, several blocks an epoch."""
    resident = train_arrays("resident", "data.storage=resident")
    wanted = ("data.storage=stream", f"training.steps_per_call={steps_per_call}")
    streamed = train_arrays("streamed", *wanted)
    assert bits(streamed) == bits(resident)
    recorded = [json.loads((run / "run.json").read_text())["data"] for run in (resident, streamed)]
    assert [data["storage"] for data in recorded] == ["resident", "stream"]
    assert recorded[0]["fingerprint"] == recorded[1]["fingerprint"]


def test_a_streamed_run_that_was_stopped_within_an_epoch_goes_on_to_the_same_bits(
    train_arrays, arrays, in_process, tmp_path, monkeypatch
):
    """Stopped in the second epoch, in the middle of a block; resumed streamed, or resident."""
    from bmtrain.errors import Interrupted
    from bmtrain.events import StepsDone
    from bmtrain.workflows.train import TrainRequest, train

    monkeypatch.chdir(tmp_path)
    stopped = tmp_path / "stopped"
    request = TrainRequest(
        config=arrays / "arrays.yaml",
        overrides=("data.storage=stream", "training.steps_per_call=1", "training.engine=graph"),
        run_dir=stopped,
    )

    def follow():
        for number, _event in enumerate(e for e in train(request) if isinstance(e, StepsDone)):
            if number + 1 == 29:
                signal.raise_signal(signal.SIGTERM)

    with pytest.raises(Interrupted, match="interrupted at step 29"):
        follow()
    whole = train_arrays("whole", "data.storage=resident", "training.engine=graph")
    train_arrays("", "data.storage=resident", config=stopped, options=("--resume",))
    assert bits(stopped) == bits(whole)


CUT_SHORT = """\
import os, sys
from bmtrain.data.raw import streamed_rows
streamed_rows.STREAM_BYTES = 2 * 8 * 4 * 4
number = int(sys.argv.pop())
calls, gather = 0, streamed_rows.StreamedRows.read_into
def cutting(self, block, which):
    global calls
    calls += 1
    if calls == number:
        os.truncate("arrays/x_train.npy", 600)
    gather(self, block, which)
streamed_rows.StreamedRows.read_into = cutting
from bmtrain.cli.main import main
sys.argv[0] = "bmtrain"
sys.exit(main())
"""


@pytest.mark.long
def test_a_file_that_is_cut_short_while_it_is_streamed_is_one_message_and_costs_no_checkpoint(
    train_arrays, arrays, environment, tmp_path
):
    """In the third epoch; whole again, it is gone on with to the bits of a run that was whole."""
    shutil.copytree(arrays / "arrays", tmp_path / "arrays")
    config = tmp_path / "arrays.yaml"
    shutil.copy(arrays / "arrays.yaml", config)
    whole = train_arrays("whole", "data.storage=resident", config=config)
    num_calls = 2 * 7 + 3
    words = ("train", config, "data.storage=stream", "--run-dir", "cut", "--quiet", num_calls)
    ended = subprocess.run(
        [sys.executable, "-c", CUT_SHORT, *map(str, words)],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
        check=False,
    )
    assert ended.returncode == 3, ended.stderr
    assert "x_train.npy: the file was cut short" in " ".join(ended.stderr.split())
    assert "Traceback" not in ended.stderr
    summary = json.loads((tmp_path / "cut" / "summary.json").read_text())
    assert (summary["status"], summary["exit_code"]) == ("failed", 3)
    assert (tmp_path / summary["checkpoint"]).is_dir()
    shutil.copy(arrays / "arrays" / "x_train.npy", tmp_path / "arrays")
    train_arrays("", config=tmp_path / "cut", options=("--resume",))
    assert bits(tmp_path / "cut") == bits(whole)


@pytest.mark.skipif(sys.platform != "linux", reason="RssAnon is Linux's")
def test_a_streamed_set_takes_no_memory_of_its_size(most_memory, tmp_path):
    """600 MB of features: the anonymous memory grows by less than a quarter of that."""
    taken = {}
    for name, num_rows in (("small", 2_000), ("large", 768_000)):
        directory = tmp_path / name
        directory.mkdir()
        x = np.lib.format.open_memmap(directory / "x_train.npy", "w+", np.uint8, (num_rows, 28, 28))
        x[:, 3, 5] = np.arange(num_rows) % 251
        del x
        np.save(directory / "y_train.npy", (np.arange(num_rows) % 2).astype(np.uint8))
        (tmp_path / f"{name}.yaml").write_text(
            f"name: {name}\nseed: 0\ndata: {{source: ./{name}, storage: stream}}\n"
            "model: {layers: [{type: flatten}, {type: dense, units: 2, activation: softmax}]}\n"
            "loss: sparse_categorical_crossentropy\noptimizer: adam\n"
            "training: {epochs: 1, batch_size: 512, threads: 1}\n"
        )
        run_dir = ("--run-dir", f"run-{name}")
        taken[name] = most_memory("train", f"{name}.yaml", "--quiet", *run_dir)
        (directory / "x_train.npy").unlink()
    assert taken["large"] - taken["small"] < 150_000_000, taken
