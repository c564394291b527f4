"""The ``bmtrain`` command: parse, run, end."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bmtrain.cli.boundary import end, raise_terminated
from bmtrain.cli.console import OutputFormat, Screen, close_screen, open_screen


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; never raises, never shows a traceback.

    Args:
        arguments: without the program's name; None: those of this process.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    screen = open_screen()
    try:
        with _sigterm_raises():
            exit_code = _told(words, screen)
    except KeyboardInterrupt:  # once more, while the first was being told
        exit_code = 130
    except BaseException as error:  # noqa: BLE001  # stdout broke while the ending was told
        exit_code = end(error, screen)
    finally:
        close_screen(screen)
    return exit_code


@contextmanager
def _sigterm_raises() -> Iterator[None]:
    """SIGTERM unwinds as Ctrl-C does, unless whoever started us has it ignored."""
    if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    try:
        signal.signal(signal.SIGTERM, raise_terminated)
    except ValueError:  # not the main thread: whoever called keeps the signals
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _told(words: Sequence[str], screen: Screen) -> int:
    try:
        exit_code = _run(words, screen)
        screen.out.flush()
    except BaseException as error:  # noqa: BLE001  # every ending has its exit code and its line
        return end(error, screen)
    return exit_code


def _run(words: Sequence[str], screen: Screen) -> int:
    import typer  # inside the boundary: Ctrl-C during the import ends properly

    from bmtrain.cli.app import app

    screen.format = _asked_format(words)
    command = typer.main.get_command(app)
    try:
        # Without a command: the help, and exit code 2, since nothing was done.
        with command.make_context("bmtrain", list(words) or ["--help"], obj=screen) as context:
            command.invoke(context)
            return 0
    except typer.Exit as finished:
        return finished.exit_code if words else 2
    except BrokenPipeError:
        if screen.command is not None:
            raise
        # `bmtrain --help | head -1`: the reader has what it wanted.
        screen.out.abandon()
        return 0


def _asked_format(words: Sequence[str]) -> OutputFormat:
    """What the command line seems to ask for, for errors that come before it is parsed."""
    options = list(words)[: words.index("--")] if "--" in words else list(words)
    if "--json" in options:
        return "json"
    if options[:1] not in (["train"], ["check"]):
        return "text"
    joined = " ".join(options).replace("--format=", "--format ")
    if "--format json" in joined:
        return "json"
    return "github" if "--format github" in joined else "text"
