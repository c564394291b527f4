"""``train RUN --resume``: an interrupted run ends as if it had never been stopped."""

import json
import signal
from pathlib import Path

import pytest


@pytest.fixture
def interrupted(in_process, project, tmp_path, monkeypatch):
    """(number of calls, overrides …) -> the run directory; one step per call, then SIGTERM."""
    from bmtrain.errors import Interrupted
    from bmtrain.events import StepsDone
    from bmtrain.workflows.train import TrainRequest, train

    monkeypatch.chdir(project)

    def run(num_calls, *overrides):
        path = tmp_path / f"interrupted-{num_calls}"
        request = TrainRequest(
            config=project / "points.yaml",
            overrides=("training.engine=graph", "training.steps_per_call=1", *overrides),
            run_dir=path,
        )

        def follow():
            calls = 0
            for event in train(request):
                calls += isinstance(event, StepsDone)
                if isinstance(event, StepsDone) and calls == num_calls:
                    signal.raise_signal(signal.SIGTERM)

        with pytest.raises(Interrupted, match=f"interrupted at step {num_calls}"):
            follow()
        return path

    return run


def bits(path, summary):
    """Weights, optimizer, log without times, and the figures."""
    files = [
        (path / "checkpoints" / Path(summary[which]).name / name).read_bytes()
        for which in ("checkpoint", "best_checkpoint")
        for name in ("model.safetensors", "optimizer.safetensors")
    ]
    return files, summary["metrics"], summary["steps_completed"]


def log_but_times(path):
    lines = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "time"} for line in lines]


@pytest.mark.parametrize("num_calls", [1, 24, 31, 71])
def test_a_resumed_run_ends_in_the_bits_of_one_that_was_never_stopped(
    interrupted, command, train, num_calls
):
    """In the first epoch, at its end, in the middle, and one step before the end."""
    path = interrupted(num_calls)
    whole = train()
    ended = command("train", path, "--resume", "--json")
    assert ended.exit_code == 0, ended.err
    assert bits(path, ended.document) == bits(whole.path, whole.summary)
    assert log_but_times(path) == log_but_times(whole.path)
