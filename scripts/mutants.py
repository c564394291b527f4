"""Test the tests: each protection in scripts/mutants.yaml is taken out, and a test must go red.

A mutant is one replacement in one file, and the tests that are to find it. They are run
first on the untouched code, where they must pass, then on a copy with the replacement, where
one must fail. Exit code 1: a mutant survived.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "scripts" / "mutants.yaml"
PAGE = ROOT / "CONTRIBUTING.md"
BEGIN = "<!-- mutants: made by scripts/mutants --write -->\n"
END = "<!-- end of the mutants -->\n"
COPIED = (
    "bmtrain",
    "tests",
    "scripts",
    "configs",
    "requirements",
    "pyproject.toml",
    "README.md",
    "docs",
)


@dataclass(frozen=True)
class Mutant:
    """A protection, how it is taken out, and the tests that must notice."""

    protection: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def mutated(self, text: str) -> str:
        """The file's text without the protection; ``old`` must be there exactly once."""
        if text.count(self.old) != 1:
            sys.exit(f"mutants: {self.file}: {text.count(self.old)} times {self.old!r}, not once")
        return text.replace(self.old, self.new)


def read_table() -> list[Mutant]:
    """The mutants of scripts/mutants.yaml."""
    entries = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return [Mutant(**{**entry, "tests": tuple(entry["tests"])}) for entry in entries]


def copy_of_project(directory: Path) -> None:
    """What the tests need, without the environment and the history."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, directory / name, ignore=ignored)
        else:
            shutil.copy(source, directory / name)


def _environment(directory: Path) -> dict[str, str]:
    """The copy's code first; and it counts for no coverage of the project's."""
    inherited = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}
    return inherited | {"PYTHONPATH": str(directory), "PYTHONDONTWRITEBYTECODE": "1"}


def red_test(directory: Path, tests: Sequence[str], timeout_s: float = 600) -> str | None:
    """Run tests on the code in ``directory``; the first that fails, or None."""
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests],
        cwd=directory,
        env=_environment(directory),
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
    )
    if ended.returncode == 0:
        return None
    if ended.returncode != 1:
        sys.exit(f"mutants: pytest could not run {' '.join(tests)}:\n{ended.stdout}{ended.stderr}")
    lines = [line for line in ended.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    return lines[0].split(" - ")[0].split("::")[-1].split("[")[0] if lines else "a test"


def survived(mutant: Mutant, directory: Path) -> str | None:
    """None if it did; else the test that went red."""
    path = directory / mutant.file
    text = path.read_text(encoding="utf-8")
    path.write_text(mutant.mutated(text), encoding="utf-8")
    try:
        return red_test(directory, mutant.tests)
    finally:
        path.write_text(text, encoding="utf-8")


def run_all(mutants: Sequence[Mutant]) -> list[tuple[Mutant, str | None]]:
    """Each mutant with the test that found it, or None."""
    rows: list[tuple[Mutant, str | None]] = []
    with tempfile.TemporaryDirectory(prefix="bmtrain-mutants-") as scratch:
        directory = Path(scratch)
        copy_of_project(directory)
        tests = sorted({test for mutant in mutants for test in mutant.tests})
        if (red := red_test(directory, tests, timeout_s=1800)) is not None:
            sys.exit(f"mutants: {red} fails on the untouched code")
        for mutant in mutants:
            began = time.monotonic()
            found = survived(mutant, directory)
            rows.append((mutant, found))
            word = f"found by {found}" if found else "SURVIVED"
            print(f"{time.monotonic() - began:6.1f} s  {mutant.protection}: {word}", flush=True)
    return rows


def write_page(rows: Sequence[tuple[Mutant, str | None]], table: Sequence[Mutant]) -> None:
    """The table into CONTRIBUTING.md, between its marks; rows that were not run stay."""
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    there, after = rest.split(END)
    lines = {line.split(" | ")[0].removeprefix("| "): line for line in there.splitlines()[2:]}
    for mutant, found in rows:
        test = f"`{found}`" if found else "**none**"
        lines[mutant.protection] = f"| {mutant.protection} | `{mutant.file}` | {test} |"
    known = [lines[m.protection] for m in table if m.protection in lines]
    head = ["| taken out | in | the test that goes red |", "|---|---|---|"]
    page = before + BEGIN + "\n".join([*head, *known]) + "\n" + END + after
    PAGE.write_text(page, encoding="utf-8")


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("words", nargs="*", help="only mutants whose names contain one of them")
    parser.add_argument(
        "--write", action="store_true", help="what was run into the table in CONTRIBUTING.md"
    )
    options = parser.parse_args()
    words = [word.lower() for word in options.words]
    table = read_table()
    rows = run_all(
        [
            mutant
            for mutant in table
            if not words or any(word in mutant.protection.lower() for word in words)
        ]
    )
    if options.write:
        write_page(rows, table)
    num_found = sum(found is not None for _, found in rows)
    print(f"{num_found} of {len(rows)} mutants found")
    if num_found < len(rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
