"""A planned run from its data to its end: what is left behind is written however it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Literal

from bmtrain.config.load import LoadedConfig
from bmtrain.data.checks.inspection import quick_findings
from bmtrain.errors import (
    BmtrainError,
    EnvironmentFault,
    Interrupted,
    OutOfMemory,
    PluginError,
)
from bmtrain.events import DataReady, Event, Noted, RunFinished, Warned
from bmtrain.figures import count
from bmtrain.runs.directory import Expected, open_run_directory
from bmtrain.runs.run_log import RunLog
from bmtrain.workflows.endings import (
    before_the_first_step,
    internal_message,
    interrupted_early,
    known_ending,
    resume_hint,
)
from bmtrain.workflows.preparation import Prepared, prepare
from bmtrain.workflows.tracking.mlflow_run import address, masked, require_trackers
from bmtrain.workflows.training.execution import Execution
from bmtrain.workflows.training.recording import Record, Timing, log_event
from bmtrain.workflows.training.resuming import Resumption, find_resumption

#: What the run directory must hold for each way to start.
_EXPECTED: dict[str, Expected] = {"new": "empty", "resume": "run", "if_possible": "either"}


def conduct(
    loaded: LoadedConfig,
    run_dir: Path,
    start: Literal["new", "resume", "if_possible"],
    allow_changed: tuple[str, ...],
    *,
    began: float,
) -> Iterator[Event]:
    """Read the data, open the run directory, train in it; ``RunFinished`` last.

    Args:
        start: as in ``bmtrain.workflows.train.TrainRequest``; ``allow_changed`` too.
        began: ``time.perf_counter()`` when the command began; times count from there.

    Raises:
        BmtrainError: with ``.summary`` once the run directory exists.
    """
    timing = Timing(began)
    require_trackers(loaded.experiment.track)
    with interrupted_early(run_dir):
        prepared = prepare(loaded)
    with (
        open_run_directory(run_dir, expected=_EXPECTED[start]) as directory,
        RunLog(directory.log) as log,
    ):
        resumption = None
        if directory.holds_run:
            resumption = find_resumption(directory, prepared, allow_changed)
        if resumption is not None and resumption.summary is not None:
            yield Noted("the run is complete: nothing is trained, and nothing in it is changed")
            yield RunFinished(resumption.summary)
            return
        record = Record(directory, prepared, timing)
        if resumption is not None:
            record.is_new = False
            record.earlier = resumption.earlier
            record.changed = resumption.changed
        is_finished = False
        try:
            if resumption is None:  # else after the last refusal, which leaves all as it is
                record.begin()
            yield from _logged(prepared, resumption, log)
            execution = Execution(prepared, directory, record, log, resumption)
            with closing(execution.events()) as events:
                for event in events:
                    log_event(log, event)
                    is_finished = isinstance(event, RunFinished)
                    yield event
        except BaseException as error:
            if is_finished:  # and recorded so: what its reader does then is no matter of the run
                raise
            if isinstance(error, EnvironmentFault) and record.begun:
                _add_resume_hint(error, record, resumption)
            _record_failure(record, log, error)
            _take_back_if_untrained(record, resumption, error)
            if isinstance(known := known_ending(error), Interrupted) and not known.hint:
                raise _interrupted_early(known, record) from error
            raise


def _take_back_if_untrained(
    record: Record, resumption: Resumption | None, error: BaseException
) -> None:
    """A plugin that fails before the first step is like a config that is wrong: no run began."""
    is_untrained = record.begun and resumption is None and record.state.step == 0
    if is_untrained and isinstance(known_ending(error), PluginError):
        with suppress(BmtrainError):  # the error that counts is the first
            record.directory.take_back()


def _add_resume_hint(
    error: EnvironmentFault, record: Record, resumption: Resumption | None
) -> None:
    """What to do then; but a model that did not fit at first will not fit when it is resumed."""
    then = resume_hint(record.directory.path)
    if isinstance(error, OutOfMemory):
        if record.state.step == 0 and (resumption is None or resumption.checkpoint is None):
            return
        error.hint = "close other programs, or use a machine with more memory"
    error.hint = f"{error.hint}; then {then}" if error.hint else then


def _logged(prepared: Prepared, resumption: Resumption | None, log: RunLog) -> Iterator[Event]:
    """What is known before TensorFlow starts."""
    found = quick_findings(prepared.dataset)  # the thorough ones are check's: they take time
    doubts = [finding.message for finding in found if finding.level == "warning"]
    events: list[Event] = [
        _data_ready(prepared),
        *(Warned(text) for text in doubts),
        *(Warned(str(warning)) for warning in prepared.warnings),
    ]
    if (mlflow := prepared.experiment.track.mlflow) is not None:
        events.append(Noted(f"figures and files go to MLflow at {masked(address(mlflow))}"))
    if resumption is not None:
        events += [Warned(text) for text in resumption.warnings]
        events.append(Noted(_goes_on(resumption)))
    for event in events:
        log_event(log, event)
        yield event


def _goes_on(resumption: Resumption) -> str:
    if resumption.checkpoint is None:
        return "there is no checkpoint yet: the run begins anew"
    state = resumption.checkpoint.state
    within = f", {count(state.step_in_epoch, 'step')} into the next" if state.step_in_epoch else ""
    return f"going on from step {state.step:,}: {count(state.epoch, 'epoch')} done{within}"


def _interrupted_early(interrupted: Interrupted, record: Record) -> Interrupted:
    """Outside the loop: what was trained, if anything, is saved already."""
    begun = record.state.step > 0
    if not begun and not record.begun:
        return before_the_first_step(interrupted, record.directory.path)
    what = "after the training; it is saved" if begun else "before the first step; nothing is lost"
    again = Interrupted(
        f"{interrupted.message} {what}",
        signal_number=interrupted.signal_number,
        hint=resume_hint(record.directory.path),
    )
    again.summary = record.summary("interrupted", again.exit_code)  # type: ignore[attr-defined]
    return again


def _record_failure(record: Record, log: RunLog, error: BaseException) -> None:
    """summary.json of a run that did not complete; the error itself goes on."""
    known = known_ending(error)
    if isinstance(error, GeneratorExit):  # whoever asked for the events stopped asking
        known = Interrupted("abandoned", signal_number=2)
    exit_code, code = (1, "internal") if known is None else (known.exit_code, known.code)
    status = code if code in {"diverged", "interrupted"} else "failed"
    summary = record.summary(status, exit_code)
    summary["error"] = {
        "code": code,
        "message": internal_message(error) if known is None else known.message,
        "where": None if known is None else known.where,
        "hint": None if known is None else known.hint,
    }
    error.summary = summary  # type: ignore[attr-defined]  # the boundary prints it
    if not record.begun:
        return
    try:
        log.write(f"ended: {code}: {known or internal_message(error)}")
        record.write_summary(summary)
    except BmtrainError:
        return  # the disk that failed the run fails its epitaph too; the first error counts


def _data_ready(prepared: Prepared) -> DataReady:
    facts = prepared.dataset.facts
    return DataReady(
        num_examples={name: s.num_examples for name, s in prepared.dataset.splits.items()},
        input_shape=facts.input_shape,
        num_classes=facts.num_outputs if facts.class_names is not None else None,
        fingerprint=facts.fingerprint,
        read_s=prepared.read_s,
        is_streamed=prepared.is_streamed,
        are_tokens=facts.vocabulary_size is not None,
    )
