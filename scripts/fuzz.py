"""Feed damaged and hostile files to everything that reads a file, and see what happens.

Whatever an input is, a reader gives a result or raises one of bmtrain's errors, within 1 s
and 100 MB of memory; no other exception, no warning, no crash of the process, no hang. Each
input (60 kB at most) is read in a process of its own kind that may die of it. What does not
keep to this is made small, written to a directory and told with the command that does it again.

The formats are rows of TARGETS in scripts/fuzzing/targets.py.

BMTRAIN_FUZZ_INPUT_SECONDS allows an input more than that second, on a machine that is busy.

Exit code 0: nothing was found; 1: something was.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from fuzzing import report, targets
from fuzzing.drawing import hunt_by_drawing
from fuzzing.files import read_files
from fuzzing.guiding import hunt_guided
from fuzzing.hunting import Finding, Hunt, Tally
from fuzzing.isolation import Isolated

TABLE = Path(targets.__file__).resolve()


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(
        prog="scripts/fuzz",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=float, default=60, help="altogether; default 60")
    parser.add_argument("--target", action="append", help="only this one; may be repeated")
    parser.add_argument("--seed", type=int, help="of the inputs; default: another one each time")
    parser.add_argument(
        "--engine",
        choices=("hypothesis", "atheris"),
        default="hypothesis",
        help="atheris is guided by coverage; Linux on x86-64 only",
    )
    parser.add_argument("--keep", type=Path, help="where faulty inputs go; default a new directory")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    parser.add_argument("--replay", type=Path, help="judge this file or directory, nothing else")
    parser.add_argument(
        "--table", type=Path, default=TABLE, help="a Python file with other TARGETS"
    )
    options = parser.parse_args(arguments)
    known = targets.load_table(options.table.resolve())
    for name in options.target or ():
        if name not in known:
            parser.error(f"--target {name}: expected one of {', '.join(known)}")
    if options.replay and len(options.target or ()) != 1:
        parser.error("--replay needs the one --target that the input belongs to")
    if options.engine == "atheris" and find_spec("atheris") is None:
        parser.error("--engine atheris: it is not installed; it exists for Linux on x86-64 only")
    return options


def fast_directory() -> str | None:
    """Where files are in memory, if the system has that: inputs are written by the thousand."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  # private below it


def replay(options: argparse.Namespace, table: Path, scratch: Path) -> int:
    """Judge one input and show everything about it."""
    name = options.target[0]
    files = read_files(options.replay, targets.load_table(table)[name].main)
    with Isolated(table, name, scratch) as isolated:
        verdicts = isolated.judge(files)
    for verdict in verdicts:
        print(report.description(verdict))
        if verdict.fault is not None and verdict.details:
            print(verdict.details)
    return int(any(verdict.fault is not None for verdict in verdicts))


def hunt_all(
    options: argparse.Namespace, table: Path, scratch: Path, keeper: report.Keeper, seed: int
) -> dict[str, Tally]:
    """All wanted targets, one after the other, each for its share of the time."""
    known = targets.load_table(table)
    names = options.target or list(known)
    share_s = options.seconds / len(names)
    tallies = {}
    for name in names:
        report.say(f"{name}, {share_s:.0f} s")
        folder = scratch / name

        def keep(finding: Finding, name: str = name) -> None:
            keeper.keep(name, known[name].main, finding)

        folder.mkdir()
        with Isolated(table, name, folder) as isolated:
            hunt = Hunt(name, known[name], isolated, keep)
            hunt.read_seeds()
            began = time.monotonic()
            if options.engine == "atheris":
                hunt_guided(hunt, began + share_s, seed, table, folder)
            else:
                hunt_by_drawing(hunt, began + share_s, seed)
            hunt.tally.seconds = time.monotonic() - began
        tallies[name] = hunt.tally
    return tallies


def main(arguments: list[str] | None = None) -> int:
    """Do what was asked for; the exit code."""
    options = parse(arguments)
    table = options.table.resolve()
    with tempfile.TemporaryDirectory(prefix="bmtrain-fuzz-", dir=fast_directory()) as folder:
        scratch = Path(folder)
        if options.replay:
            return replay(options, table, scratch)
        seed = options.seed if options.seed is not None else secrets.randbelow(2**31)
        directory = options.keep or Path(tempfile.gettempdir()) / f"bmtrain-fuzz-kept-{seed}"
        table_option = "" if table == TABLE else f" --table {table}"
        keeper = report.Keeper(directory, table_option)
        report.say(f"seed {seed}, {options.engine}")
        tallies = hunt_all(options, table, scratch, keeper, seed)
    if options.json:
        facts = {"engine": options.engine, "seed": seed, "seconds": options.seconds}
        print(report.document(tallies, keeper.failures, facts))
    else:
        report.show(tallies)
        for failure in keeper.failures:
            print(f"\n{failure['target']}: {failure['fault']}\n  {failure['command']}")
    return int(bool(keeper.failures))


if __name__ == "__main__":
    sys.exit(main())
