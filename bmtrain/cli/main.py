"""The ``bmtrain`` command: parse, run, end."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

from bmtrain.cli.boundary import end, raise_terminated
from bmtrain.cli.console import OutputFormat, Screen, close_screen, open_screen


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; never raises, never shows a traceback.

    Args:
        arguments: without the program's name; None: those of this process.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    screen = open_screen()
    with suppress(ValueError):  # not the main thread: whoever called keeps the signals
        signal.signal(signal.SIGTERM, raise_terminated)
    try:
        exit_code = _told(words, screen)
    except KeyboardInterrupt:  # once more, while the first was being told
        exit_code = 130
    except BaseException as error:  # noqa: BLE001  # stdout broke while the ending was told
        exit_code = end(error, screen)
    finally:
        close_screen(screen)
    return exit_code


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
        with command.make_context("bmtrain", list(words), obj=screen) as context:
            return int(command.invoke(context) or 0)
    except typer.Exit as finished:
        return finished.exit_code
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
