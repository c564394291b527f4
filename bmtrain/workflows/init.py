"""``bmtrain init``: a commented starter config, from a recipe or from a look at the data."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bmtrain.config.source_text import SURROGATE
from bmtrain.data.bundled import BUNDLED
from bmtrain.durable import write_new_text, write_text
from bmtrain.errors import DataError, EnvironmentFault, UsageError
from bmtrain.program import program
from bmtrain.workflows.starter.recipes import find_recipe, recipes
from bmtrain.workflows.starter.schema_file import SCHEMA_FILE, write_schema

_HEAD: dict[str, Any] = {"schema_version": 1, "status": "completed", "exit_code": 0, "error": None}
#: ``--output -``.
STDOUT = Path("-")


@dataclass(frozen=True, slots=True, kw_only=True)
class InitRequest:
    """What to start from, a recipe or data, and where the config goes; ``-`` is stdout."""

    recipe: str | None = None
    data: Path | None = None
    label: str | None = None
    format: str = "auto"
    output: Path = Path("config.yaml")
    force: bool = False


def list_recipes() -> dict[str, Any]:
    """The document of ``init --list --json``."""
    listed = [
        {
            "name": recipe.name,
            "about": recipe.about,
            "time_s": recipe.time_s,
            "cores": recipe.cores,
            "result": {f"test.{recipe.metric}": recipe.value},
        }
        for recipe in recipes()
    ]
    data_sets = [
        {
            "name": name,
            "about": bundled.about,
            "task": bundled.task,
            "examples": bundled.num_examples,
            "size": bundled.size,
            "label": bundled.label,
            "licence": bundled.licence,
            "source": bundled.source,
        }
        for name, bundled in BUNDLED.items()
    ]
    return _HEAD | {"recipes": listed, "data_sets": data_sets}


def init(request: InitRequest) -> dict[str, Any]:
    """Write a config; the document of ``init --json``.

    Raises:
        UsageError: neither or both of a recipe and data; an unknown recipe.
        DataError: the data is missing, damaged, or has nothing that could be predicted.
        EnvironmentFault: the file exists already, or cannot be written.
    """
    _require_one_start(request)
    recipe = None if request.recipe is None else find_recipe(request.recipe)
    if request.data is None or os.path.lexists(request.data):  # else that is what to tell
        _require_destination(request)
    if recipe is not None:
        text = recipe.config_text(called(request.output))
        document: dict[str, Any] = {"recipe": recipe.name, "data": None, "choices": []}
    else:
        text, document = _from_data(request)
    return _HEAD | document | _written(request, text)


def _require_one_start(request: InitRequest) -> None:
    hint = (
        f"`{program()} init --list` shows the recipes; `{program()} init --data FILE` looks at data"
    )
    if request.recipe is None and request.data is None:
        raise UsageError("expected a recipe or --data", hint=hint)
    if request.recipe is not None and request.data is not None:
        raise UsageError("give either a recipe or --data, not both", hint=hint)
    if request.recipe is not None and (request.label is not None or request.format != "auto"):
        raise UsageError("--label and --format are about --data", hint=hint)


def _require_destination(request: InitRequest) -> None:
    """What is wrong with the destination is told before the data is read."""
    path = request.output
    if path == STDOUT:
        return
    if not path.parent.is_dir():
        raise UsageError(f"--output: there is no directory '{path.parent}'")
    if path.is_dir():
        raise UsageError(f"--output: '{path}' is a directory")
    if os.path.lexists(path) and not request.force:
        raise _exists(path)


def _exists(path: Path) -> EnvironmentFault:
    return EnvironmentFault(
        "it exists already, and was left as it is",
        where=str(path),
        hint="choose another name with -o FILE, or replace it with --force",
    )


def called(output: Path) -> str:
    """The config as a command line names it; in a comment of it, too, so in one line."""
    text = "config.yaml" if output == STDOUT else shlex.quote(str(output))
    return text if text.isprintable() else ascii(text)


def _commands(output: Path) -> list[str]:
    """What to type next."""
    return [f"{program()} {verb} {called(output)}" for verb in ("check", "train")]


def _from_data(request: InitRequest) -> tuple[str, dict[str, Any]]:
    from bmtrain.workflows.starter.choosing import choose
    from bmtrain.workflows.starter.document import seen_document
    from bmtrain.workflows.starter.looking import look_at
    from bmtrain.workflows.starter.writing import config_text

    assert request.data is not None
    directory = Path() if request.output == STDOUT else request.output.parent
    source = source_in_config(request.data, directory)
    seen = look_at(request.data, label=request.label, data_format=request.format)
    choices = choose(seen, source)
    text = config_text(seen, choices, _commands(request.output))
    return text, {"recipe": None, **seen_document(seen, choices)}


def source_in_config(data: Path, directory: Path) -> str:
    """``data.source`` for a config in ``directory``: relative, unless they share the root alone.

    Raises:
        DataError: the path is no text that a config can hold.
    """
    # As the config's reader takes a "..": the parent of what a link leads to.
    start = os.path.realpath(directory)
    absolute = os.path.join(os.path.realpath(data.parent), data.name)  # noqa: PTH118
    if os.path.commonpath([absolute, start]) == "/":
        source = absolute
    else:
        source = os.path.relpath(absolute, start)
        source = source if source.startswith("../") else f"./{source}"
    if SURROGATE.search(source):
        raise DataError("a config cannot name this path: it is not in UTF-8", where=ascii(source))
    return source


def _written(request: InitRequest, text: str) -> dict[str, Any]:
    """Write the schema, then the config that names it; what was written where."""
    path = request.output
    if path == STDOUT:
        command = f"{program()} schema > {SCHEMA_FILE}"
        return {
            "config": None,
            "schema": None,
            "schema_command": command,
            "text": text,
            "next": [],
        }
    schema = write_schema(path.parent, force=request.force)
    if request.force:
        write_text(path, text)
    else:
        write_new_text(path, text)
    return {"config": path, "schema": schema, "text": text, "next": _commands(path)}
