"""Event files as TensorBoard reads them."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bmtrain.durable import make_directory
from bmtrain.regular_files import open_regular
from bmtrain.workflows.tracking.tracker import Outcome

#: So that names sort as they were begun: TensorBoard reads them in that order.
_EVENT_FILE = "events.out.tfevents.{number:06d}"
_MAX_FILES = 10**6


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

    def listen(self) -> None:
        """Nobody answers."""

    def close(self, outcome: Outcome) -> None:  # noqa: ARG002  # event files do not tell it
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
