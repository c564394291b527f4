"""``bmtrain compare``: what differs between runs, and whether it matters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bmtrain.config.dotted import flattened
from bmtrain.errors import DataError
from bmtrain.figures import telling_figures
from bmtrain.workflows.comparison.models import all_against_first
from bmtrain.workflows.comparison.runs import (
    ComparedRun,
    is_drawn_alike,
    read_compared,
    test_set_difference,
)
from bmtrain.workflows.comparison.seeds import MIN_SEEDS, SeedGroup, seed_groups, seeds_evidence
from bmtrain.workflows.run_filters import require_known, whole_name

_SPLITS: Final = ("test", "validation", "train")
#: Without a word of the data or the method.
_BESIDE_METRICS: Final = ("loss", "penalty", "objective")
#: What else of run.json says in what a run was trained; the engine's versions are told once.
_ENVIRONMENT: Final = ("environment", "engine", "git")
_TOLD_ELSEWHERE: Final = tuple(
    f"engine.{name}" for name in ("bmtrain", "tensorflow", "keras", "numpy", "processor")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareRequest:
    """Which runs to compare by which figure; None: the first metric that all have."""

    runs: tuple[Path, ...]
    metric: str | None = None
    only_changed: bool = False


def compare(request: CompareRequest) -> dict[str, Any]:
    """The document of ``compare --json``.

    ``{"schema_version": 1, "status": "completed", "exit_code": 0, "error": null, "runs":
    [{"label": "A", "run", "status", "begun", "seed"}], "figure": "test.accuracy", "config": [{"key":
    "optimizer.learning_rate", "values": {"A": 0.001, "B": 0.003}}], "data": […],
    "environment": […], "metrics": […], "groups": [{"runs": ["A", "C", "E"], "seeds": [0, 1,
    2], "mean", "standard_deviation", "is_tested"}], "evidence": [{"kind": "models|seeds",
    "first": "A", "second": "B", "figure", "test", "difference", "interval": {"low", "high",
    "resamples"}, "p", "p_adjusted", "verdict": "better|worse|no evidence|untested",
    "reason", "text"}], "notes": […]}``

    ``config`` and ``environment`` have what differs; a run without the key lacks its letter.
    ``difference`` is second − first, ``verdict`` about the second.

    Raises:
        UsageError: fewer than two runs, one twice, no run, an unknown figure.
        DataError: the figure is of the test split, and the test sets differ.
        ConfigError, CheckpointError, EnvironmentFault: a run cannot be read.
    """
    return comparison(read_compared(request.runs), request)


def comparison(runs: Sequence[ComparedRun], request: CompareRequest) -> dict[str, Any]:
    """The same document, of two runs at least that were read already.

    Raises:
        DataError: the figure is of the test split, and the test sets differ.
    """
    figure = _figure(runs, request.metric)
    if figure is not None and figure.startswith("test."):
        _require_one_test_set(runs)
    sections = {
        "config": _rows(runs, [run.settings for run in runs], only_changed=True),
        "data": _rows(runs, list(map(_data_facts, runs)), only_changed=request.only_changed),
        "environment": _rows(runs, list(map(_environment, runs)), only_changed=True),
        "metrics": _rows(runs, list(map(_figures, runs)), only_changed=request.only_changed),
    }
    groups = seed_groups(runs, figure) if figure is not None and len(runs) > 2 else []
    return {
        "schema_version": 1,
        "status": "completed",
        "exit_code": 0,
        "error": None,
        "runs": [
            {
                "label": run.label,
                "run": str(run.overview.path),
                "status": run.overview.status,
                "begun": run.overview.begun,
                "seed": run.seed,
            }
            for run in runs
        ],
        "figure": figure,
        **sections,
        "groups": [group.document() for group in groups],
        **_evidence(runs, groups, figure),
    }


def _figure(runs: Sequence[ComparedRun], requested: str | None) -> str | None:
    """The figure in full; by default the first that all runs have, metrics before losses."""
    known = dict.fromkeys(
        f"{split}.{name}"
        for split in _SPLITS
        for run in runs
        for name in run.overview.metrics.get(split, {})
    )
    if requested is not None:
        name = whole_name(requested)
        require_known(name, known, "--metric")
        return name
    common = [name for name in known if all(run.figure(name) is not None for run in runs)]
    metrics = [name for name in common if name.partition(".")[2] not in _BESIDE_METRICS]
    for split in _SPLITS:
        for name in (*metrics, *common):
            if name.startswith(f"{split}."):
                return name
    return None


def _require_one_test_set(runs: Sequence[ComparedRun]) -> None:
    tested = [run for run in runs if run.predictions is not None]
    for run in tested[1:]:
        difference = test_set_difference(tested[0], run)
        is_of_seeds = len(runs) > 2 and run.seed != tested[0].seed
        if difference is None or (is_of_seeds and is_drawn_alike(tested[0], run)):
            continue
        raise DataError(
            f"{tested[0].label} and {run.label} were tested on different test sets: {difference}",
            where=str(run.overview.path),
            hint="compare runs with one test set, or by another figure: --metric validation.loss",
        )


def _rows(
    runs: Sequence[ComparedRun], documents: Sequence[Mapping[str, Any]], *, only_changed: bool
) -> list[dict[str, Any]]:
    keys = dict.fromkeys(key for document in documents for key in document)
    rows = []
    for key in keys:
        values = {
            run.label: document[key]
            for run, document in zip(runs, documents, strict=True)
            if key in document
        }
        told = {repr(value) for value in values.values()}
        if not only_changed or len(told) > 1 or len(values) < len(runs):
            rows.append({"key": key, "values": values})
    return rows


def _data_facts(run: ComparedRun) -> dict[str, Any]:
    facts = flattened({"data": run.overview.run_json.get("data", {})})
    names = facts.pop("data.class_names", None)
    return {
        **{key.removeprefix("data."): value for key, value in facts.items() if key != "data"},
        **({"classes": len(names)} if isinstance(names, list) else {}),
    }


def _environment(run: ComparedRun) -> dict[str, Any]:
    documents = {part: run.overview.run_json.get(part) for part in _ENVIRONMENT}
    return {
        key: value
        for key, value in flattened(documents).items()
        if key not in _TOLD_ELSEWHERE and key not in _ENVIRONMENT
    }


def _figures(run: ComparedRun) -> dict[str, Any]:
    overview = run.overview
    telling = telling_figures(overview.metrics.values())
    figures = {
        f"{split}.{name}": value
        for split, values in overview.metrics.items()
        for name, value in values.items()
        if name in telling
    }
    return {
        **figures,
        "epochs": overview.epochs,
        "parameters": overview.parameters,
        "train_s": overview.train_s,
    }


def _evidence(
    runs: Sequence[ComparedRun], groups: Sequence[SeedGroup], figure: str | None
) -> dict[str, Any]:
    if figure is None:
        return {"evidence": [], "notes": ["there is no figure that all of the runs have"]}
    found = seeds_evidence(groups)
    if found:
        return {
            "evidence": [entry.document() for entry in found],
            "notes": list(_about_groups(groups)),
        }
    found = all_against_first(runs, figure)
    notes = list(_about_groups(groups)) if len(groups) < len(runs) else []
    if any(entry.p is not None for entry in found):
        notes.append(_about_models(runs))
    return {"evidence": [entry.document() for entry in found], "notes": notes}


def _about_groups(groups: Sequence[SeedGroup]) -> Iterator[str]:
    for group in groups:
        if not group.is_testable:
            seeds = len(group.by_seed)
            told = "one seed" if seeds == 1 else f"{seeds} seeds"
            yield f"{group.label}: {told}; a test across seeds takes {MIN_SEEDS} at least"
    if len(groups) == 1:
        is_one_seed = len({run.seed for run in groups[0].runs}) == 1
        what = "have one config and one seed" if is_one_seed else "differ in seed only"
        yield f"the runs {what}: their figures are those of one method"


def _about_models(runs: Sequence[ComparedRun]) -> str:
    if len({run.method for run in runs}) == 1:
        if len({run.seed for run in runs}) == 1:
            return "config and seed are the same: a difference is that of data, environment or code"
        return "the configs are the same but for the seed: a difference is that of the seeds"
    few = "one seed each" if len({run.method for run in runs}) == len(runs) else "too few seeds"
    return (
        f"{few}: this is about these models on this test set, and nothing follows about "
        f"the method; train {MIN_SEEDS} seeds of each, or more, and compare them all"
    )
