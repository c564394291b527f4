"""Streamed tables of categories, gaps and texts: no bit of a run is another, and memory is bounded."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

REPOSITORY = Path(__file__).parents[2]
TABLE = f"""\
seed: 3
extends: {REPOSITORY / "configs" / "penguins.yaml"}
data: {{splits: {{validation: 0.2}}, missing: indicator}}
training: {{epochs: 3, batch_size: 8, threads: 1}}
expect: []
"""
TEXTS = f"""\
seed: 3
extends: {REPOSITORY / "configs" / "speeches.yaml"}
data: {{train_examples: 200, tokens: {{vocabulary: 300, length: 12}}}}
training: {{epochs: 2, batch_size: 16, threads: 1}}
expect: []
"""

#: Blocks of a few steps, of the file and of what becomes of it: the data would fit into one.
SMALL_BLOCKS = """\
import sys
from bmtrain.data.raw import coded_rows, streamed_rows
streamed_rows.STREAM_BYTES = 1600
coded_rows._BLOCK_BYTES = 1000
from bmtrain.cli.main import main
sys.argv[0] = "bmtrain"
sys.exit(main())
"""


@pytest.fixture
def small_blocks(environment, tmp_path):
    """Words -> the command's end, in a directory of the test's own."""
    for name, text in (("table", TABLE), ("texts", TEXTS)):
        (tmp_path / f"{name}.yaml").write_text(text)

    def run(*words):
        ended = subprocess.run(
            [sys.executable, "-c", SMALL_BLOCKS, *map(str, words)],
            capture_output=True,
            text=True,
            env=environment,
            cwd=tmp_path,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return ended

    return run


def bits(run_dir):
    """All of the last checkpoint but what says when, and the log without times."""
    summary = json.loads((run_dir / "summary.json").read_text())
    checkpoint = run_dir / "checkpoints" / Path(summary["checkpoint"]).name
    files = {
        path.name: path.read_bytes()
        for path in checkpoint.iterdir()
        if path.name.startswith(("model.", "optimizer.", "preprocessing."))
    }
    lines = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
    log = [{key: value for key, value in line.items() if key != "time"} for line in lines]
    return files, log, summary["metrics"]


@pytest.mark.parametrize("kind", ["table", pytest.param("texts", marks=pytest.mark.long)])
def test_a_streamed_or_converted_run_is_the_resident_run_to_the_bit(small_blocks, tmp_path, kind):
    """Categories, gaps and their indicators, or words; weights, optimizer, encoding and log."""
    config = f"{kind}.yaml"
    small_blocks("train", config, "data.storage=resident", "--run-dir", "resident")
    small_blocks("train", config, "data.storage=stream", "--run-dir", "streamed")
    small_blocks("convert", config, "it.set")
    small_blocks("train", config, "data.source=it.set", "data.storage=stream", "--run-dir", "set")
    resident = bits(tmp_path / "resident")
    assert "preprocessing.json" in resident[0]
    assert bits(tmp_path / "streamed") == resident
    assert bits(tmp_path / "set") == resident
    data = [
        json.loads((tmp_path / name / "run.json").read_text())["data"]
        for name in ("resident", "streamed", "set")
    ]
    assert [facts["storage"] for facts in data] == ["resident", "stream", "stream"]
    assert len({facts["fingerprint"] for facts in data}) == 1


@pytest.mark.long
def test_a_streamed_table_that_was_stopped_goes_on_to_the_same_bits(
    small_blocks, in_process, tmp_path, monkeypatch
):
    """Stopped within the second epoch; resumed streamed, though the cache is gone; and evaluated."""
    from bmtrain.errors import Interrupted
    from bmtrain.events import StepsDone
    from bmtrain.workflows.train import TrainRequest, train

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    one_by_one = ("training.steps_per_call=1", "training.engine=graph")
    request = TrainRequest(
        config=tmp_path / "table.yaml",
        overrides=("data.storage=stream", *one_by_one),
        run_dir=tmp_path / "stopped",
    )

    def follow():
        for number, _event in enumerate(e for e in train(request) if isinstance(e, StepsDone)):
            if number + 1 == 40:
                signal.raise_signal(signal.SIGTERM)

    with pytest.raises(Interrupted, match="interrupted at step 40"):
        follow()
    shutil.rmtree(tmp_path / "cache" / "bmtrain" / "data")
    small_blocks("train", "stopped", "--resume")
    small_blocks("train", "table.yaml", "data.storage=resident", *one_by_one, "--run-dir", "whole")
    assert bits(tmp_path / "stopped") == bits(tmp_path / "whole")
    judged = small_blocks("eval", "stopped", "--json")
    assert json.loads(judged.stdout)["metrics"] == bits(tmp_path / "stopped")[2]["test"]


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="RssAnon is Linux's")
def test_a_streamed_table_takes_no_memory_of_its_size(most_memory, tmp_path):
    """Inputs of 430 MB, 70 MB in the file: the anonymous memory grows by less than the half of that."""
    import polars as pl

    random = np.random.default_rng(0)
    (tmp_path / "t.yaml").write_text(
        "name: t\nseed: 0\n"
        "data: {source: ./t.parquet, label: y, categorical: [city], missing: mean}\n"
        "model: {layers: [{type: dense, units: 2, activation: softmax}]}\n"
        "loss: sparse_categorical_crossentropy\noptimizer: adam\n"
        "training: {epochs: 1, batch_size: 512, threads: 1}\n"
    )
    taken = {}
    for num_rows in (1_000, 600_000):
        cities = [f"city {number}" for number in range(150)]
        columns: dict[str, Any] = {f"n{at}": random.normal(size=num_rows) for at in range(28)}
        columns["city"] = [cities[at] for at in random.integers(0, 150, num_rows)]
        columns["y"] = [f"{at % 2}" for at in range(num_rows)]
        pl.DataFrame(columns).write_parquet(tmp_path / "t.parquet")
        taken[num_rows] = most_memory("train", "t.yaml", "data.storage=stream", "--quiet")
    assert taken[600_000] - taken[1_000] < 215_000_000, taken
