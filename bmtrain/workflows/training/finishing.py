"""After the last epoch: save, choose the weights to judge, evaluate, store predictions, sum up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bmtrain.checkpoint.read import read_checkpoint
from bmtrain.events import Evaluating, Event, RunFinished
from bmtrain.models.decision import predicted_classes
from bmtrain.runs.metrics_log import epochs_in
from bmtrain.runs.predictions import StoredPredictions, write_predictions
from bmtrain.training_state import TrainingState
from bmtrain.workflows.preparation import Prepared
from bmtrain.workflows.session import Session
from bmtrain.workflows.training.recording import Record
from bmtrain.workflows.training.saving import Saver


def finish(saver: Saver, prepared: Prepared, session: Session, record: Record) -> Iterator[Event]:
    """Ends with ``RunFinished``; its exit code is 4 if an expectation was missed."""
    yield from saver.save(record.state)
    record.checkpoint = saver.store.last()
    record.best_checkpoint = saver.store.best()
    epoch = _load_evaluated_weights(prepared, session, record)
    is_best = record.evaluated_checkpoint == record.best_checkpoint
    record.evaluated = {
        "which": "best" if is_best else "last",
        "epoch": epoch,
        "monitor": prepared.experiment.training.monitor if is_best else None,
    }
    record.metrics.update(_logged_figures(saver, epoch))
    if "test" in prepared.dataset.splits:
        yield Evaluating("test")
        _evaluate_test(prepared, session, record)
    summary = record.summary("completed")
    if any(not judged["met"] for judged in summary["expectations"]):
        summary["exit_code"] = 4
    record.write_run_json()
    record.write_summary(summary)
    yield RunFinished(summary=summary)


def _load_evaluated_weights(prepared: Prepared, session: Session, record: Record) -> int:
    """The best weights if there are any and they are wanted, else the last; their epoch."""
    state: TrainingState = record.state
    stopping = prepared.experiment.training.early_stopping
    wants_best = stopping is None or stopping.restore_best
    if state.best_epoch is None or not wants_best or record.best_checkpoint is None:
        record.evaluated_checkpoint = record.checkpoint
        return state.epoch
    record.evaluated_checkpoint = record.best_checkpoint
    if state.best_epoch != state.epoch:
        best = read_checkpoint(
            record.best_checkpoint, with_optimizer=False, plugins=prepared.experiment.plugins
        )
        session.restore(best.model)
    return state.best_epoch


def _logged_figures(saver: Saver, epoch: int) -> dict[str, Mapping[str, float]]:
    """Train and validation figures of an epoch, as metrics.jsonl has them."""
    entry = next(entry for entry in epochs_in(saver.log.path) if entry["epoch"] == epoch)
    return {split: entry[split] for split in ("train", "validation") if split in entry}


def _evaluate_test(prepared: Prepared, session: Session, record: Record) -> None:
    test = prepared.dataset.splits["test"]
    evaluation = session.evaluator.evaluate(test)
    record.metrics["test"] = evaluation.figures
    is_regression = prepared.dataset.facts.class_names is None
    outputs = evaluation.outputs
    predicted = outputs if is_regression else predicted_classes(prepared.experiment, outputs)
    write_predictions(
        record.directory.predictions,
        "test",
        StoredPredictions(outputs, test.labels, predicted, test.weights),
    )
