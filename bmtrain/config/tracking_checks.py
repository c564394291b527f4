"""Where figures may be sent to: known kinds of addresses, and no password in one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import SplitResult, urlsplit

from bmtrain.config.finding import Finding
from bmtrain.config.sections.experiment import ExperimentConfig

_URI: Final = ("track", "mlflow", "uri")
_SERVERS: Final = frozenset({"http", "https"})
#: SQLAlchemy's names; a driver may follow, ``postgresql+psycopg``.
_DATABASES: Final = frozenset({"sqlite", "postgresql", "mysql", "mssql"})
_SECRET: Final = re.compile(
    r"(^|&)[^=&]*(password|passwd|pwd|token|secret|key)[^=&]*=", re.IGNORECASE
)
_EXPECTED: Final = "expected http://HOST:PORT, https://HOST or sqlite:///FILE"


def tracking_findings(experiment: ExperimentConfig) -> Iterator[Finding]:
    """What is wrong with MLflow's address; nothing is asked there."""
    mlflow = experiment.track.mlflow
    if mlflow is None or mlflow.uri is None:
        return
    if (wrong := _wrong(mlflow.uri)) is not None:
        yield Finding(_URI, wrong)


def _wrong(uri: str) -> str | None:
    try:
        parts = urlsplit(uri)
        host = parts.hostname
        _ = parts.port  # ValueError where it is no number
    except ValueError as error:
        return f"{_EXPECTED}: {error}"
    kind = parts.scheme.partition("+")[0]
    if has_secret(parts):
        return (
            "a password has no place in a config, which every checkpoint has a copy of; set "
            "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_URI with "
            "all of it, and write 'mlflow: true'"
        )
    if "://" not in uri or kind == "file":
        is_path = "/" in uri or "." in uri
        why = "; MLflow begins no new directories of runs" if is_path else ""
        return f"{_EXPECTED}, got '{uri}'{why}"
    if parts.scheme in _SERVERS:
        return None if host else f"{_EXPECTED}, got no host"
    if kind not in _DATABASES:
        return f"{_EXPECTED}, got '{parts.scheme}://'"
    if parts.scheme == "sqlite" and (host or not parts.path.strip("/")):
        return "expected sqlite:///FILE, with three slashes"
    return None


def has_secret(parts: SplitResult) -> bool:
    """Whether an address has a user's name, a password, or a query that seems to have one."""
    return "@" in parts.netloc or _SECRET.search(parts.query) is not None
