"""The engine that is guided by coverage: Atheris (libFuzzer) makes Hypothesis's choices.

The readers run, instrumented, in the process of the engine. What is faulty there is judged
again where every input is judged: in a process of its own, without instruments.
"""

from __future__ import annotations

import itertools
import sys
import time
from pathlib import Path

from fuzzing.files import read_files
from fuzzing.hunting import Hunt
from fuzzing.isolation import HANG_SECONDS, Child, ending
from fuzzing.judging import from_line

#: The process starts within it, and instrumented readers are several times slower.
_SILENCE_SECONDS = 60.0 + HANG_SECONDS


def hunt_guided(hunt: Hunt, deadline: float, first_seed: int, table: Path, scratch: Path) -> None:
    """Processes of the engine until ``deadline``: one, and one more for each that did not last."""
    (scratch / "corpus").mkdir(parents=True, exist_ok=True)
    for number in itertools.count(first_seed):
        left_s = int(deadline - time.monotonic())
        if left_s < 1:
            return
        arguments = (str(table), hunt.name, str(scratch), str(number), str(left_s))
        child = Child("fuzzing.guided", arguments, scratch / "engine.txt")
        try:
            _listen(child, hunt, scratch / "guided")
        except TimeoutError:
            print("fuzz: the engine hangs", file=sys.stderr)
        status = child.end()
        if status != 0:
            print(
                f"fuzz: the engine ended: {ending(status)}\n{child.last_words()}", file=sys.stderr
            )
            if not _judge_again(hunt, scratch / "guided"):
                return


def _listen(child: Child, hunt: Hunt, directory: Path) -> None:
    """Count what the engine judges until it ends; it waits for a line after each input."""
    while (line := child.line(_SILENCE_SECONDS)) is not None:
        files = read_files(directory, hunt.target.main)
        if hunt.count(files, from_line(line)) is not None:
            _judge_again(hunt, directory)
        child.send("go on")


def _judge_again(hunt: Hunt, directory: Path) -> bool:
    """Whether the engine's last input is faulty without it, too."""
    if not directory.exists():
        return False
    files = read_files(directory, hunt.target.main)
    fault = hunt.confirmed(files, hunt.judge(files))
    if fault is not None:
        hunt.settle(files, fault)
    return fault is not None
