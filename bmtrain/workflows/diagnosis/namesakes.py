"""Somebody else's package of the same name: installed over this one, or found before it."""

from __future__ import annotations

import base64
import hashlib
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Final

from bmtrain.program import pip
from bmtrain.workflows.diagnosis.finding import Finding

_PACKAGE: Final = "bmtrain"
_TOLD: Final = 3


def namesake_findings(own_name: str) -> Iterator[Finding]:
    """Other distributions that bring a package ``bmtrain``, other ones to import, changed files."""
    found = [*_distributions(own_name), *_importable(), *_changed(own_name)]
    yield from found
    if not found:
        yield Finding("ok", f"no other package is named {_PACKAGE}")


def _distributions(own_name: str) -> Iterator[Finding]:
    for other in metadata.distributions():
        name = other.metadata["Name"] or "?"
        if _normal(name) == _normal(own_name) or not _brings_package(other):
            continue
        yield Finding(
            "problem",
            f"{name} {other.version} is another program's, and installs a package {_PACKAGE}, too: "
            "their files are mixed",
            f"{pip('uninstall', name, own_name)}, then install this one anew: {pip('install', '.')}",
        )


def _brings_package(distribution: metadata.Distribution) -> bool:
    if _PACKAGE in (distribution.read_text("top_level.txt") or "").split():
        return True
    record = distribution.read_text("RECORD") or ""
    return any(line.startswith((f"{_PACKAGE}/", f"{_PACKAGE}.py,")) for line in record.splitlines())


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def _importable() -> Iterator[Finding]:
    """Others of the name on the path of modules; the first one counts, and that is not the last."""
    imported = _imported()
    for directory in dict.fromkeys([Path.cwd(), *(Path(entry) for entry in sys.path if entry)]):
        package, module = directory / _PACKAGE, directory / f"{_PACKAGE}.py"
        candidates = [package] if (package / "__init__.py").is_file() else []
        for other in (*candidates, *([module] if module.is_file() else [])):
            if not other.samefile(imported):
                yield Finding(
                    "warning",
                    f"{other} has the name of this program's package; "
                    f"imported was {imported}, another program may get that one",
                    "rename or remove it, or call bmtrain from another directory",
                )


def _imported() -> Path:
    return Path(sys.modules[_PACKAGE].__file__ or "").parent


def _changed(own_name: str) -> Iterator[Finding]:
    """Files that are not what was installed: somebody's of the same names, or none."""
    try:
        own = metadata.distribution(own_name)
    except metadata.PackageNotFoundError:
        return
    changed = [
        str(file)
        for file in own.files or ()
        if file.parts[0] == _PACKAGE and file.hash and not _is_as_installed(file)
    ]
    if changed:
        more = f" and {len(changed) - _TOLD} more" if len(changed) > _TOLD else ""
        yield Finding(
            "problem",
            f"not as installed: {', '.join(changed[:_TOLD])}{more}",
            f"{pip('uninstall', own_name)}, then install it anew: {pip('install', '.')}",
        )


def _is_as_installed(file: metadata.PackagePath) -> bool:
    assert file.hash is not None
    try:
        content = Path(str(file.locate())).read_bytes()
    except OSError:
        return False
    digest = hashlib.new(file.hash.mode, content).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == file.hash.value
