"""What a shell may complete: configs, runs and checkpoints, keys and figures of the config.

A completion that fails offers nothing: it never writes into the line that somebody types.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import redirect_stdout, suppress
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any, Final

from bmtrain.cli.stream import Stream

#: What the shell's own function sets; the program then prints candidates instead of running.
VARIABLE: Final = "_BMTRAIN_COMPLETE"
_NAME: Final = "bmtrain"
_NO_BLANK: Final = "[[ ${COMPREPLY-} == *[=/] ]] && compopt -o nospace 2> /dev/null"
#: A directory may hold more entries than anybody wants to see.
_MAX_SCANNED: Final = 10_000
_MAX_OFFERED: Final = 200
_CONFIG_SUFFIXES: Final = (".yaml", ".yml")
_SPLITS: Final = ("train", "validation", "test")
_FIGURES: Final = ("loss", "penalty", "objective")

Completer = Callable[[Any, list[str], str], list[str]]


def script(shell: str) -> str:
    """What the shell has to read, at each start."""
    from typer import completion

    make: Any = completion.get_completion_script  # type: ignore[attr-defined]  # tests run it
    text = str(make(prog_name=_NAME, complete_var=VARIABLE, shell=shell))
    # A key waits for its value, a directory for what is in it.
    return text.replace("return 0", f"{_NO_BLANK}\n    return 0") if shell == "bash" else text


def complete(command: Any, instruction: str, out: Stream) -> int:
    """Write the candidates that the shell asks for; the exit code that it expects."""
    from typer import completion

    completion.completion_init()  # type: ignore[attr-defined]  # as above
    told = _joined_override()
    with redirect_stdout(StringIO()) as candidates:
        try:
            exit_code = int(completion.shell_complete(command, {}, _NAME, VARIABLE, instruction))
        except SystemExit as end:  # fish asks by exit code
            exit_code = end.code if isinstance(end.code, int) else 1
    lines = candidates.getvalue().splitlines()
    for line in lines:
        out.line(line.removeprefix(told))
    return exit_code


def _joined_override() -> str:
    """Bash takes ``KEY``, ``=`` and ``VALUE`` for three words, and wants to hear the last one alone.

    They become one again in the environment; ``KEY=`` is returned, or "".
    """
    words = os.environ.get("COMP_WORDS", "").split("\n")
    current = int(os.environ.get("COMP_CWORD") or 0)
    before, typed = words[:current], "".join(words[current : current + 1])
    if typed == "=" and before:
        *before, key = before
        typed = ""
    elif len(before) > 1 and before[-1] == "=":
        *before, key, _ = before
    else:
        return ""
    os.environ["COMP_WORDS"] = "\n".join([*before, f"{key}={typed}"])
    os.environ["COMP_CWORD"] = str(len(before))
    return f"{key}="


def _never_failing(candidates: Callable[[Any, str], Iterable[str]]) -> Completer:
    def completer(ctx: Any, args: list[str], incomplete: str) -> list[str]:  # noqa: ARG001  # Typer's names
        with suppress(Exception):
            fitting = (text for text in candidates(ctx, incomplete) if text.startswith(incomplete))
            return list(dict.fromkeys(islice(filter(_is_plain, fitting), _MAX_OFFERED)))
        return []

    return completer


def _is_plain(text: str) -> bool:
    return text.isprintable() and not set(text) & set(" \t'\"\\$`();|&<>*?[]{}!#~")


@_never_failing
def config_or_run(ctx: Any, incomplete: str) -> Iterator[str]:
    """Config files and directories; with ``--resume`` runs."""
    if ctx.params.get("resume"):
        yield from _runs(incomplete)
    else:
        yield from _configs(incomplete)


@_never_failing
def run_or_checkpoint(_ctx: Any, incomplete: str) -> Iterator[str]:
    """Runs, the newest first; of a run that is typed its checkpoints."""
    yield from _runs(incomplete)
    typed = Path(incomplete)
    run = typed if incomplete.endswith("/") else typed.parent
    for directory in (run / "checkpoints", run):
        yield from (str(path) for path in _entries(directory) if (path / "manifest.json").is_file())
    yield from _directories(incomplete)


@_never_failing
def override(ctx: Any, incomplete: str) -> Iterator[str]:
    """``KEY=``, and after it the values to choose from."""
    from bmtrain.config.keys import dotted_keys

    key, given, _ = incomplete.partition("=")
    keys = dotted_keys()
    if given:
        yield from (f"{key}={value}" for value in keys.get(key, ()))
        return
    if ctx.params.get("config") is None:  # optional before it, that is
        yield from _configs(incomplete)
    yield from (f"{key}=" for key in keys)


@_never_failing
def figure(ctx: Any, _incomplete: str) -> Iterator[str]:
    """``test.accuracy`` and so on: the figures of the config, or all if it cannot be read."""
    names = [*_FIGURES, *_metrics(ctx.params.get("config") or _typed_config())]
    yield from (f"{split}.{name}" for split in _SPLITS for name in names)


@_never_failing
def config_key(_ctx: Any, _incomplete: str) -> Iterator[str]:
    """The config's keys."""
    from bmtrain.config.keys import dotted_keys

    yield from dotted_keys()


@_never_failing
def recipe(_ctx: Any, _incomplete: str) -> Iterator[str]:
    """What init can write."""
    from bmtrain.workflows.starter.recipes import recipe_names

    yield from recipe_names()


def _typed_config() -> str | None:
    """An option without its value keeps the arguments from being told apart."""
    line = os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS") or ""
    return next((word for word in line.split() if word.endswith(_CONFIG_SUFFIXES)), None)


def _metrics(config: object) -> Sequence[str]:
    from bmtrain.config.load import load_config
    from bmtrain.config.sections.metrics import MetricName

    with suppress(Exception):
        return load_config(Path(str(config))).experiment.metrics
    from typing import get_args

    return [str(name) for name in get_args(MetricName)]


def _configs(incomplete: str) -> Iterator[str]:
    typed = Path(incomplete)
    directory = typed if incomplete.endswith("/") else typed.parent
    files = (path for path in _entries(directory) if path.suffix.lower() in _CONFIG_SUFFIXES)
    yield from (str(path) for path in files if path.is_file())
    yield from _directories(incomplete)


def _runs(incomplete: str) -> Iterator[str]:
    root = Path(os.environ.get("BMTRAIN_RUNS") or "runs")
    for directory in (
        root,
        Path(incomplete) if incomplete.endswith("/") else Path(incomplete).parent,
    ):
        found = [path for path in _entries(directory) if (path / "run.json").is_file()]
        yield from map(str, sorted(found, key=lambda path: path.stat().st_mtime, reverse=True))


def _directories(incomplete: str) -> Iterator[str]:
    directory = Path(incomplete) if incomplete.endswith("/") else Path(incomplete).parent
    yield from (f"{path}/" for path in _entries(directory) if path.is_dir())


def _entries(directory: Path) -> list[Path]:
    """What is in it, by name; hidden files apart."""
    with suppress(OSError), os.scandir(directory) as entries:
        names = [entry.name for entry in islice(entries, _MAX_SCANNED)]
        return [directory / name for name in sorted(names) if not name.startswith(".")]
    return []
