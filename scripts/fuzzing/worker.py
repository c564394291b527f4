"""The process in which inputs are read: ``python -m fuzzing.worker TABLE TARGET``.

For each directory named by a line on stdin it answers with a line of verdicts on the
descriptor that stdout was at the start. What dies here takes nothing else with it.
"""

from __future__ import annotations

import faulthandler
import os
import resource
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from fuzzing.files import write_files
from fuzzing.judging import Judge, to_line
from fuzzing.targets import Target, load_table

#: Address space beyond that of the start: an allocation of terabytes fails here, in this process.
_MAX_MORE_BYTES = 4 * 2**30


def main() -> None:
    """Answer until stdin ends."""
    table, name = sys.argv[1:]
    target = load_table(Path(table))[name]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whoever prints must not disturb the answers
    judge = prepared_judge(target)
    _limit()
    for line in sys.stdin:
        print(to_line(judge.judge(Path(line.rstrip("\n")))), file=answers, flush=True)


def prepared_judge(target: Target) -> Judge:
    """A judge that has read an input before: every module is imported, every cache is warm."""
    faulthandler.enable()
    judge = Judge(target.readers)
    with tempfile.TemporaryDirectory(prefix="bmtrain-fuzz-") as scratch:
        for number, seed in enumerate(target.seeds()[:3]):
            write_files(seed, Path(scratch, str(number)))
            judge.judge(Path(scratch, str(number)))
    judge.start_counting()
    return judge


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + _MAX_MORE_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    main()
