"""The JSON Schema beside a config, and the line by which editors find it.

Editors resolve the path in that line from the config's own place, so that config and schema
can be moved, committed and used on other machines together; an address on this machine (of the
user's cache, of the installed package) could not.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from bmtrain.config.json_schema import json_schema
from bmtrain.durable import environment_faults, write_text
from bmtrain.errors import EnvironmentFault
from bmtrain.regular_files import NotRegular, open_regular

SCHEMA_FILE: Final = ".bmtrain-schema.json"
#: As the YAML language server wants it, which VS Code, Neovim, Emacs and others use.
SCHEMA_LINE: Final = f"# yaml-language-server: $schema={SCHEMA_FILE}"
_MARK: Final = "made by bmtrain init; it may be deleted or made anew at any time"
#: Our own is a twentieth of this.
_MAX_BYTES: Final = 1_000_000


def write_schema(directory: Path, *, force: bool = False) -> Path:
    """Write the schema of this version beside a config, over an older one of ours too.

    Raises:
        EnvironmentFault: it cannot be written, or what has its name is not ours and not
            to be replaced (``force``).
    """
    path = directory / SCHEMA_FILE
    text = schema_text()
    if (present := _present(path)) == text.encode():
        return path
    if present is not None and _MARK.encode() not in present and not force:
        raise EnvironmentFault(
            "cannot write the schema for editors: another file has its name",
            where=str(path),
            hint="rename that file, or replace it with --force",
        )
    write_text(path, text, links=False)
    return path


def schema_text() -> str:
    """The schema as a file."""
    return json.dumps({"$comment": _MARK, **json_schema()}, ensure_ascii=False) + "\n"


def _present(path: Path) -> bytes | None:
    """What is there already, as far as it could be ours; None: nothing is."""
    try:
        with environment_faults(path, "read"):
            descriptor = open_regular(path)
    except NotRegular:
        return b""
    except EnvironmentFault as fault:
        if isinstance(fault.__cause__, FileNotFoundError):
            return None
        raise
    with open(descriptor, "rb") as file:  # noqa: PTH123  # a descriptor is no path
        return file.read(_MAX_BYTES)
