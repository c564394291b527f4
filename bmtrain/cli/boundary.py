"""How a command ends: the only place that turns exceptions into exit codes and text.

what escaped                                  exit code
BmtrainError                                  its own
wrong command line (Typer)                    2
SIGHUP, KeyboardInterrupt, SIGTERM            129, 130, 143
MemoryError, a full or read-only disk …       6
anything else                                 1: one line here, the traceback in a file
"""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bmtrain.cli.ci_reports import Failure, write_reports
from bmtrain.cli.console import Screen
from bmtrain.cli.rendering.diagnostics import (
    counted,
    diagnostic_document,
    github_command,
    github_line,
    place,
    show_diagnostic,
)
from bmtrain.cli.rendering.documents import json_text
from bmtrain.cli.wrong_words import wrong_command_line
from bmtrain.errors import BmtrainError, Diagnostic
from bmtrain.regular_files import NotRegular, open_regular
from bmtrain.workflows import documents
from bmtrain.workflows.endings import internal_message, known_ending


@dataclass(frozen=True, slots=True)
class Ending:
    """What is told of an ending that is not a success."""

    exit_code: int
    code: str
    message: str
    where: str | None = None
    hint: str | None = None
    diagnostics: tuple[Diagnostic, ...] = ()


def end(error: BaseException, screen: Screen) -> int:
    """Tell how the command ended, and return its exit code."""
    screen.err.clear()
    ending = ending_of(error, screen)
    if screen.format == "github":
        _annotate(ending, screen)
    if screen.format != "github" or not ending.diagnostics:
        _show(ending, screen)
    summary = getattr(error, "summary", None) or {}
    details = tuple(map(str, ending.diagnostics))
    write_reports(screen, summary, Failure(ending.code, ending.message, ending.hint, details))
    if screen.is_json:
        screen.out.line(json_text(failure_document(ending, screen, summary)))
    return ending.exit_code


def ending_of(error: BaseException, screen: Screen) -> Ending:
    """The ending that an exception stands for."""
    known = _as_known(error)
    if known is None:
        return _internal(error, screen)
    where = known.where
    if where is None and known.diagnostics:
        where = place(known.diagnostics[0])
    elif where is None and known.key:
        where = ".".join(map(str, known.key))
    return Ending(known.exit_code, known.code, known.message, where, known.hint, known.diagnostics)


def failure_document(ending: Ending, screen: Screen, summary: dict[str, Any]) -> dict[str, Any]:
    """What ``--json`` prints of a failure; ``summary`` is what the workflow knows of the run."""
    status = {"diverged": "diverged", "interrupted": "interrupted"}.get(ending.code, "failed")
    document: dict[str, Any] = {
        "schema_version": 1,
        "status": status,
        "exit_code": ending.exit_code,
        "error": {
            "code": ending.code,
            "message": ending.message,
            "where": ending.where,
            "hint": ending.hint,
        },
    }
    keys: tuple[str, ...] = ()
    if screen.asked_command == "train":
        document["run_dir"] = screen.run_dir
        keys = documents.SMOKE if screen.is_smoke else documents.TRAIN
        keys = documents.FIND_LR if screen.is_find_lr else keys
    document["diagnostics"] = [diagnostic_document(finding) for finding in ending.diagnostics]
    return (
        dict.fromkeys(keys)
        | document
        | {name: value for name, value in summary.items() if name not in document}
        | ({"run_dir": summary["run_dir"]} if summary.get("run_dir") else {})
    )


def _as_known(error: BaseException) -> BmtrainError | None:
    """The exception as one of ours, or None: a bug."""
    if (known := known_ending(error)) is not None:
        return known
    if callable(getattr(error, "format_message", None)):
        return wrong_command_line(error)
    return None


def _internal(error: BaseException, screen: Screen) -> Ending:
    text = "".join(traceback.format_exception(error))
    path = _keep_traceback(text, screen.run_dir)
    kept = f"the traceback is in {path}" if path else "its traceback could not be written anywhere"
    return Ending(
        exit_code=1,
        code="internal",
        message=internal_message(error),
        hint=f"this is a bug in bmtrain; {kept}",
    )


def _keep_traceback(text: str, run_dir: Path | None) -> Path | None:
    """Append to the run's log, or write a file of its own where there is no run."""
    log = run_dir / "log.txt" if run_dir else None
    try:
        if log is not None:
            descriptor = open_regular(log, os.O_WRONLY | os.O_APPEND)
            with os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
            return log
    except (OSError, NotRegular):
        pass
    try:
        descriptor, name = tempfile.mkstemp(prefix="bmtrain-error-", suffix=".txt")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{sys.argv}\n{text}")
    except OSError:
        return None
    return Path(name)


def _show(ending: Ending, screen: Screen) -> None:
    err = screen.err
    for diagnostic in ending.diagnostics:
        show_diagnostic(diagnostic, err)
    if ending.diagnostics:
        nothing_was = "run" if ending.exit_code == 2 else "trained"
        is_silent = screen.command == "check" or ending.code == "plugin"
        tail = "" if is_silent else f" Nothing was {nothing_was}."
        number = f"{counted(ending.diagnostics)}."
        err.hanging(err.paint(number, "bold"), len(number), tail)
    else:
        where = f"{ending.where}: " if ending.where else ""
        label = "" if ending.code in {"interrupted", "internal"} else "error: "
        err.hanging(err.paint(label, "red"), len(label), where + ending.message)
    if ending.hint:
        label = "" if ending.code == "interrupted" else "hint: "
        err.hanging(err.paint(label, "dim"), len(label), ending.hint)


def _annotate(ending: Ending, screen: Screen) -> None:
    for diagnostic in ending.diagnostics:
        screen.out.line(github_line(diagnostic, ending.hint))
    if not ending.diagnostics:
        hint = f"\nhint: {ending.hint}" if ending.hint else ""
        where = f"{ending.where}: " if ending.where else ""
        screen.out.line(github_command("error", where + ending.message + hint, title="bmtrain"))
