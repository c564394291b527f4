"""A planned run from its data to its end: what is left behind is written however it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from bmtrain.config.load import LoadedConfig
from bmtrain.config.resolved import resolved_yaml
from bmtrain.durable import write_text
from bmtrain.errors import BmtrainError, Interrupted
from bmtrain.events import DataReady, Event, Warned
from bmtrain.runs.directory import open_run_directory
from bmtrain.runs.run_log import RunLog
from bmtrain.workflows.endings import internal_message, known_ending
from bmtrain.workflows.execution import Execution
from bmtrain.workflows.preparation import Prepared, prepare
from bmtrain.workflows.recording import Record, Timing, log_event
from bmtrain.workflows.resuming import last_checkpoint


def conduct(loaded: LoadedConfig, run_dir: Path, *, resume: bool) -> Iterator[Event]:
    """Read the data, open the run directory, train in it; ``RunFinished`` last.

    Raises:
        BmtrainError: with ``.summary`` once the run directory exists.
    """
    timing = Timing()
    prepared = prepare(loaded)
    with (
        open_run_directory(run_dir, existing=resume) as directory,
        RunLog(directory.log) as log,
    ):
        checkpoint = last_checkpoint(directory, prepared, log.write) if resume else None
        write_text(directory.config, resolved_yaml(prepared.experiment))
        record = Record(directory, prepared, timing)
        try:
            yield from _logged(prepared, log)
            execution = Execution(prepared, directory, record, log, checkpoint)
            with closing(execution.events()) as events:
                for event in events:
                    log_event(log, event)
                    yield event
        except BaseException as error:
            _record_failure(record, log, error)
            raise


def _logged(prepared: Prepared, log: RunLog) -> Iterator[Event]:
    """What is known before TensorFlow starts."""
    for event in (_data_ready(prepared), *(Warned(str(w)) for w in prepared.warnings)):
        log_event(log, event)
        yield event


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
    )
