"""What MLflow is told of a run, where it is told, and what the run directory keeps of that."""

from __future__ import annotations

import importlib.util
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from bmtrain.config.resolved import plain
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.config.sections.tracking import MlflowSection, TrackSection
from bmtrain.errors import EnvironmentFault
from bmtrain.program import pip
from bmtrain.runs.environment import read_json
from bmtrain.version import __version__
from bmtrain.workflows.tracking.tracker import TrackedRun

RECORD_VERSION: Final = 1
_VARIABLE: Final = "MLFLOW_TRACKING_URI"
_PACKAGE: Final = "mlflow>=3.10,<4"
#: MLflow takes no longer ones.
_MAX_VALUE: Final = 6000
_MAX_NAME: Final = 250
_FOLD: Final = re.compile(r"fold-\d+")
_RUN_ID: Final = re.compile(r"[0-9a-f]{32}")


def address(section: MlflowSection) -> str:
    """The config's, or the environment's."""
    return section.uri or os.environ.get(_VARIABLE, "")


def require_trackers(section: TrackSection) -> None:
    """What can be proven of them before a training.

    Raises:
        EnvironmentFault: a package is not installed, or nothing says where MLflow is.
    """
    if (missing := missing_of_mlflow(section)) is not None:
        what, remedy = missing
        raise EnvironmentFault(f"track.mlflow: {what}", hint=remedy)


def missing_of_mlflow(section: TrackSection) -> tuple[str, str] | None:
    """What is missing, and what to do about it; None where nothing is, or MLflow is not asked for."""
    if section.mlflow is None:
        return None
    uri = address(section.mlflow)
    if not uri:
        return f"no uri, and {_VARIABLE} is not set", f"set {_VARIABLE}, or write mlflow: URI"
    if importlib.util.find_spec("mlflow") is None:
        return "the package mlflow is not installed", _install()
    if not uri.startswith("http") and importlib.util.find_spec("sqlalchemy") is None:
        return "the package sqlalchemy, for databases, is not installed", _install()
    return None


def _install() -> str:
    return f"install it: {pip('install', _PACKAGE)}, or leave track.mlflow out"


def masked(text: str) -> str:
    """The text without the user and password of an address, or secrets in its query."""
    text = re.sub(r"//[^/@\s]*@", "//", text)
    return re.sub(r"([?&][^=&\s]*=)[^&\s]*", r"\1…", text)


def recorded_run_id(record: Mapping[str, Any], uri: str) -> str | None:
    """The run of MLflow's that an earlier start told, where it was told at the same address."""
    run_id = record.get("run_id")
    if record.get("uri") != masked(uri) or not isinstance(run_id, str):
        return None
    return run_id if _RUN_ID.fullmatch(run_id) else None


def run_name(path: Path) -> str:
    """The run directory's; a fold's with the one that its folds are in."""
    return f"{path.parent.name}/{path.name}" if _FOLD.fullmatch(path.name) else path.name


def parameters(experiment: ExperimentConfig) -> dict[str, str]:
    """The resolved config, flat: ``model.layers.0.units`` -> ``128``; ``track`` is no parameter."""
    document = plain(experiment)
    del document["track"]
    return {name[:_MAX_NAME]: text[:_MAX_VALUE] for name, text in _flat(document, "")}


def _flat(value: Any, name: str) -> Iterator[tuple[str, str]]:
    nested: Mapping[str, Any] = {}
    if isinstance(value, dict):
        nested = value
    elif isinstance(value, list) and any(isinstance(entry, dict) for entry in value):
        nested = {str(index): entry for index, entry in enumerate(value)}
    if nested:
        for key, entry in nested.items():
            yield from _flat(entry, f"{name}.{key}" if name else key)
    else:
        yield name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def tags(run: TrackedRun) -> dict[str, str]:
    """What ran where; the commit by the name under which MLflow shows it."""
    told = {
        "mlflow.source.type": "LOCAL",
        "mlflow.source.name": "bmtrain train",
        "bmtrain.version": __version__,
        "bmtrain.run_dir": str(run.directory.path.absolute()),
        **{f"bmtrain.{name}": value for name, value in run.facts.items()},
    }
    git = read_json(run.directory.run_json).get("git")
    if isinstance(git, dict):  # None where a run is gone on with: the first start told it
        told["mlflow.source.git.commit"] = str(git["commit"])
        told["bmtrain.git.dirty"] = json.dumps(git["dirty"])
    return told
