"""What a hunt came to: a table, a JSON document, and the inputs that were kept."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from fuzzing.files import digest, keep, num_bytes
from fuzzing.hunting import Finding, Tally
from fuzzing.judging import Verdict


def say(text: str) -> None:
    """Show progress."""
    print(f"fuzz: {text}", file=sys.stderr, flush=True)


class Keeper:
    """Writes faulty inputs down, each with what it did and the command that does it again."""

    def __init__(self, directory: Path, table_option: str) -> None:
        self._directory = directory
        self._table_option = table_option
        self.failures: list[dict[str, Any]] = []

    def keep(self, target: str, main: str, finding: Finding) -> None:
        """Keep one, and say so."""
        stem = self._directory / f"{target}-{digest(finding.files)}"
        path = keep(finding.files, main, stem)
        command = f"scripts/fuzz --replay {shlex.quote(str(path))} --target {target}"
        command += self._table_option
        words = description(finding.verdict)
        text = f"{words}\n\n{command}\n\n{finding.verdict.details}"
        stem.with_name(f"{stem.name}.txt").write_text(text)
        self.failures.append(
            {
                "target": target,
                "reader": finding.verdict.reader,
                "fault": finding.verdict.fault,
                "outcome": finding.verdict.outcome,
                "input": str(path),
                "input_bytes": num_bytes(finding.files),
                "command": command,
            }
        )
        say(f"{target}: {words}\n      {command}")


def description(verdict: Verdict) -> str:
    """A verdict in one line."""
    what = verdict.fault or "fine"
    return (
        f"{verdict.reader}: {what}; {verdict.outcome}; "
        f"{verdict.seconds:.3f} s, {verdict.growth_bytes / 1e6:.0f} MB"
    )


def document(
    tallies: Mapping[str, Tally], failures: list[dict[str, Any]], facts: Mapping[str, Any]
) -> str:
    """The figures as JSON."""
    targets = {
        name: {
            "inputs": tally.num_inputs,
            "seconds": round(tally.seconds, 1),
            "outcomes": tally.outcomes,
            "slowest_s": round(tally.slowest_s, 3),
            "largest_mb": round(tally.largest_bytes / 1e6, 1),
            "unsteady": tally.num_unsteady,
            "failures": len(tally.findings),
        }
        for name, tally in tallies.items()
    }
    return json.dumps({**facts, "targets": targets, "failures": failures}, indent=2)


def show(tallies: Mapping[str, Tally]) -> None:
    """The figures as a table."""
    table = Table(box=None, pad_edge=False)
    table.add_column("target")
    for name in ("inputs", "seconds", "outcomes", "slowest s", "largest MB", "failures"):
        table.add_column(name, justify="right")
    for name, tally in tallies.items():
        table.add_row(
            name,
            f"{tally.num_inputs:,}",
            f"{tally.seconds:.0f}",
            f"{len(tally.outcomes):,}",
            f"{tally.slowest_s:.3f}",
            f"{tally.largest_bytes / 1e6:.0f}",
            f"{len(tally.findings)}",
        )
    Console(width=100).print(table)
