"""The header of a model card, as the Hugging Face Hub reads it.

Its keys and what they may hold: https://github.com/huggingface/hub-docs/blob/main/modelcard.md.
The Hub refuses a file whose ``model-index`` or ``license`` does not fit.
"""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Any, Final

from bmtrain.data.bundled import BUNDLED
from bmtrain.data.encodings.text_encoding import TextEncoding
from bmtrain.workflows.reporting.judging import Judged
from bmtrain.workflows.reporting.numbers import JudgedNumbers
from bmtrain.workflows.reporting.reading import ReportedRun

#: Figures that are the Hub's own by definition, https://hf.co/metrics: (its name, its arguments).
_AVERAGED: Final = ("precision", "recall", "f1")
_HUB_METRICS: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "accuracy": ("accuracy", {}),
    "matthews_corrcoef": ("matthews_correlation", {}),
    "mean_squared_error": ("mse", {}),
    "mean_absolute_error": ("mae", {}),
    "r2": ("r_squared", {}),
    **{name: (name, {}) for name in _AVERAGED},
    **{
        f"{name}_{average}": (name, {"average": average})
        for name in _AVERAGED
        for average in ("macro", "weighted")
    },
}
#: All else is no name of a data set: ``^(?:[\\w-]+\\/)?[\\w-.]+$``, of ASCII.
_NO_NAME: Final = re.compile(r"[^\w.-]+", re.ASCII)


def hub_header(run: ReportedRun, judged: Judged) -> dict[str, Any]:
    """``license`` is of the model, which nobody recorded: the Hub's word for that is unknown."""
    names = [name for name in run.run.experiment.metrics if name in _HUB_METRICS]
    metrics = list(dict.fromkeys(_HUB_METRICS[name][0] for name in names))
    header: dict[str, Any] = {
        "license": "unknown",
        "library_name": "keras",
        "tags": ["keras", "bmtrain"],
    }
    pipeline = _pipeline(run, judged)
    if pipeline is not None:
        header["pipeline_tag"] = pipeline
    if metrics:
        header["metrics"] = metrics
    results = _results(run)
    if results:
        task = {"type": pipeline or "other"}
        found = {"task": task, "dataset": _dataset(run), "metrics": results}
        header["model-index"] = [{"name": run.run.experiment.name, "results": [found]}]
    return header


def _dataset(run: ReportedRun) -> dict[str, str]:
    """A file is called by its name: where it lies is nobody's business, and no name for the Hub."""
    source = run.run.experiment.data.source
    name = source if source in BUNDLED else PurePath(source).name or "data"
    return {"name": name, "type": _NO_NAME.sub("-", name).strip("-.") or "data", "split": "test"}


def _pipeline(run: ReportedRun, judged: Judged) -> str | None:
    """The Hub's name of the task, where it has one."""
    if run.restored is None:
        return None
    facts = run.restored.checkpoint.preprocessing.facts
    is_regression = isinstance(judged, JudgedNumbers) or facts.class_names is None
    if isinstance(facts.encoding, TextEncoding):
        return None if is_regression else "text-classification"
    if facts.feature_names is not None:
        return "tabular-regression" if is_regression else "tabular-classification"
    if is_regression:
        return None
    is_picture = len(facts.input_shape) in {2, 3} and facts.input_dtype == "uint8"
    return "image-classification" if is_picture else None


def _results(run: ReportedRun) -> list[dict[str, Any]]:
    """Of figures that the Hub does not know the type is our own name."""
    figures = run.run.overview.metrics.get("test", {})
    results = []
    for name, value in figures.items():
        if value is None or name in {"penalty", "objective"}:
            continue
        metric, arguments = _HUB_METRICS.get(name, (name, {}))
        result: dict[str, Any] = {"type": metric, "value": float(f"{value:.6g}")}
        result["name"] = f"test {name.replace('_', ' ')}"
        results.append(result | ({"args": arguments} if arguments else {}))
    return results
