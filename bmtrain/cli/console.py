"""Where a command speaks: results on stdout, everything else on stderr.

Stderr is written through a *duplicate* of file descriptor 2: a run sends the
descriptor itself to its log, so that native libraries cannot write over the
screen. Nobody reading is never an error on stderr; on stdout a closed pipe is
none either, but a full disk is.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, TextIO

from bmtrain.cli.stream import Stream
from bmtrain.errors import EnvironmentFault

OutputFormat = Literal["text", "json", "github"]


def in_github_actions() -> bool:
    """Whether this process is a step of a workflow there."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


class Screen:
    """The two streams of one command, and how the user wants to be spoken to."""

    def __init__(self, out: Stream, err: Stream) -> None:
        self.out = out
        self.err = err
        if out.is_terminal:
            out.beside = err
        self.asked_command: str | None = None  # the first word, whether it can be parsed or not
        self.is_smoke = False
        self.is_find_lr = False
        self.command: str | None = None
        self.format: OutputFormat = "text"
        self.quiet = False
        self.run_dir: Path | None = None
        self.junit: Path | None = None
        self._waiting_for: str | None = None

    @property
    def is_json(self) -> bool:
        """Stdout takes one JSON document and nothing else."""
        return self.format == "json"

    @property
    def tells_progress(self) -> bool:
        """Progress on stderr: not under --quiet, and under --json only for who watches."""
        return not self.quiet and (self.format != "json" or self.err.is_terminal)

    def warn(self, message: str) -> None:
        """Say what the user should know, under --quiet and --json too."""
        self.err.hanging(self.err.paint("warning: ", "yellow"), len("warning: "), message)

    @contextmanager
    def waiting(self, what: str, *, in_a_line: bool = False) -> Iterator[None]:
        """Show that something takes its time, for as long as it does.

        Where nothing can be shown for a while it is not told; ``in_a_line``: in a line that stays.
        """
        self._waiting_for = what + self.err.symbols.dots
        if in_a_line and self.tells_progress and not self.err.is_live:
            self.err.line(self._waiting_for)
        self.show_waiting()
        try:
            yield
        finally:
            self._waiting_for = None
            self.err.clear()

    def tell(self, message: str) -> None:
        """Say what is about to be done with something of the user's; under --json too."""
        if not self.quiet:
            self.err.paragraph(message)
            self.show_waiting()

    def show_waiting(self) -> None:
        """Show again what is waited for, after something was said."""
        if self._waiting_for is not None and self.tells_progress:
            self.err.show_for_now(self._waiting_for)

    def show_progress(self, what: str, done: int, total: int) -> None:
        """Show how far the reading of something large is."""
        if self.tells_progress:
            of_all = f"{done:,} of {total:,} {what}"
            self.err.show_for_now(f"reading{self.err.symbols.dots} {of_all}")

    def note(self, message: str) -> None:
        """Say something that may be left out."""
        if self.tells_progress:
            self.err.paragraph(message, "dim")


def open_screen() -> Screen:
    """The screen of this process; :func:`close_screen` gives the duplicate back."""
    _fill_standard_descriptors()
    return Screen(Stream(sys.stdout, must_arrive=True), Stream(_duplicate_of_stderr()))


def close_screen(screen: Screen) -> None:
    """Flush both streams and close the duplicate of stderr.

    What was to arrive was flushed before, and told where it did not.
    """
    with suppress(EnvironmentFault):
        screen.out.flush()
    screen.err.clear()
    screen.err.flush()
    screen.err.release()


def _duplicate_of_stderr() -> TextIO | None:
    encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
    try:
        return os.fdopen(os.dup(2), "w", encoding=encoding, errors="backslashreplace")
    except OSError:
        return None


def _fill_standard_descriptors() -> None:
    """A closed 0, 1 or 2 becomes /dev/null, or the next file opened would take its place."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            with suppress(OSError):
                os.open(os.devnull, os.O_RDWR)
