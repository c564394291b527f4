"""``bmtrain train --find-lr``: the learning-rate range test (Smith 2017), which leaves no run behind."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from bmtrain.config.load import load_config
from bmtrain.config.plugin_tables import NO_PLUGINS, Plugins
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.config.sections.learning_rate import ExponentialDecay
from bmtrain.data.splits.order import epoch_order
from bmtrain.events import Event, Noted, RunFinished
from bmtrain.workflows.preparation import Prepared, prepare
from bmtrain.workflows.session import Session, build_session, native_faults

LOWEST: Final = 1e-7
HIGHEST: Final = 10.0
NUM_STEPS: Final = 200
#: Of the exponential mean of the losses, corrected for its beginning as Adam's moments are.
SMOOTHING: Final = 0.9
#: The sweep ends where the smoothed loss is so many times the least one.
DIVERGED: Final = 4.0
RULE: Final = (
    "a tenth of the rate at which the smoothed loss was least, of a sweep from "
    f"{LOWEST:g} to {HIGHEST:g} in {NUM_STEPS} steps"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FindRequest:
    """Which config, and what is laid over it."""

    config: Path
    overrides: tuple[str, ...] = ()
    plugins: Plugins = NO_PLUGINS


def find_learning_rate(request: FindRequest) -> Iterator[Event]:
    """Sweep the rate from ``LOWEST`` to ``HIGHEST``, a step each; ``RunFinished`` last.

    Its summary has the ``curve``, a ``suggestion`` (None where no loss fell) and its ``rule``.

    Raises:
        BmtrainError: the config or its data is wrong, or there is no such device or memory.
    """
    began = time.perf_counter()
    loaded = load_config(request.config, request.overrides, plugins=request.plugins)
    prepared = prepare(loaded)
    yield Noted(f"a training of {NUM_STEPS} steps, of which nothing is kept")
    losses = _losses(prepared)
    rates = [rate_of(step) for step in range(NUM_STEPS)]
    smooth = smoothed(losses)
    curve = [
        {"learning_rate": rate, "loss": loss, "smoothed": mean}
        for rate, loss, mean in zip(rates, losses, smooth, strict=False)
    ]
    yield RunFinished(
        {
            "schema_version": 1,
            "status": "completed",
            "exit_code": 0,
            "error": None,
            "diagnostics": [],
            "run_dir": None,
            "config": str(request.config),
            "key": _key(prepared.experiment),
            "suggestion": suggested(smooth),
            "rule": RULE,
            "curve": curve,
            "total_s": time.perf_counter() - began,
        }
    )


def rate_of(step: int) -> float:
    """The rate of a step of the sweep, rising exponentially."""
    return float(LOWEST * (HIGHEST / LOWEST) ** (step / (NUM_STEPS - 1)))


def smoothed(losses: list[float]) -> list[float]:
    """Exponential means: m ← βm + (1 − β)ℓ, over 1 − βᵗ."""
    mean, means = 0.0, []
    for number, loss in enumerate(losses, start=1):
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
        means.append(mean / (1 - SMOOTHING**number))
    return means


def suggested(smooth: list[float]) -> float | None:
    """By ``RULE``, to two digits; None where the loss was never less than at first."""
    if not smooth or min(smooth) >= smooth[0]:
        return None
    return float(f"{rate_of(int(np.argmin(smooth))) / 10:.1e}")


def _key(experiment: ExperimentConfig) -> str:
    """Where the suggestion belongs in the config."""
    rate = experiment.optimizer.learning_rate
    names = ("initial", "maximum")
    below = next((name for name in names if hasattr(rate, name)), None)
    return "optimizer.learning_rate" + ("" if below is None else f".{below}")


def _swept(experiment: ExperimentConfig) -> ExperimentConfig:
    sweep = ExponentialDecay.model_construct(
        name="exponential",
        initial=LOWEST,
        warmup="0 steps",
        every=f"{NUM_STEPS - 1} steps",
        decay_rate=HIGHEST / LOWEST,
    )
    optimizer = experiment.optimizer.model_copy(update={"learning_rate": sweep})
    return experiment.model_copy(update={"optimizer": optimizer})


def _losses(prepared: Prepared) -> list[float]:
    """Of each step's batch, until they are no longer finite or have grown too much."""
    from bmtrain.engine.native_output import native_output_to
    from bmtrain.engine.runtime import started_runtime

    experiment = _swept(prepared.experiment)
    training = experiment.training
    with (
        native_output_to(None),
        started_runtime(
            device=training.device, threads=training.threads, note=lambda _: None
        ) as runtime,
        native_faults(runtime.device),
    ):
        session = build_session(
            experiment, prepared.architecture, prepared.preprocessing, runtime, training.engine
        )
        return list(_steps(prepared, session))


def _steps(prepared: Prepared, session: Session) -> Iterator[float]:
    from bmtrain.engine.steps import CompiledSteps

    train = prepared.dataset.splits["train"]
    steps = CompiledSteps(
        session.problem,
        train,
        session.placement,
        batch_size=prepared.batch_size,
        jit_compile=session.engine.mode == "xla",
        lowerings=session.engine.lowerings,
    )
    found: list[float] = []
    order = None
    with closing(steps):
        for step in range(NUM_STEPS):
            epoch, within = divmod(step, steps.steps_per_epoch)
            if within == 0 or order is None:
                order = epoch_order(train.num_examples, seed=session.problem.seed, epoch=epoch)
            sums = np.zeros(steps.num_sums)
            result = steps.run(order, range(within, within + 1), step - within, sums)
            found.append(float(result.sums[1] / result.sums[0]))
            means = smoothed(found)
            if not math.isfinite(found[-1]) or not result.weights_finite:
                return
            yield found[-1]
            if means[-1] > DIVERGED * min(means):
                return
