"""Small data, and the real command on it: in a process of its own, or in this one."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

MakeOnce = Callable[[str, Callable[[Path], None]], Path]

CLASSES = ("left", "right", "up")
FEATURES = ("x", "y", "z", "noise")
NUM_ROWS = 310  # 62 test, 62 validation, 186 train: 23 batches of 8 and one of 2

POINTS = """\
name: points
seed: 3
data: {source: ./points.csv, label: side, splits: {validation: 0.2, test: 0.2}}
model: {type: mlp, hidden: [8], dropout: 0.2, batch_normalization: true}
loss: sparse_categorical_crossentropy
metrics: [accuracy]
optimizer: {name: adam, learning_rate: 0.01}
regularization: {l2_lambda: 0.5}
training: {epochs: 3, batch_size: 8, threads: 1}
"""

#: Full-batch descent of a linear layer: the textbook's regression.
LINE = """\
name: line
data: {source: ./line.csv, label: target, normalize: none}
model: {layers: [{type: dense, units: 1}]}
loss: half_mean_squared_error
optimizer: {name: gradient_descent, learning_rate: 0.5}
training: {epochs: 200, batch_size: full, threads: 1}
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    exit_code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Run:
    """A run directory and the command that made it."""

    path: Path
    ended: Ended

    @property
    def summary(self) -> Any:
        return json.loads((self.path / "summary.json").read_text())

    @property
    def epochs(self) -> list[dict[str, Any]]:
        """The lines of metrics.jsonl."""
        return [json.loads(line) for line in (self.path / "metrics.jsonl").read_text().splitlines()]

    @property
    def epochs_but_times(self) -> list[dict[str, Any]]:
        return [{k: v for k, v in line.items() if k != "time"} for line in self.epochs]

    def checkpoint(self, which: str = "checkpoint") -> Path:
        """The one that the summary names; its path is relative to the project."""
        return self.path / "checkpoints" / Path(self.summary[which]).name

    def bits(self, which: str = "checkpoint") -> tuple[bytes, bytes]:
        """Weights and optimizer, byte for byte."""
        path = self.checkpoint(which)
        return (path / "model.safetensors").read_bytes(), (
            path / "optimizer.safetensors"
        ).read_bytes()


def points(num_rows: int, *, seed: int) -> tuple[np.ndarray, list[str]]:
    random = np.random.default_rng(seed)
    features = random.normal(size=(num_rows, len(FEATURES))).round(6)
    scores = features[:, :3] + 0.4 * random.normal(size=(num_rows, 3))
    return features, [CLASSES[i] for i in scores.argmax(axis=1)]


def write_table(path: Path, columns: dict[str, Any]) -> None:
    rows = zip(*columns.values(), strict=True)
    lines = [",".join(columns), *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")


def _write_project(directory: Path) -> None:
    features, labels = points(NUM_ROWS, seed=0)
    write_table(
        directory / "points.csv", dict(zip(FEATURES, features.T, strict=True)) | {"side": labels}
    )
    (directory / "points.yaml").write_text(POINTS)
    random = np.random.default_rng(1)
    x = random.normal(size=(60, 3)).round(6)
    y = (x @ [1.5, -2.0, 0.5] + 3 + 0.1 * random.normal(size=60)).round(6)
    write_table(directory / "line.csv", {"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "target": y})
    (directory / "line.yaml").write_text(LINE)


@pytest.fixture(scope="session")
def make_once(tmp_path_factory) -> MakeOnce:
    """(name, fill) -> a directory that ``fill`` filled once for all of pytest's processes."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent

    def get(name: str, fill: Callable[[Path], None]) -> Path:
        directory, done = shared / name, shared / f"{name}.done"
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                directory.mkdir()
                fill(directory)
                done.touch()
        return directory

    return get


@pytest.fixture(scope="session")
def project(make_once) -> Path:
    """A directory with configs and tables; read it, write elsewhere."""
    return make_once("project", _write_project)


@pytest.fixture(scope="session")
def environment(make_once) -> dict[str, str]:
    """A user's environment, with a home and a compilation cache of its own."""
    home = make_once("home", lambda _: None)
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("BMTRAIN_", "COLUMNS", "KERAS_", "ORT_", "TF_", "XLA_", "XDG_"))
    }
    return inherited | {"HOME": str(home), "NO_COLOR": "1"}


@pytest.fixture(scope="session")
def bmtrain(environment, project):
    """Runs one command line in a process of its own; ``directory`` is where, the project if not told."""

    def run(
        *arguments: object, directory: Path = project, stdin: str | None = None, **variables: str
    ) -> Ended:
        command = [sys.executable, "-m", "bmtrain", *map(str, arguments)]
        ended = subprocess.run(
            command,
            cwd=directory,
            env=environment | variables,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    return run


@pytest.fixture(scope="session")
def trained(bmtrain, make_once, project):
    """(name, overrides …) -> the Run of that name, trained once by the real command."""

    def run(name: str, *words: str, config: Path | str = "points.yaml", **variables: str) -> Run:
        def fill(directory: Path) -> None:
            run_dir = directory / "run"
            ended = bmtrain("train", config, *words, "--run-dir", run_dir, "--json", **variables)
            (directory / "ended.json").write_text(json.dumps(asdict(ended)))

        directory = make_once(name, fill)
        ended = Ended(**json.loads((directory / "ended.json").read_text()))
        return Run(directory / "run", ended)

    return run


@pytest.fixture(scope="session")
def reference(trained) -> Run:
    """``points.yaml`` as it is: the first run in the shared home, so its cache was cold."""
    return trained("reference")


@pytest.fixture
def command(in_process, monkeypatch, capfd, project):
    """Runs one command line in this process, where TensorFlow is already; not for bits."""
    from bmtrain.cli.main import main

    monkeypatch.chdir(project)
    monkeypatch.setenv("NO_COLOR", "1")

    def run(*arguments: object) -> Ended:
        capfd.readouterr()
        exit_code = main([str(argument) for argument in arguments])
        return Ended(exit_code, *capfd.readouterr())

    return run


@pytest.fixture
def train(command, tmp_path):
    """(words …) -> the Run of ``train`` in this process under the graph engine."""
    count = iter(range(100))

    def run(*words: str, config: str = "points.yaml") -> Run:
        path = tmp_path / f"run-{next(count)}"
        ended = command(
            "train", config, "training.engine=graph", *words, "--run-dir", path, "--json"
        )
        return Run(path, ended)

    return run


@pytest.fixture
def run_of(train, make_once, tmp_path):
    """(words …) -> a copy of the Run of ``train``, for tests of what comes after: trained only once."""
    count = iter(range(100))

    def run(*words: str, config: str = "points.yaml") -> Run:
        def fill(directory: Path) -> None:
            made = train(*words, config=config)
            shutil.move(made.path, directory / "run")
            (directory / "ended.json").write_text(json.dumps(asdict(made.ended)))

        key = hashlib.sha256("\0".join((config, *words)).encode()).hexdigest()
        kept, copy = make_once(f"run-{key}", fill), tmp_path / f"copy-{next(count)}"
        shutil.copytree(kept / "run", copy)
        return Run(copy, Ended(**json.loads((kept / "ended.json").read_text())))

    return run


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


@pytest.fixture
def started(environment, project, tmp_path):
    """Starts the command in a process of its own; ended after the test whatever happens."""
    processes = []

    def start(*words):
        path = tmp_path / "run"
        command = [sys.executable, "-m", "bmtrain", "train", "points.yaml", *words]
        process = subprocess.Popen(
            [*command, "--run-dir", str(path), "--json"],
            cwd=project,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process, path

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def wait_for():
    """(condition, process): until the run has come as far as that."""

    def wait(condition, process):
        for _ in range(3000):
            if condition():
                return
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        raise AssertionError("it never came that far")

    return wait


@pytest.fixture
def most_memory(environment, tmp_path):
    """(words of a command …) -> the most bytes of anonymous memory that it took, run in ``tmp_path``."""
    script = Path(__file__).with_name("most_memory.py")

    def run(*words: str) -> int:
        ended = subprocess.run(
            [sys.executable, script, "most.txt", *words],
            capture_output=True,
            text=True,
            env=environment | {"PYTHONPATH": str(Path(__file__).parents[2])},
            cwd=tmp_path,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return int((tmp_path / "most.txt").read_text())

    return run
