"""Trackers are told what happens; one that fails is dropped with a warning, the training goes on."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from bmtrain.config.sections.tracking import TrackSection
from bmtrain.durable import make_directory
from bmtrain.events import EpochDone, Event, RunFinished, Warned
from bmtrain.regular_files import open_regular
from bmtrain.runs.directory import RunDirectory

#: So that names sort as they were begun: TensorBoard reads them in that order.
_EVENT_FILE = "events.out.tfevents.{number:06d}"
_MAX_FILES = 10**6


class Tracker(Protocol):
    """What takes figures at steps of the whole training."""

    def scalars(self, step: int, figures: Mapping[str, float]) -> None:
        """Take figures; the name is ``SPLIT/METRIC`` or a word."""
        ...

    def close(self) -> None:
        """No more come."""
        ...


class TensorBoardTracker:
    """Event files as TensorBoard reads them; each start of a run has its own.

    Args:
        directory: made if it is not there.
        step: the training begins after it: what earlier files say of later steps is void.
    """

    def __init__(self, directory: Path, step: int) -> None:
        import tensorflow as tf  # started by the caller
        from tensorflow.core.util.event_pb2 import Event as Record
        from tensorflow.core.util.event_pb2 import SessionLog

        self._record = Record
        self._writer = tf.io.TFRecordWriter(str(_new_event_file(directory)))
        self._write(file_version="brain.Event:2")
        if step:
            self._write(step=step + 1, session_log=SessionLog(status=SessionLog.START))

    def scalars(self, step: int, figures: Mapping[str, float]) -> None:
        """On the disk's way when this returns."""
        values = [{"tag": name, "simple_value": value} for name, value in figures.items()]
        self._write(step=step, summary={"value": values})

    def close(self) -> None:
        """Close the file."""
        self._writer.close()

    def _write(self, **fields: Any) -> None:
        self._writer.write(self._record(wall_time=time.time(), **fields).SerializeToString())
        self._writer.flush()


def _new_event_file(directory: Path) -> Path:
    """A file that was not there, so that nothing is written through a link or over anything."""
    make_directory(directory)
    for number in range(len(list(directory.iterdir())), _MAX_FILES):
        path = directory / _EVENT_FILE.format(number=number)
        try:
            os.close(open_regular(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            continue
        return path
    raise OSError(f"{directory} is full of event files")


class Tracking:
    """All trackers that a config asks for."""

    def __init__(self, section: TrackSection, directory: RunDirectory, step: int) -> None:
        self._trackers: dict[str, Tracker] = {}
        self._failed: list[str] = []
        if section.tensorboard:
            self._begin("tensorboard", lambda: TensorBoardTracker(directory.tensorboard, step))

    def _begin(self, name: str, begun: Callable[[], Tracker]) -> None:
        try:
            self._trackers[name] = begun()
        except Exception as error:  # noqa: BLE001  # a training is worth more than its tracker
            self._fail(name, error)

    def told(self, event: Event) -> Iterator[Event]:
        """The event, of which the trackers hear first; before it a warning for each that failed."""
        match event:
            case EpochDone():
                figures = _by_split({"train": event.train, "validation": event.validation or {}})
                figures["learning_rate"] = event.learning_rate
                figures["examples_per_s"] = event.examples_per_s
                self._give(event.step, figures)
            case RunFinished():
                summary = event.summary
                figures = _by_split({"test": summary["metrics"].get("test", {})})
                self._give(summary["steps_completed"], figures)
                self.close()
        while self._failed:
            yield Warned(self._failed.pop(0))
        yield event

    def _give(self, step: int, figures: Mapping[str, float]) -> None:
        for name, tracker in list(self._trackers.items()):
            try:
                tracker.scalars(step, figures)
            except Exception as error:  # noqa: BLE001  # as above
                del self._trackers[name]
                self._fail(name, error)

    def close(self) -> None:
        """Close all trackers."""
        for name, tracker in list(self._trackers.items()):
            del self._trackers[name]
            try:
                tracker.close()
            except Exception as error:  # noqa: BLE001  # as above
                self._fail(name, error)

    def _fail(self, name: str, error: Exception) -> None:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        self._failed.append(f"track.{name}: {reason}; the training goes on without it")


def _by_split(splits: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    return {
        f"{split}/{name}": value
        for split, values in splits.items()
        for name, value in values.items()
    }
