"""A training in a process of its own that tells its phase: what verify-resume kills.

As a program: ``python -m bmtrain.workflows.observed_training REQUEST PIPE``. It writes a
byte for each phase that it enters to the file descriptor PIPE, and ends with the exit code
that ``bmtrain train`` would end with.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bmtrain.config.plugin_tables import NO_PLUGINS, Plugins
from bmtrain.errors import BmtrainError
from bmtrain.events import CheckpointSaved, Evaluating, Event, RunFinished, SaveBegun, StepsDone
from bmtrain.workflows.endings import internal_message, known_ending
from bmtrain.workflows.train import Start, TrainRequest, train

#: What is told, and what it means; before the first word a training is starting.
PHASES = {b"t": "training", b"w": "saving", b"e": "evaluating", b"d": "done"}
TRAINING, SAVING, EVALUATING, DONE = b"t", b"w", b"e", b"d"


@dataclass(frozen=True, slots=True)
class ObservedTraining:
    """A running child: its process, and the end of the pipe that its phases come from."""

    process: subprocess.Popen[bytes]
    phases: IO[bytes]


def start_observed(  # by name
    config: Path,
    overrides: Sequence[str],
    run_dir: Path,
    errors: IO[bytes],
    *,
    start: Start,
    plugins: Sequence[Path] = (),
) -> ObservedTraining:
    """Start the training of ``config`` in ``run_dir``; what it says goes to ``errors``."""
    request = {
        "config": str(config),
        "overrides": list(overrides),
        "run_dir": str(run_dir),
        "start": start,
        "plugins": [str(path) for path in plugins],
    }
    reading, writing = os.pipe()
    try:
        # -P: a file of the current directory is never taken for a package.
        process = subprocess.Popen(  # noqa: S603  # this program itself
            [sys.executable, "-P", "-m", __spec__.name, json.dumps(request), str(writing)],
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            pass_fds=(writing,),
        )
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    return ObservedTraining(process, os.fdopen(reading, "rb", buffering=0))


def _plugins(paths: Sequence[str]) -> Plugins:
    """Those that the user named to the command that started this."""
    if not paths:
        return NO_PLUGINS
    from bmtrain.plugins.loading import load_plugins

    return load_plugins([Path(path) for path in paths])


def _phase(event: Event) -> bytes | None:
    """The phase that an event begins, if it begins one."""
    match event:
        case StepsDone() | CheckpointSaved():
            return TRAINING
        case SaveBegun():
            return SAVING
        case Evaluating():
            return EVALUATING
        case RunFinished():
            return DONE
        case _:
            return None


def main(arguments: Sequence[str]) -> int:
    """Train what the first argument asks for; the second is the pipe's descriptor."""
    document, pipe = json.loads(arguments[0]), int(arguments[1])
    exit_code = 1
    try:
        request = TrainRequest(
            config=Path(document["config"]),
            overrides=tuple(document["overrides"]),
            run_dir=Path(document["run_dir"]),
            start=document["start"],
            plugins=_plugins(document["plugins"]),
        )
        for event in train(request):
            if (phase := _phase(event)) is not None:
                os.write(pipe, phase)
            if isinstance(event, RunFinished):
                exit_code = int(event.summary["exit_code"])
    except BaseException as error:  # noqa: BLE001  # whoever started this is told every ending
        known: BmtrainError | None = known_ending(error)
        sys.stderr.write(f"{known or internal_message(error)}\n")
        exit_code = 1 if known is None else known.exit_code
    sys.stderr.flush()
    return exit_code


if __name__ == "__main__":
    os._exit(main(sys.argv[1:]))  # as bmtrain ends: TensorFlow is not taken apart
