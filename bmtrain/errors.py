"""The ways a command can end badly, one exit code each.

    BmtrainError
    ├── UsageError           2   the command line is wrong
    ├── ConfigError          2   the config is wrong, provable without the data
    ├── PluginError          2   a plugin cannot be loaded, or its code fails
    ├── DataError            3   the data is missing or wrong, or does not fit the config
    ├── TrainingDiverged     5   a loss or a weight is not finite
    ├── EnvironmentFault     6   disk, permissions, device, run directory in use
    │   └── OutOfMemory      6   there is not enough of it
    ├── CheckpointError      7   damaged, or does not fit
    │   └── NewerFormat      7   of a format that this version does not know
    └── Interrupted          129, 130 or 143: SIGHUP, SIGINT or SIGTERM

Exit code 4, an expectation that was missed, is no error: the run completed, and its
summary says so. Anything else that escapes is a bug of ours: exit code 1. The command line's
boundary (``bmtrain.cli.boundary``) is the only place that turns these into
exit codes and text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

#: Of what a traceback shows of a wrong config.
_MAX_LINES = 10
_MAX_LINE = 400


#: How the names of sources begin that are one argument of the command line.
ARGUMENTS = ("override ", "--expect ", "--fold")


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding about one place in a config file, an override or a data file.

    ``source`` is what the reader is told to look at: a path, ``override 2``,
    ``--expect 1`` or ``--fold``. ``line`` and ``column`` count from 1; 0 means that the
    finding has no place of its own (a missing key, say, points at its parent).
    ``source_line`` is the text of that line; the caret underlines ``length``
    characters from ``column``. ``key`` is the dotted config key, or "".
    """

    source: str
    message: str
    key: str = ""
    line: int = 0
    column: int = 0
    length: int = 1
    source_line: str = ""
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        """Place, key and message in one line."""
        place = f"{self.source}:{self.line}:{self.column}: " if self.line else ""
        if self.source.startswith(ARGUMENTS):
            place = f"{self.source}: "
        return f"{place}{self.key and self.key + ': '}{self.message}"


class BmtrainError(Exception):
    """An ending with an exit code, a message for a person and a place to look.

    Args:
        message: what is wrong: what was expected and what came; one sentence.
        where: the file, row, tensor or key it is about, if there is one.
        hint: what to do about it, if that is not obvious.
        key: the config key it is about; whoever knows the config's text turns it
            into a diagnostic with file, line and caret.
        diagnostics: compiler-style findings, when the error has places in a config.
    """

    exit_code: ClassVar[int] = 1
    code: ClassVar[str] = "internal"

    def __init__(
        self,
        message: str,
        *,
        where: str | None = None,
        hint: str | None = None,
        key: tuple[str | int, ...] | None = None,
        diagnostics: Sequence[Diagnostic] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint
        self.key = key
        self.diagnostics = tuple(diagnostics)

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text} ({self.hint})" if self.hint else text


class UsageError(BmtrainError):
    """The command line is wrong."""

    exit_code = 2
    code = "usage"


class ConfigError(BmtrainError):
    """The config is wrong, and that can be shown without reading the data."""

    exit_code = 2
    code = "config"

    def __str__(self) -> str:
        """The first findings, a line each: a traceback shows no more than its message."""
        lines = [str(found)[:_MAX_LINE] for found in self.diagnostics[:_MAX_LINES]]
        if len(self.diagnostics) > _MAX_LINES:
            lines.append(f"and {len(self.diagnostics) - _MAX_LINES} more")
        return "\n".join(lines) or super().__str__()


class PluginError(BmtrainError):
    """A plugin cannot be loaded, or its code fails; the diagnostic says in which line."""

    exit_code = 2
    code = "plugin"


class DataError(BmtrainError):
    """The data is missing or wrong, or does not fit the config."""

    exit_code = 3
    code = "data"


class TrainingDiverged(BmtrainError):
    """A loss or a weight is not finite any more."""

    exit_code = 5
    code = "diverged"


class EnvironmentFault(BmtrainError):
    """The machine cannot do it: disk, permissions, memory, device, directory in use."""

    exit_code = 6
    code = "environment"


class OutOfMemory(EnvironmentFault):
    """There is not enough memory, or would not be."""


class CheckpointError(BmtrainError):
    """The checkpoint is damaged, of a newer format, or does not fit."""

    exit_code = 7
    code = "checkpoint"


class NewerFormat(CheckpointError):
    """The checkpoint is whole, and of a format that this version does not know."""


class Interrupted(BmtrainError):
    """A signal ended the run; ``signal_number`` is 1 (SIGHUP), 2 (SIGINT) or 15 (SIGTERM)."""

    code = "interrupted"

    def __init__(self, message: str, *, signal_number: int, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.signal_number = signal_number
        self.exit_code = 128 + signal_number  # type: ignore[misc]  # one class, three codes: the shell's convention
