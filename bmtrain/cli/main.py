"""The ``bmtrain`` command: parse, run, end."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from bmtrain.cli.signals import signals_raise

if TYPE_CHECKING:
    from bmtrain.cli.console import OutputFormat, Screen

# Everything else is imported inside: Ctrl-C ends an import as properly as a training.


def run() -> NoReturn:
    """The program: ``main``, what was registered for the end, and out at once.

    Taking TensorFlow apart object by object costs over a second, and the system frees it all
    anyway. Nothing of ours waits for that: files are flushed when they are written.
    """
    exit_code = main()
    atexit._run_exitfuncs()  # noqa: SLF001  # the one way to run them without the rest
    os._exit(exit_code)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; never raises, never shows a traceback.

    Args:
        arguments: without the program's name; None: those of this process.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    screens: list[Screen] = []
    try:
        with signals_raise(to_the_end=arguments is None):
            return _with_screen(words, screens)
    except KeyboardInterrupt as interruption:  # before there was a screen, or once more at the end
        if not screens:
            with suppress(KeyboardInterrupt):  # once more
                return _ended_early(interruption, words)
        return 128 + getattr(interruption, "signal_number", 2)


def _ended_early(interruption: KeyboardInterrupt, words: Sequence[str]) -> int:
    """Tell of a signal that came during the first imports."""
    from bmtrain.cli.boundary import end
    from bmtrain.cli.console import close_screen, open_screen

    screen = open_screen()
    _look_at(words, screen)
    exit_code = end(interruption, screen)
    close_screen(screen)
    return exit_code


def _with_screen(words: Sequence[str], screens: list[Screen]) -> int:
    """Run the command; ``screens`` takes its screen once there is one."""
    from bmtrain.cli.boundary import end
    from bmtrain.cli.console import close_screen, open_screen

    screen = open_screen()
    _look_at(words, screen)
    screens.append(screen)
    try:
        exit_code = _told(words, screen)
    except Exception as error:  # noqa: BLE001  # stdout broke while the ending was told
        exit_code = end(error, screen)
    finally:
        close_screen(screen)
    return exit_code


def _told(words: Sequence[str], screen: Screen) -> int:
    from bmtrain.cli.boundary import end

    try:
        exit_code = _run(words, screen)
        screen.out.flush()
        if exit_code == 0:  # any other says more
            screen.out.require_arrived()
    except BaseException as error:  # noqa: BLE001  # every ending has its exit code and its line
        return end(error, screen)
    return exit_code


def _run(words: Sequence[str], screen: Screen) -> int:
    import typer

    from bmtrain.cli.app import app
    from bmtrain.cli.completion import VARIABLE, complete
    from bmtrain.program import program

    command = typer.main.get_command(app)
    if instruction := os.environ.get(VARIABLE):
        return complete(command, instruction, screen.out)
    try:
        # Without a command: the help, and exit code 2, since nothing was done.
        with command.make_context(program(), list(words) or ["--help"], obj=screen) as context:
            command.invoke(context)
            return 0
    except typer.Exit as finished:
        return finished.exit_code if words else 2
    except OSError as error:
        if screen.command is not None:
            raise
        # The help, which the parser writes itself. `bmtrain --help | head -1` has what it wanted.
        screen.out.failed(error)
        return 0


def _look_at(words: Sequence[str], screen: Screen) -> None:
    """What the command line seems to ask for, for errors that come before it is parsed."""
    screen.format = _asked_format(words)
    screen.asked_command = next(iter(words), None)
    screen.is_smoke = "--smoke" in words
    screen.is_find_lr = "--find-lr" in words


def _asked_format(words: Sequence[str]) -> OutputFormat:
    from bmtrain.cli.console import in_github_actions

    options = list(words)[: words.index("--")] if "--" in words else list(words)
    if "--json" in options:
        return "json"
    if options[:1] not in (["train"], ["check"], ["runs"], ["compare"]):
        return "text"
    joined = " ".join(options).replace("--format=", "--format ")
    if "--format json" in joined:
        return "json"
    if "--format github" in joined:
        return "github"
    return "github" if "--format" not in joined and in_github_actions() else "text"
