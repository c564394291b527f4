"""Is what is installed what this program needs, all of it, and nobody else's? No TensorFlow."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from bmtrain.machine import may_have_gpu
from bmtrain.program import pip
from bmtrain.version import __version__
from bmtrain.workflows.diagnosis.finding import Examined, Finding
from bmtrain.workflows.diagnosis.namesakes import namesake_findings

DISTRIBUTION: Final = "bmtrain-keras"
#: What optional packages are for, by extra.
_EXTRAS: Final = {
    "gpu": "for the energy that a GPU takes",
    "export": "for export --to onnx",
    "report": "for the charts of a report",
    "track": "for TensorBoard and MLflow",
}
#: Distributions that put their files where tensorflow or keras has its own.
_RIVALS: Final = (
    *("tensorflow-cpu", "tensorflow-gpu", "tensorflow-intel", "tensorflow-rocm"),
    *("intel-tensorflow", "tf-nightly", "tf-nightly-cpu", "keras-nightly"),
)


def examine_installation() -> Examined:
    """Python, this package and those that it needs, by their metadata: none is imported."""
    own = _distribution(DISTRIBUTION)
    needed, optional = _requirements(own)
    versions = {name: _version(name) for name in (*needed, *optional)}
    findings = [
        _python(own),
        _program(own),
        *_packages(needed, versions),
        *namesake_findings(DISTRIBUTION),
        *_rivals(),
        *_optional(optional, versions),
    ]
    facts = {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "executable": sys.executable,
        "bmtrain": __version__,
        "packages": versions,
    }
    return Examined("installation", tuple(findings), facts)


def _distribution(name: str) -> metadata.Distribution | None:
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None


def _version(name: str) -> str | None:
    found = _distribution(name)
    return None if found is None else found.version


def _requirements(
    own: metadata.Distribution | None,
) -> tuple[dict[str, Requirement], dict[str, tuple[str, Requirement]]]:
    """What is needed, and for each optional package its extra; by the packages' names."""
    needed: dict[str, Requirement] = {}
    optional: dict[str, tuple[str, Requirement]] = {}
    for text in (own.requires if own is not None else None) or []:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            needed[requirement.name] = requirement
            continue
        for extra in _EXTRAS:
            if requirement.marker.evaluate({"extra": extra}):
                optional.setdefault(requirement.name, (extra, requirement))
    return needed, {name: entry for name, entry in optional.items() if name not in needed}


def _python(own: metadata.Distribution | None) -> Finding:
    version, wanted = platform.python_version(), own and own.metadata["Requires-Python"]
    if wanted and not SpecifierSet(wanted).contains(version, prereleases=True):
        return Finding("problem", f"Python {version}; expected {wanted}", "use another Python")
    return Finding("ok", f"{platform.python_implementation()} {version}")


def _program(own: metadata.Distribution | None) -> Finding:
    place = Path(sys.modules["bmtrain"].__file__ or "").parent
    said = f"bmtrain {__version__} at {place}"
    if own is None:
        return Finding("note", f"{said}, not installed: what it needs is not known to pip")
    if own.version != __version__:
        return Finding(
            "warning",
            f"{said}; pip knows it as {own.version}",
            f"install it anew: {pip('install', '.')}",
        )
    return Finding("ok", said)


def _packages(
    needed: Mapping[str, Requirement], versions: Mapping[str, str | None]
) -> Iterator[Finding]:
    good: list[str] = []
    for name, requirement in needed.items():
        version = versions[name]
        remedy = pip("install", f"{name}{requirement.specifier}")
        if version is None:
            yield Finding("problem", f"{name} is not installed", remedy)
        elif not requirement.specifier.contains(Version(version), prereleases=True):
            expected = f"{name} {version}; expected {requirement.specifier}"
            yield Finding("problem", expected, remedy)
        else:
            good.append(f"{name} {version}")
    if good:
        yield Finding("ok", ", ".join(good))


def _rivals() -> Iterator[Finding]:
    for name in _RIVALS:
        if (version := _version(name)) is not None:
            whose = "keras" if name.startswith("keras") else "tensorflow"
            yield Finding(
                "warning",
                f"{name} {version} has files where {whose} has its own: whichever came last counts",
                f"{pip('uninstall', name, whose)}, then {pip('install', whose)}",
            )


def _optional(
    optional: Mapping[str, tuple[str, Requirement]], versions: Mapping[str, Any]
) -> Iterator[Finding]:
    for extra, purpose in _EXTRAS.items():
        if extra == "gpu" and not may_have_gpu():
            continue
        names = [name for name, (of, _) in optional.items() if of == extra]
        if there := [f"{name} {versions[name]}" for name in names if versions[name] is not None]:
            yield Finding("ok", f"{purpose}: {', '.join(there)}")
        if absent := [name for name in names if versions[name] is None]:
            wanted = pip("install", *(f"{name}{optional[name][1].specifier}" for name in absent))
            yield Finding(
                "note",
                f"{purpose}: not installed: {', '.join(absent)}",
                f"if you need it: {wanted}",
            )
