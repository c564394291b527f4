"""What a CI service reads of a training: a JUnit file, and the summary of a step in GitHub Actions."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bmtrain.cli.console import in_github_actions
from bmtrain.cli.cost_words import cost_in_words
from bmtrain.errors import BmtrainError, UsageError
from bmtrain.figures import figure, telling_figures

if TYPE_CHECKING:
    from bmtrain.cli.console import Screen

#: What XML 1.0 cannot hold, escaped or not.
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_COMPLETES: Final = "the training completes"


@dataclass(frozen=True, slots=True)
class Failure:
    """How a training ended that did not complete."""

    code: str
    message: str
    hint: str | None = None
    details: tuple[str, ...] = ()


def checked_junit(path: Path | None) -> Path | None:
    """``--junit``, checked before anything is trained.

    Raises:
        UsageError: a directory, or in one that is not there.
    """
    if path is not None and path.is_dir():
        raise UsageError(f"--junit: '{path}' is a directory")
    if path is not None and not path.parent.is_dir():
        raise UsageError(f"--junit: there is no directory '{path.parent}'")
    return path


def write_reports(screen: Screen, summary: Mapping[str, Any], failure: Failure | None) -> None:
    """Write what is asked for; what cannot be written is a warning, the training's end stands.

    Args:
        summary: the document of ``train --json``, as far as there is one.
        failure: None: the training completed.
    """
    if screen.command != "train":
        return
    summary_file = os.environ.get("GITHUB_STEP_SUMMARY") if in_github_actions() else None
    try:
        if screen.junit is not None:
            from bmtrain.durable import write_bytes

            write_bytes(screen.junit, junit(summary, failure), links=True)
        if summary_file:
            with Path(summary_file).open("a", encoding="utf-8") as file:
                file.write(step_summary(summary, failure))
    except (BmtrainError, OSError) as error:
        screen.warn(f"the report was not written: {error}")


def junit(summary: Mapping[str, Any], failure: Failure | None) -> bytes:
    """A suite with a case for the training and one for each expectation."""
    from xml.etree import ElementTree as ET  # only where it is asked for

    name = _name(summary)
    expectations = summary.get("expectations") or []
    missed = [item for item in expectations if not item["met"]] if failure is None else []
    suites = ET.Element("testsuites")
    attributes = {
        "name": f"bmtrain {name}",
        "tests": str(1 + len(expectations)),
        "failures": str(len(missed)),
        "errors": str(int(failure is not None)),
        "skipped": str(len(expectations) if failure is not None else 0),
        "time": f"{(summary.get('timing') or {}).get('total_s', 0.0):.3f}",
    }
    suite = ET.SubElement(suites, "testsuite", attributes)
    case = ET.SubElement(suite, "testcase", classname=name, name=_COMPLETES)
    if failure is not None:
        text = "\n".join(
            [failure.message, *failure.details, *([failure.hint] if failure.hint else [])]
        )
        error = {"type": failure.code, "message": _xml(failure.message)}
        ET.SubElement(case, "error", error).text = _xml(text)
    for item in expectations:
        case = ET.SubElement(suite, "testcase", classname=name, name=_xml(item["text"]))
        if failure is not None:
            ET.SubElement(case, "skipped", message="the training did not complete")
        elif not item["met"]:
            got = f"expected {item['text']}, got {figure(item['value'])}"
            ET.SubElement(case, "failure", type="expectation", message=_xml(got))
    ET.indent(suites)
    document: bytes = ET.tostring(suites, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def step_summary(summary: Mapping[str, Any], failure: Failure | None) -> str:
    """Markdown: how it ended, the figures, the expectations, what it took."""
    name = _markdown(_name(summary))
    if failure is not None:
        lines = [
            f"### ❌ bmtrain {name}: {_markdown(failure.code)}",
            "",
            _markdown(failure.message),
        ]
        lines += [f"- {_markdown(text)}" for text in failure.details]
        return "\n".join([*lines, *(["", _markdown(failure.hint)] if failure.hint else []), "", ""])
    expectations = summary["expectations"]
    mark = "✅" if all(item["met"] for item in expectations) else "❌"
    lines = [f"### {mark} bmtrain {name}", ""]
    metrics = summary["metrics"]
    names = telling_figures(metrics.values())
    lines += [f"| | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for split, figures in metrics.items():
        cells = (figure(figures[n]) if n in figures else "" for n in names)
        lines.append(f"| {split} | {' | '.join(cells)} |")
    lines.append("")
    for item in expectations:
        met = "✅" if item["met"] else "❌"
        lines.append(f"- {met} `{item['text']}` ({figure(item['value'])})")
    cost = summary.get("cost")  # a run of an earlier version has none
    lines += [
        "",
        *([f"{cost_in_words(cost)}  "] if cost else []),
        f"`{summary['run_dir']}`",
        "",
        "",
    ]
    return "\n".join(lines)


def _name(summary: Mapping[str, Any]) -> str:
    return _xml(str(summary.get("name") or "training"))


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


def _markdown(text: str) -> str:
    """The text as it is: no link, picture or table of its own."""
    escaped = re.sub(r"([\\`*_{}\[\]<>()#+!|~-])", r"\\\1", text)
    return " ".join(escaped.split())
