"""A section of what ``check`` tells: findings, tables, and the same as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from bmtrain.config.origin_listing import SettingLine
from bmtrain.config.origins import Origins
from bmtrain.data.checks.finding import Finding
from bmtrain.errors import BmtrainError, Diagnostic


@dataclass(frozen=True, slots=True)
class Table:
    """Figures: the first column names what they are of."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Findings under a title.

    Attributes:
        facts: what the tables and findings are made of, for ``--json``: plain data.
        settings: the resolved config with its origins, where that was asked for.
        exit_code: of ``train``, where a finding is an error.
        stopped: an error ended it, and is raised after the last section.
    """

    title: str
    findings: tuple[Finding, ...]
    tables: tuple[Table, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    settings: tuple[SettingLine, ...] = ()
    exit_code: int = 3
    stopped: bool = False


def stopped_by(title: str, error: BmtrainError) -> Section:
    """The section in which nothing could be found but the error."""
    return Section(
        title=title,
        findings=(Finding("error", stop_message(error)),),
        exit_code=error.exit_code,
        stopped=True,
    )


def stop_message(error: BmtrainError) -> str:
    """The error without what to do about it: that is told with its place, at the end."""
    return f"{error.where}: {error.message}" if error.where else error.message


def placed(findings: Iterable[Finding], origins: Origins) -> tuple[Finding, ...]:
    """Those that deserve a look with the place in the config that they are about, if any."""
    return tuple(
        replace(finding, place=_place(finding, origins))
        if finding.key and finding.level != "ok"
        else finding
        for finding in findings
    )


def _place(finding: Finding, origins: Origins) -> Diagnostic:
    severity: Literal["error", "warning"] = "error" if finding.level == "error" else "warning"
    return origins.diagnostic(finding.key, finding.message, severity=severity)
