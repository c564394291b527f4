"""What holds for every test, and what several folders share."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from bmtrain.engine.runtime import Runtime

# No test is timed: on a busy machine a deadline fails what is right.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

# Nothing of bmtrain is imported above: the command line's tests look at what is.

#: Folders whose tests are at work in Keras and TensorFlow, and there a trace costs half as much again.
_IN_TENSORFLOW = frozenset({"engine", "exports", "models", "workflows"})


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Coverage of tests that are at work in TensorFlow is counted in every other one, a lower bound.

    And there in its first case, the dearest, for the others run the same lines. Of the cases under XLA,
    which compiles each for a second or more, the first of a test is for every day; the others
    are long, and have their twins under the other engine.
    """
    counted: set[tuple[Path, str]] = set()
    compiled: set[tuple[Path, str]] = set()
    for item in items:
        if item.path.parent.name not in _IN_TENSORFLOW:
            continue
        name, _, case = item.name.partition("[")
        test = (item.path, name)
        if test in counted or len(counted) % 2:
            item.add_marker(pytest.mark.no_cover)
        counted.add(test)
        if "xla" in re.split(r"[-\]]", case):
            if test in compiled:
                item.add_marker(pytest.mark.long)
            compiled.add(test)


@contextmanager
def _environment_kept() -> Iterator[None]:
    """Starting TensorFlow pins environment variables; other tests must not see that."""
    before = dict(os.environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(scope="session")
def runtime() -> Iterator[Runtime]:
    """TensorFlow in this process: the processor, one thread, no compilation cache."""
    from bmtrain.engine.runtime import started_runtime

    with _environment_kept():
        os.environ["BMTRAIN_XLA_CACHE"] = "0"
        with started_runtime(device="cpu", threads=1, note=lambda _: None) as started:
            yield started


@pytest.fixture
def in_process(runtime: Runtime) -> Iterator[None]:
    """Workflows called in this process start TensorFlow once more; the environment is put back."""
    with _environment_kept():
        os.environ["BMTRAIN_XLA_CACHE"] = "0"
        yield


class Forger:
    """Changes checkpoints as a stranger would who read our source: sizes and sha256 are right."""

    def manifest(self, directory: Path) -> dict[str, Any]:
        """What the manifest says, without its seal."""
        with (directory / "manifest.json").open("rb") as file:
            document: dict[str, Any] = json.loads(file.read(2**23).rstrip(b"\0"))
        del document["sha256"]
        return document

    def seal(self, directory: Path, document: Any, *, indent: int | None = 1) -> None:
        """Write a manifest with a valid seal."""
        text = json.dumps(document, indent=indent)
        self._write_sealed(directory, text.removesuffix("}").rstrip().encode())

    def seal_raw(self, directory: Path, old: bytes, new: bytes) -> None:
        """Put bytes that JSON's writer would not write in the place of others."""
        content = (directory / "manifest.json").read_bytes()
        body = content[: content.rindex(b',\n "sha256"')]
        assert body.count(old) == 1
        self._write_sealed(directory, body.replace(old, new))

    def _write_sealed(self, directory: Path, body: bytes) -> None:
        digest = hashlib.sha256(body).hexdigest()
        sealed = body + f',\n "sha256": "{digest}"\n}}\n'.encode()
        (directory / "manifest.json").write_bytes(sealed)

    def change(self, directory: Path, section: str, **entries: Any) -> None:
        """Set entries of a section of the manifest."""
        document = self.manifest(directory)
        document[section] |= entries
        self.seal(directory, document)

    def replace(self, directory: Path, name: str, content: bytes, **entries: Any) -> None:
        """Replace a file, and make the manifest agree with it."""
        (directory / name).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        document = self.manifest(directory)
        document["files"][name] |= {"bytes": len(content), "sha256": digest, **entries}
        self.seal(directory, document)

    def replace_tensors(self, directory: Path, name: str, arrays: dict[str, Any]) -> None:
        """Replace a file of tensors, and make the manifest agree with it."""
        from bmtrain import tensor_files

        content = tensor_files.encode(arrays)
        self.replace(directory, name, content, tensors=self.tensor_entries(content))

    def tensor_entries(self, content: bytes) -> dict[str, Any]:
        """What the manifest says of the tensors in a file."""
        from bmtrain import tensor_files

        return {
            name: {
                "dtype": place.dtype,
                "shape": list(place.shape),
                "sha256": hashlib.sha256(content[place.begin : place.end]).hexdigest(),
            }
            for name, place in tensor_files.places_in(content).items()
        }


@pytest.fixture(scope="session")
def forger() -> Forger:
    """Changes checkpoints so that every size and sha256 is right."""
    return Forger()


@pytest.fixture(scope="session")
def experiment() -> Callable[..., Any]:
    """An ExperimentConfig of ``layers`` and whatever is given; checked, but for sense."""
    from bmtrain.config.resolved import experiment_from_plain

    def make(*layers: dict[str, Any], **changes: Any) -> Any:
        mapping: dict[str, Any] = {
            "name": "small",
            "data": {"source": "/data/small.npz"},
            "model": {"type": "layers", "layers": list(layers)},
            "loss": {"name": "half_mean_squared_error"},
            "optimizer": {"name": "gradient_descent", "learning_rate": 0.1},
            "training": {"epochs": 1, "threads": 1},
        }
        return experiment_from_plain(mapping | changes)

    return make


@pytest.fixture(scope="session")
def dataset() -> Callable[..., Any]:
    """A Dataset of arrays; integer labels are classes, others are targets (examples, outputs)."""
    from bmtrain.data.examples.dataset import DataFacts, Dataset, Split

    def make(
        features: Any,
        labels: Any,
        *,
        weights: Any = None,
        num_classes: int | None = None,
        **held_out: Any,
    ) -> Any:
        splits = {"train": Split(features, labels, weights)}
        splits |= {name: Split(*arrays) for name, arrays in held_out.items()}
        if num_classes is None and labels.ndim == 1:
            num_classes = int(labels.max()) + 1
        names = None if num_classes is None else tuple(map(str, range(num_classes)))
        facts = DataFacts(
            task="regression" if names is None else "classification",
            input_shape=features.shape[1:],
            input_dtype=features.dtype.name,
            class_names=names,
            num_outputs=num_classes or labels.shape[1],
            feature_names=None,
            label_name=None,
            num_train_examples=len(features),
            fingerprint="00" * 32,
        )
        return Dataset(splits, facts)  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def text_dataset(dataset: Callable[..., Any]) -> Callable[..., Any]:
    """A Dataset of token numbers (examples, length) below ``vocabulary_size``."""
    import dataclasses

    from bmtrain.data.encodings.text_encoding import TextEncoding
    from bmtrain.data.examples.dataset import Dataset

    def make(features: Any, labels: Any, *, vocabulary_size: int, **held_out: Any) -> Any:
        made = dataset(features.astype(np.uint16), labels, **held_out)
        words = tuple(f"w{number}" for number in range(2, vocabulary_size))
        encoding = TextEncoding("text", "word", True, features.shape[1], words)
        return Dataset(made.splits, dataclasses.replace(made.facts, encoding=encoding))

    return make


@dataclass(frozen=True)
class Disk:
    """A file system of its own, in memory."""

    path: Path

    def remount(self, options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", self.path], check=True)

    def fill(self, *, leaving: int = 0) -> Path:
        """Takes up all but ``leaving`` bytes, by a file that may be removed again."""
        ballast = self.path / "ballast"
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(self.path).free - leaving)
        return ballast


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Disk]]:
    """(size) -> an empty disk; only root may mount one."""
    made: list[Path] = []

    def make(size: str) -> Disk:
        path = tmp_path / f"disk-{len(made)}"
        path.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        if answer.returncode != 0:
            pytest.skip(f"no file system can be mounted here: {answer.stderr.strip()}")
        made.append(path)
        return Disk(path)

    yield make
    for path in made:
        subprocess.run(["umount", "--lazy", path], check=True)


@pytest.fixture
def nothing_hangs() -> Iterator[None]:
    """A test that takes 20 seconds fails there and then: opening a pipe waits forever."""

    def fail(*_: object) -> None:
        raise AssertionError("it hangs")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def random() -> np.random.Generator:
    """The same numbers in every run of a test."""
    return np.random.default_rng(7)
