"""``bmtrain report``: one HTML page about one run or several, or a model card of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bmtrain.config.plugin_tables import NO_PLUGINS, Plugins
from bmtrain.durable import environment_faults, write_bytes
from bmtrain.errors import EnvironmentFault, UsageError
from bmtrain.pages.content import Page, Part, Section
from bmtrain.pages.drawing import require_packages
from bmtrain.pages.page import html
from bmtrain.program import program
from bmtrain.version import __version__
from bmtrain.workflows.compare import CompareRequest, comparison
from bmtrain.workflows.comparison.runs import read_runs
from bmtrain.workflows.first_layer import first_layer, weights_blocks
from bmtrain.workflows.reporting.answers import comparable, counts_words
from bmtrain.workflows.reporting.background import (
    config_section,
    cost_section,
    environment_section,
)
from bmtrain.workflows.reporting.card import model_card
from bmtrain.workflows.reporting.class_sections import classes_sections
from bmtrain.workflows.reporting.classes import JudgedClasses
from bmtrain.workflows.reporting.curves import curves_section
from bmtrain.workflows.reporting.explained import explained_section
from bmtrain.workflows.reporting.judging import Judged, judged
from bmtrain.workflows.reporting.limits import limits_section
from bmtrain.workflows.reporting.mistakes import mistakes_section
from bmtrain.workflows.reporting.numbers import numbers_sections
from bmtrain.workflows.reporting.reading import ReportedRun, read_reported
from bmtrain.workflows.reporting.reproducing import again_section
from bmtrain.workflows.reporting.subject import data_section, model_section
from bmtrain.workflows.reporting.summing_up import figures_table, key_facts, lead
from bmtrain.workflows.reporting.verdict import comparison_part, unfinished_words, verdict_words

#: Lines over each other that can be told apart, each in a colour of its own.
MAX_RUNS: Final = 8
#: Sections that are left out where they are those of the first run.
_MAY_BE_SHARED: Final = frozenset({"model", "data", "environment"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRequest:
    """About which runs, and where to.

    Attributes:
        output: None: here, ``NAME-report.html`` or ``NAME-card.md``.
        card: a model card of one run, and no page.
        with_examples: open the recorded data and show what the model gets wrong.
        metric: what several runs are compared by, as in ``compare``.
        force: replace what is there.
        plugins: what was named; without a plugin that a run needs its model is not shown.
    """

    runs: tuple[Path, ...]
    output: Path | None = None
    card: bool = False
    with_examples: bool = True
    metric: str | None = None
    force: bool = False
    plugins: Plugins = NO_PLUGINS


def report(request: ReportRequest, note: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Write it; the document of ``report --json``.

    ``{"schema_version": 1, "status": "completed", "exit_code": 0, "error": null, "report":
    "digits-report.html", "kind": "page|card", "bytes": 412345, "runs": ["runs/digits-…"],
    "skipped": [], "verdict": ["B is better than A …"]}``

    Args:
        request: what about.
        note: told which file a run recorded as its data, before that is opened.

    Raises:
        UsageError: no run, one twice, too many.
        ConfigError, CheckpointError, DataError: a run cannot be read.
        EnvironmentFault: something is there already, or cannot be written, or is not installed.
    """
    if request.metric is not None and len(request.runs) == 1:
        raise UsageError("--metric: it is what several runs are compared by, and there is one")
    if request.card and len(request.runs) > 1:
        raise UsageError("--card: a model card is about one run", hint="name one")
    if len(request.runs) > MAX_RUNS:
        raise UsageError(
            f"expected at most {MAX_RUNS} runs, got {len(request.runs)}: more curves are not told apart",
            hint=f"{program()} compare takes any number",
        )
    if not request.card:
        require_packages("report")
    compared = read_runs(request.runs)
    output = request.output or _default_output(compared[0].experiment.name, card=request.card)
    _require_free(output, force=request.force)
    runs = [read_reported(run, request.plugins) for run in compared]
    document = None
    if len(runs) > 1:
        document = comparison(compared, CompareRequest(runs=request.runs, metric=request.metric))
    if request.card:
        text = model_card(runs[0], judged(runs[0]))
    elif document is None:
        text = html(_of_one(runs[0], note, with_examples=request.with_examples))
    else:
        text = html(_of_many(runs, document, note, with_examples=request.with_examples))
    content = text.encode("utf-8", "replace")
    write_bytes(output, content)
    return {
        "schema_version": 1,
        "status": "completed",
        "exit_code": 0,
        "error": None,
        "report": str(output),
        "kind": "card" if request.card else "page",
        "bytes": len(content),
        "runs": [str(run.path) for run in runs],
        "skipped": [text for run in runs for text in run.warnings],
        "verdict": [] if document is None else [entry["text"] for entry in document["evidence"]],
    }


def _default_output(name: str, *, card: bool) -> Path:
    return Path(f"{name}-card.md" if card else f"{name}-report.html")


def _require_free(output: Path, *, force: bool) -> None:
    """A file of the user's is replaced where that was asked for."""
    with environment_faults(output, "look at it"):
        is_there = output.is_symlink() or output.exists()
        is_file = output.is_file()
    if is_there and not is_file:
        raise EnvironmentFault(
            "it is no file", where=str(output), hint="choose another name: -o FILE"
        )
    if is_there and not force:
        raise EnvironmentFault(
            "it exists already",
            where=str(output),
            hint="--force replaces it; -o FILE names another place",
        )


def _of_one(run: ReportedRun, note: Callable[[str], None], *, with_examples: bool) -> Page:
    found = judged(run)
    part = Part(
        "", (curves_section([run]), *_sections(run, found, note, with_examples=with_examples))
    )
    return Page(
        title=run.run.experiment.name,
        subject="report",
        lead=lead(run, found),
        parts=(part,),
        made=_made([run]),
        facts=key_facts(run, found),
    )


def _of_many(
    runs: Sequence[ReportedRun],
    document: dict[str, Any],
    note: Callable[[str], None],
    *,
    with_examples: bool,
) -> Page:
    found = [judged(run) for run in runs]
    answers = comparable(runs, found)
    parts = [comparison_part(runs, document, answers)]
    known: tuple[Section, ...] = ()
    for run, its in zip(runs, found, strict=True):
        first = Section("summary", "What it comes to", (*lead(run, its), key_facts(run, its)))
        sections = _sections(run, its, note, with_examples=with_examples)
        part, known = _without_repeated(run, sections, known)
        parts.append(replace(part, sections=(first, *part.sections)))
    names = dict.fromkeys(run.run.experiment.name for run in runs)
    return Page(
        title=f"{', '.join(names)}: {len(runs)} runs",
        subject="report",
        lead=(*verdict_words(document), *counts_words(answers), *unfinished_words(runs)),
        parts=tuple(parts),
        made=_made(runs),
    )


def _without_repeated(
    run: ReportedRun, sections: tuple[Section, ...], known: tuple[Section, ...]
) -> tuple[Part, tuple[Section, ...]]:
    """A run's part without what is word for word that of the first, and what the first has."""
    title = f"{run.run.label}: {run.path.name}"
    if not known:
        return Part(title, sections), sections
    same = [s for s in sections if s.name in _MAY_BE_SHARED and s in known]
    told = ", ".join(section.title.lower() for section in same)
    left = tuple(section for section in sections if section not in same)
    return Part(
        title, left, f"Not repeated, as the first run has the same: {told}." if same else ""
    ), known


def _sections(
    run: ReportedRun, found: Judged, note: Callable[[str], None], *, with_examples: bool
) -> tuple[Section, ...]:
    """All that is about one run but for its curves."""
    sections = [Section("figures", "Figures", (figures_table(run),))]
    if found is not None:
        of_split = (
            classes_sections(found) if isinstance(found, JudgedClasses) else numbers_sections(found)
        )
        sections += [
            *of_split,
            mistakes_section(run, found, note, with_examples=with_examples),
        ]
    return (
        *sections,
        limits_section(run, found),
        *_weights(run),
        *explained_section(run),
        model_section(run),
        data_section(run),
        config_section(run),
        environment_section(run),
        cost_section(run),
        again_section(run),
    )


def _weights(run: ReportedRun) -> tuple[Section, ...]:
    """None where the first weights see neither pixels nor columns, or there is no model."""
    layer = None if run.restored is None else first_layer(run.restored)
    if layer is None:
        return ()
    return (Section("weights", "Weights of the first layer", weights_blocks(layer)),)


def _made(runs: Sequence[ReportedRun]) -> str:
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    paths = ", ".join(str(run.path) for run in runs)
    return f"Made by bmtrain-keras {__version__} on {now} from {paths}."
