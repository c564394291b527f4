"""The engine's process: ``python -m fuzzing.guided TABLE TARGET SCRATCH SEED SECONDS``.

Answers with a line of verdicts per input, as ``fuzzing.worker`` does, and waits for a line
before it goes on to the next: until then the input lies in ``SCRATCH/guided``.
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import atheris
from hypothesis import given

from fuzzing.files import Files, write_files

#: Bytes that libFuzzer gives Hypothesis to choose by.
_MAX_CHOICE_BYTES = 8192
_NUM_FIRST_CHOICES = 50


def main() -> None:
    """Fuzz until the time is up."""
    table, name, folder, seed, seconds = sys.argv[1:]
    scratch = Path(folder)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    with atheris.instrument_imports(include=["bmtrain", "yaml"]):
        from fuzzing.judging import to_line
        from fuzzing.targets import load_table
        from fuzzing.worker import prepared_judge

        target = load_table(Path(table))[name]
        judge = prepared_judge(target)

    @given(target.inputs(target.seeds()))
    def attempt(files: Files) -> None:
        write_files(files, scratch / "guided")
        print(to_line(judge.judge(scratch / "guided")), file=answers, flush=True)
        sys.stdin.readline()

    def choose(choices: bytes) -> None:
        attempt.hypothesis.fuzz_one_input(choices)  # type: ignore[attr-defined]

    _first_choices(scratch / "corpus", int(seed))
    options = [f"-seed={int(seed) % 2**31}", f"-max_total_time={seconds}", "-rss_limit_mb=0"]
    options += [f"-max_len={_MAX_CHOICE_BYTES}", "-len_control=0", f"-artifact_prefix={scratch}/"]
    atheris.Setup([sys.argv[0], *options, str(scratch / "corpus")], choose)
    atheris.Fuzz()


def _first_choices(corpus: Path, seed: int) -> None:
    """Something to start from: libFuzzer would begin with no choice at all."""
    source = random.Random(seed)  # noqa: S311  # nothing secret
    for number in range(_NUM_FIRST_CHOICES):
        length = source.choice((64, 512, 4096))
        (corpus / f"first-{number}").write_bytes(source.randbytes(length))


if __name__ == "__main__":
    main()
