"""What ended a run, whoever raised it, as one of ours: the same on the screen and in the summary."""

from __future__ import annotations

import errno
import os
import re
import shlex
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bmtrain.config.plugin_faults import plugin_fault
from bmtrain.durable import environment_fault
from bmtrain.errors import BmtrainError, EnvironmentFault, Interrupted, OutOfMemory
from bmtrain.program import program

#: What a machine does to a program, wherever it happens.
_ENVIRONMENT_ERRNOS = {
    errno.EACCES,
    errno.EDQUOT,
    errno.EIO,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
    errno.ENOSPC,
    errno.EPERM,
    errno.EROFS,
}
#: What became of a command that a signal ended.
_WORDS: dict[int, str] = {signal.SIGHUP: "hung up", signal.SIGTERM: "terminated"}


def known_ending(error: BaseException) -> BmtrainError | None:
    """The exception as one of ours, or None: a bug."""
    if isinstance(error, BmtrainError):
        return error
    if (interruption := _interruption_behind(error)) is not None:
        return interruption
    if (of_plugin := plugin_fault(error)) is not None and not _is_of_machine(error):
        return of_plugin
    if isinstance(error, MemoryError):
        return out_of_memory(str(error))
    if isinstance(error, ModuleNotFoundError) and not (error.name or "bmtrain").startswith(
        "bmtrain"
    ):
        return EnvironmentFault(
            f"the package {error.name} is not installed here, which this program needs",
            hint="install with pip, or run scripts/bmtrain, which sets up what it needs",
        )
    if isinstance(error, UnicodeEncodeError):
        return EnvironmentFault(
            f"the file system's encoding, {error.encoding}, has no letter for {error.object!a:.200}",
            hint="set LC_ALL=C.UTF-8",
        )
    if isinstance(error, OSError) and error.errno in _ENVIRONMENT_ERRNOS:
        fault = environment_fault(error, Path(os.fsdecode(error.filename or "")), "go on")
        return fault if error.filename else EnvironmentFault(fault.message, hint=fault.hint)
    return None


def _is_of_machine(error: BaseException) -> bool:
    """What the machine does to a plugin's code, as to any."""
    has_errno = isinstance(error, OSError) and error.errno in _ENVIRONMENT_ERRNOS
    return isinstance(error, MemoryError) or has_errno


def out_of_memory(said: str, *, of_gpu: bool = False) -> OutOfMemory:
    """The fault, with the shape or size that did not fit if the library said one."""
    whose = "the GPU's memory" if of_gpu else "the memory"
    more = "a GPU with more memory, or --device cpu" if of_gpu else "or a machine with more memory"
    return OutOfMemory(
        f"{whose} is used up{_what_did_not_fit(said)}",
        hint=f"use a smaller training.batch_size, model or data set, {more}",
    )


def not_repeatable(said: str) -> EnvironmentFault:
    """The fault, with the library's own first line: it names the operation."""
    first_line = (said.splitlines() or [""])[0]
    return EnvironmentFault(
        f"this GPU cannot compute the model with the same bits each time: {first_line}",
        hint="use --device cpu, or another training.engine",
    )


def _what_did_not_fit(said: str) -> str:
    if shape := re.search(r"shape ?[\[(]([\d, ]+)[\])]", said):
        return f": no room for an array of the shape [{shape[1]}]"
    if size := re.search(r"allocate (\d[\d.]* ?(?:[KMGT]iB|bytes))", said):
        return f": no room for {size[1]} more"
    return ""


def resume_hint(run_dir: Path) -> str:
    """The command that goes on with an interrupted run."""
    return f"go on with: {program()} train {shlex.quote(str(run_dir))} --resume"


@contextmanager
def interrupted_early(run_dir: Path) -> Iterator[None]:
    """A signal in here comes before anything of the run is written, and is told so."""
    try:
        yield
    except BaseException as error:
        known = known_ending(error)
        if not isinstance(known, Interrupted):
            raise
        raise before_the_first_step(known, run_dir) from error


def before_the_first_step(interrupted: Interrupted, run_dir: Path) -> Interrupted:
    """The same, with whether there is a run in ``run_dir`` to go on with."""
    is_run = (run_dir / "config.yaml").is_file()
    return Interrupted(
        f"{interrupted.message} before the first step; nothing is {'lost' if is_run else 'saved'}",
        signal_number=interrupted.signal_number,
        hint=resume_hint(run_dir) if is_run else "the same command begins anew",
    )


def internal_message(error: BaseException) -> str:
    """A bug in one line."""
    first_line = (str(error).splitlines() or [""])[0]
    return f"internal error: {type(error).__name__}: {first_line}"[:500]


def _interruption_behind(error: BaseException) -> Interrupted | None:
    """Ctrl-C during an import may come out as that import's own error."""
    for cause in _chain(error):
        if isinstance(cause, KeyboardInterrupt):
            number = getattr(cause, "signal_number", int(signal.SIGINT))
            return Interrupted(_WORDS.get(number, "interrupted"), signal_number=number)
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    while id(error) not in seen:
        seen.add(id(error))
        yield error
        following = error.__cause__ or error.__context__
        if following is None:
            return
        error = following
