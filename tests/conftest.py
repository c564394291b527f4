"""What holds for every test, and what several folders share."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    from bmtrain.data.dataset import DataFacts, Dataset, Split

    def make(features: Any, labels: Any, *, num_classes: int | None = None, **held_out: Any) -> Any:
        splits = {"train": Split(features, labels)}
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
