"""An event as a line of log.txt: its name, and what a person wants to read of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from bmtrain.events import (
    CheckpointSaved,
    DataReady,
    EpochDone,
    Event,
    ModelReady,
    Noted,
    RunFinished,
    SaveBegun,
    StoppedEarly,
    Warned,
)
from bmtrain.figures import count, duration, figure, shape, telling_figures


def log_line(event: Event) -> str:
    """``EpochDone: epoch 1/5, step 1,875; loss 0.2610, accuracy 0.9250; 0.61 s, …``.

    Figures are rounded: metrics.jsonl and summary.json have them whole.
    """
    return f"{type(event).__name__}: {'; '.join(part for part in _parts(event) if part)}"


def _parts(event: Event) -> Iterator[str]:
    match event:
        case DataReady():
            yield from _data(event)
        case ModelReady():
            yield count(event.num_parameters, "parameter")
            yield f"{event.engine} on {event.device}, {count(event.threads, 'thread')}"
            yield f"started in {duration(event.startup_s)}"
        case Warned() | Noted():
            yield event.message
        case EpochDone():
            yield from _epoch(event)
        case StoppedEarly():
            yield f"after epoch {event.epoch:,}"
            yield f"{event.monitor} was best in epoch {event.best_epoch:,}"
        case SaveBegun():
            yield f"step {event.step:,}"
        case CheckpointSaved():
            yield f"step {event.step:,}{', the best so far' if event.best else ''}"
            yield str(event.path)
        case RunFinished():
            yield from _finished(event.summary)
        case _:
            yield from (f"{name} {value}" for name, value in asdict(event).items())


def _data(event: DataReady) -> Iterator[str]:
    yield ", ".join(f"{name} {number:,}" for name, number in event.num_examples.items())
    classes = event.num_classes
    target = "regression" if classes is None else count(classes, "class", "classes")
    yield f"{shape(event.input_shape, unit='token' if event.are_tokens else 'feature')}, {target}"
    yield f"read in {duration(event.read_s)}"
    yield "streamed from their file" if event.is_streamed else ""
    yield f"fingerprint {event.fingerprint}"


def _epoch(event: EpochDone) -> Iterator[str]:
    yield f"epoch {event.epoch:,}/{event.num_epochs:,}, step {event.step:,}"
    yield _listed(event.train)
    yield _listed(event.validation or {}, "validation.")
    yield f"learning rate {event.learning_rate:g}"
    yield f"{duration(event.epoch_s)}, {event.examples_per_s:,.0f} examples/s"
    yield "the best so far" if event.improved else ""


def _finished(summary: Mapping[str, Any]) -> Iterator[str]:
    yield f"{summary['status']}, exit code {summary['exit_code']}"
    for split, figures in summary["metrics"].items():
        yield _listed(figures, f"{split}.")
    for judged in summary["expectations"]:
        met = "met" if judged["met"] else "missed"
        yield f"{met}: {judged['text']} ({figure(judged['value'])})"


def _listed(figures: Mapping[str, float | None], prefix: str = "") -> str:
    return ", ".join(
        f"{prefix}{name} {figure(figures[name])}" for name in telling_figures([figures])
    )
