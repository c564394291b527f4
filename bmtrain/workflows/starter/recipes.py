"""The recipes: the experiments of configs/, which are shipped inside the package."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bmtrain.config.suggestions import listed_or, nearest
from bmtrain.errors import UsageError
from bmtrain.program import program
from bmtrain.workflows.starter.schema_file import SCHEMA_LINE

_PACKAGE: Final = Path(__file__).parents[2]
#: Where the build puts configs/, and where they are in a checkout: one copy in either.
_DIRECTORIES: Final = (_PACKAGE / "recipes", _PACKAGE.parent / "configs")
_TIME = re.compile(r"About (?P<seconds>\d+) s on (?P<cores>\d+) CPU cores")
_RESULT = re.compile(r"[Tt]est (?P<metric>\w+)\b[^.]*? (?P<value>\d+\.\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A config that comes with the package; what it says of itself is read off its header.

    Attributes:
        about: the first paragraph.
        time_s: the whole command, as measured on ``cores`` CPU cores.
        metric: of the test split, as measured: ``value``.
    """

    name: str
    about: str
    time_s: int
    cores: int
    metric: str
    value: float
    text: str

    def config_text(self, config: str) -> str:
        """The config as it is, called ``config`` in its own header, with the line for editors."""
        return f"{SCHEMA_LINE}\n{self.text.replace(f'configs/{self.name}.yaml', config)}"


def recipes() -> list[Recipe]:
    """All recipes, by name."""
    return [_read(path) for path in _paths()]


def recipe_names() -> list[str]:
    """What ``init`` takes."""
    return [path.stem for path in _paths()]


def find_recipe(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        UsageError: there is none.
    """
    paths = {path.stem: path for path in _paths()}
    if name in paths:
        return _read(paths[name])
    stem = name.removesuffix(".yaml").rpartition("/")[2]
    meant = [stem] if stem in paths else nearest(stem, paths)
    if Path(name).suffix.lower() in {".csv", ".npz"} or Path(name).is_dir():
        hint = f"to start from data: {program()} init --data {shlex.quote(name)}"
    elif meant:
        hint = f"did you mean {listed_or(meant)}?"
    else:
        hint = f"the recipes are: {', '.join(paths)}"
    raise UsageError(f"there is no recipe {name!r}", hint=hint)


def _paths() -> list[Path]:
    directory = next(directory for directory in _DIRECTORIES if directory.is_dir())
    return sorted(directory.glob("*.yaml"))


def _read(path: Path) -> Recipe:
    text = path.read_text(encoding="utf-8")
    comments = [line[1:].strip() for line in text[: text.index("\nname:")].splitlines()]
    header = " ".join(comments)
    took, reached = _TIME.search(header), _RESULT.search(header)
    assert took is not None, path  # a test reads every header
    assert reached is not None, path
    return Recipe(
        name=path.stem,
        about=" ".join(comments[: comments.index("")]).rstrip("."),
        time_s=int(took["seconds"]),
        cores=int(took["cores"]),
        metric=reached["metric"],
        value=float(reached["value"]),
        text=text,
    )
