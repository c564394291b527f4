"""A short burst of the real training, thrown away: how long all of it will take."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from bmtrain.data.checks.finding import Finding
from bmtrain.events import StepsDone
from bmtrain.figures import amount, count, duration
from bmtrain.training_state import TrainingState
from bmtrain.workflows.checking.section import Section, Table
from bmtrain.workflows.preparation import Prepared
from bmtrain.workflows.session import Session, build_session, native_faults

if TYPE_CHECKING:
    from bmtrain.engine.loop import TrainingLoop

#: How long steps are measured, the first call apart.
BURST_S = 1.0
#: Where validation takes its time between the steps, no longer than this in all.
_MOST_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Seconds, and what follows from them.

    Attributes:
        startup_s: TensorFlow's import, model and optimizer.
        compile_s: tracing and compiling, or finding it in the cache.
        step_s: the mean over the steps that were measured.
        evaluation_s: of the validation split, after each epoch; 0 without one.
        epoch_s: all steps of an epoch and the evaluation after it.
        training_s: everything but reading the data, saving and the test split.
    """

    steps: int
    startup_s: float
    compile_s: float
    step_s: float
    examples_per_s: float
    evaluation_s: float
    epoch_s: float
    training_s: float
    engine: str
    device: str
    threads: int


@dataclass(frozen=True, slots=True)
class _Burst:
    """What the loop did in the time."""

    steps: int
    steps_s: float


def measured_section(prepared: Prepared) -> Section:
    """Train for about a second on the wished device; no file is written but compiled code.

    Raises:
        TrainingDiverged: so soon already. EnvironmentFault: no such device, no memory.
    """
    measured = measure(prepared)
    epochs = prepared.experiment.training.epochs
    most = "at most " if prepared.experiment.training.early_stopping is not None else ""
    rows = (
        ("start of TensorFlow", duration(measured.startup_s)),
        ("compilation", duration(measured.compile_s)),
        ("a step", _short(measured.step_s)),
        *([("validation", duration(measured.evaluation_s))] if measured.evaluation_s else []),
        ("an epoch", duration(measured.epoch_s)),
        (f"all, {most}{count(epochs, 'epoch')}", duration(measured.training_s)),
    )
    rate = prepared.architecture.training_flops * measured.examples_per_s
    found = (
        f"{count(measured.steps, 'step')} ran on {measured.device} ({measured.engine}, "
        f"{count(measured.threads, 'thread')}): {measured.examples_per_s:,.0f} examples/s, "
        f"{amount(rate, 'FLOP/s')}"
    )
    estimate = f"the training will take {most}about {duration(measured.training_s)}"
    return Section(
        title="measured",
        findings=(Finding("ok", found), Finding("ok", estimate)),
        tables=(Table(("", "time"), rows),),
        facts=asdict(measured),
    )


def measure(prepared: Prepared) -> Measured:
    """See :func:`measured_section`."""
    from bmtrain.engine.native_output import native_output_to
    from bmtrain.engine.runtime import started_runtime

    training = prepared.experiment.training
    clock = time.perf_counter
    began = clock()
    with (
        native_output_to(None),
        started_runtime(
            device=training.device, threads=training.threads, note=lambda _: None
        ) as runtime,
        native_faults(runtime.device),
    ):
        session = build_session(
            prepared.experiment,
            prepared.architecture,
            prepared.preprocessing,
            runtime,
            training.engine,
        )
        built = clock()
        loop = _compiled_loop(prepared, session)
        compiled = clock()
        with closing(loop):
            burst = _run(loop)
        evaluation_s = _evaluation_s(prepared, session)
        device, threads = runtime.device_name, runtime.threads
    step_s = burst.steps_s / burst.steps
    num_examples = prepared.dataset.splits["train"].num_examples
    steps_per_epoch = -(-num_examples // prepared.batch_size)
    epoch_s = steps_per_epoch * step_s + evaluation_s
    return Measured(
        steps=burst.steps,
        startup_s=built - began,
        compile_s=compiled - built,
        step_s=step_s,
        examples_per_s=num_examples / (steps_per_epoch * step_s),
        evaluation_s=evaluation_s,
        epoch_s=epoch_s,
        training_s=compiled - began + training.epochs * epoch_s,
        engine=session.engine.mode,
        device=device,
        threads=threads,
    )


def _compiled_loop(prepared: Prepared, session: Session) -> TrainingLoop:
    from bmtrain.engine.loop import TrainingLoop
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
    steps.warm_up(train.num_examples)
    training = prepared.experiment.training
    return TrainingLoop(
        session.problem, prepared.dataset, steps, session.evaluator, training, TrainingState()
    )


def _run(loop: TrainingLoop) -> _Burst:
    """The first call is left out where there is another: it is never a typical one."""
    began = time.perf_counter()
    first_s, first_step, num_calls = 0.0, 0, 0
    for event in loop.events():
        if isinstance(event, StepsDone):
            num_calls += 1
            if num_calls == 1:
                first_s, first_step = loop.train_s, loop.state.step
        enough = num_calls > 1 and loop.train_s - first_s >= BURST_S
        if enough or time.perf_counter() - began > _MOST_S:
            break
    if loop.state.step == first_step:
        return _Burst(first_step, first_s)
    return _Burst(loop.state.step - first_step, loop.train_s - first_s)


def _evaluation_s(prepared: Prepared, session: Session) -> float:
    validation = prepared.dataset.splits.get("validation")
    if validation is None:
        return 0.0
    session.evaluator.warm_up(validation)
    began = time.perf_counter()
    session.evaluator.evaluate(validation)
    return time.perf_counter() - began


def _short(seconds: float) -> str:
    """``0.42 s``, ``3.1 ms``, ``0.162 ms``."""
    return duration(seconds) if seconds >= 0.1 else f"{seconds * 1e3:.3g} ms"
