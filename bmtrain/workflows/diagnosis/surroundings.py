"""Where runs and caches go, the locale, the terminal, what the environment sets. No TensorFlow."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from bmtrain.engine.compile_cache import describe_compile_cache
from bmtrain.figures import amount
from bmtrain.runs.directory import planned_run_dir
from bmtrain.workflows.diagnosis.finding import Examined, Finding

#: A run of small models takes some megabytes; below this even its log may not fit.
_LEAST_ROOM: Final = 100 * 10**6
_LITTLE_ROOM: Final = 10**9
#: bmtrain sets these itself: a training never sees what was there.
_SET_ASIDE: Final = (
    *("KERAS_BACKEND", "KERAS_HOME", "TF_XLA_FLAGS", "XLA_FLAGS", "TF_ENABLE_ONEDNN_OPTS"),
    *("TF_DETERMINISTIC_OPS", "NVIDIA_TF32_OVERRIDE"),
)
#: What can put other code in the place of what is installed.
_DOUBTFUL: Final = ("LD_PRELOAD", "DYLD_INSERT_LIBRARIES", "PYTHONPATH", "PYTHONHOME")
_OURS: Final = ("BMTRAIN_RUNS", "BMTRAIN_XLA_CACHE", "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH")


@dataclass(frozen=True, slots=True)
class Terminal:
    """What the command line's reader can show."""

    is_terminal: bool
    columns: int
    has_color: bool
    is_ascii: bool


def runs_place() -> Path:
    """The directory that exists, in which runs go or in which theirs is made."""
    runs = planned_run_dir("run").parent.absolute()
    return next((path for path in (runs, *runs.parents) if path.exists()), Path("/"))


def examine_surroundings(terminal: Terminal) -> Examined:
    """Room, rights, locks and names, tried out where runs would go; nothing stays."""
    runs = planned_run_dir("run").parent.absolute()
    cache, cache_is_used = describe_compile_cache()
    is_off = cache.startswith("off (")
    findings = [
        *_place(runs),
        *_temporary(),
        Finding("ok", f"compilation cache: {cache}")
        if cache_is_used
        else Finding(
            "note" if is_off else "warning",
            f"compilation cache: {cache}",
            "unset it: each start compiles anew meanwhile"
            if is_off
            else "XDG_CACHE_HOME names another place; each start compiles anew meanwhile",
        ),
        *_locale(terminal),
        _terminal(terminal),
        *_variables(),
    ]
    facts = {
        "runs": str(runs),
        "compilation_cache": cache,
        "encoding": sys.getfilesystemencoding(),
        "locale": {name: os.environ.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG")},
        "terminal": {**asdict(terminal), "TERM": os.environ.get("TERM")},
        "variables": {name: os.environ[name] for name in _OURS if name in os.environ},
        "set": [name for name in (*_SET_ASIDE, *_DOUBTFUL) if name in os.environ],
    }
    return Examined("surroundings", tuple(findings), facts)


def _place(runs: Path) -> Iterator[Finding]:
    place = runs_place()
    remedy = "BMTRAIN_RUNS names another place"
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        what = "not writable" if place.is_dir() else "no directory"
        yield Finding("problem", f"runs go to {runs}, and {place} is {what}", remedy)
        return
    free = shutil.disk_usage(place).free
    room = f"runs go to {runs}: {amount(free, 'B')} free"
    if free < _LEAST_ROOM:
        yield Finding("problem", room, f"free some space, or {remedy}")
        return
    if (fault := _fault_of_files(place)) is not None:
        yield Finding("problem", f"{room}, but {fault}", f"{remedy}, on a local disk")
    elif free < _LITTLE_ROOM:
        yield Finding("warning", room, f"free some space, or {remedy}")
    else:
        yield Finding("ok", room)


def _fault_of_files(place: Path) -> str | None:
    """What a run needs of a file system, done once: locks, flushed files, renames."""
    doing = "no directory can be made there"
    try:
        with tempfile.TemporaryDirectory(prefix=".bmtrain-doctor-", dir=place) as made:
            doing = "no file can be locked there"
            with (Path(made) / "lock").open("wb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                doing = "no file can be written and flushed there"
                lock.write(b"x")
                os.fsync(lock.fileno())
            doing = "no file can be renamed there"
            (Path(made) / "lock").replace(Path(made) / "renamed")
    except OSError as error:
        return f"{doing}: {error.strerror or error}"
    return None


def _temporary() -> Iterator[Finding]:
    try:
        place = Path(tempfile.gettempdir())
        free = shutil.disk_usage(place).free
    except OSError as error:
        yield Finding("warning", f"no temporary directory: {error}", "TMPDIR names another one")
        return
    if free < _LEAST_ROOM:
        said = f"temporary files go to {place}: {amount(free, 'B')} free"
        yield Finding("warning", said, "free some space, or TMPDIR names another place")


def _locale(terminal: Terminal) -> Iterator[Finding]:
    encoding = sys.getfilesystemencoding()
    if encoding.lower() not in {"utf-8", "utf8"}:
        yield Finding(
            "warning",
            f"names of files are in {encoding}: those with other letters cannot be opened",
            "set LC_ALL=C.UTF-8",
        )
    elif terminal.is_ascii:
        yield Finding(
            "note", "the locale has no symbols: plain letters are shown", "LC_ALL=C.UTF-8 has them"
        )
    else:
        yield Finding("ok", f"texts are in {encoding.upper()}")


def _terminal(terminal: Terminal) -> Finding:
    if not terminal.is_terminal:
        return Finding("ok", "no terminal: plain lines, no progress within an epoch")
    colours = "colours" if terminal.has_color else "no colours"
    return Finding("ok", f"a terminal of {terminal.columns} columns, {colours}")


def _variables() -> Iterator[Finding]:
    if aside := [name for name in _SET_ASIDE if name in os.environ]:
        yield Finding("note", f"set, and set aside by every training: {', '.join(aside)}")
    for name in _DOUBTFUL:
        if os.environ.get(name):
            yield Finding(
                "note",
                f"{name} is set: it can put other code in the place of what is installed",
                f"where something is odd, try without: env -u {name} bmtrain ...",
            )


def nothing_shown() -> Terminal:
    """Of a caller that shows nothing."""
    return Terminal(is_terminal=False, columns=80, has_color=False, is_ascii=False)
