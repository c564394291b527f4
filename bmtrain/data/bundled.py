"""The data sets that come with the package."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from bmtrain.data.near_names import did_you_mean
from bmtrain.data.quoting import quoted, short
from bmtrain.errors import ConfigError

_ROOT = Path(__file__).parent / "bundled"

#: name in ``data.source`` -> directory; each holds the licence notice of its files.
BUNDLED: dict[str, Path] = {"mnist": _ROOT / "mnist"}


def is_bundled_name(source: str) -> bool:
    """A bare word names a bundled set; anything with a slash or a dot is a path."""
    return not any(mark in source for mark in "/\\.")


def bundled_directory(name: str) -> Path:
    """The directory of the bundled set ``name``; ConfigError if there is none."""
    if name in BUNDLED:
        return BUNDLED[name]
    raise ConfigError(
        f"there is no bundled data set {quoted(name)}; the bundled sets are: {', '.join(BUNDLED)}",
        key=("data", "source"),
        hint=_hint(name),
    )


def _hint(name: str) -> str:
    with suppress(OSError, ValueError):  # a name that no file could have
        if Path(name).exists():
            return f"{name} is here in the current directory: write ./{name}"
    guess = did_you_mean(name, BUNDLED)
    return f"{f'{guess} ' if guess else ''}a path needs a slash or a dot, as in ./{short(name)}"
