"""What was seen and chosen as the document of ``init --json``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bmtrain.data.tables.header_doubt import header_doubt
from bmtrain.data.tables.table_profile import Column
from bmtrain.workflows.starter.choosing import Choice, class_summary
from bmtrain.workflows.starter.looking import Seen
from bmtrain.workflows.starter.writing import column_summary, summary


def seen_document(seen: Seen, choices: Sequence[Choice]) -> dict[str, Any]:
    """``data``: what was seen; ``choices``: each setting with its value and its reason."""
    train = seen.train
    data: dict[str, Any] = {
        "path": seen.path,
        "format": seen.format,
        "summary": summary(seen),
        "task": seen.task,
        "examples": {name: split.num_examples for name, split in seen.splits.items()},
        "input_shape": list(train.features.shape[1:]),
        "input_dtype": train.features.dtype.name,
    }
    if seen.class_names is not None:
        counts = seen.class_counts.tolist()
        data["classes"] = dict(zip(seen.class_names, counts, strict=True))
        data["targets"] = class_summary(seen)
    else:
        low, high = float(train.labels.min()), float(train.labels.max())
        data["targets"] = f"numbers from {low:.4g} to {high:.4g}"
    if seen.label is not None and seen.features is not None:
        data["header_doubt"] = header_doubt(seen.columns) if seen.format == "csv" else None
        data["columns"] = [_column(column) for column in seen.columns]
        data["label"] = {
            "name": seen.label.best.column.name,
            "reason": seen.label.best.reason,
            "is_ambiguous": seen.label.is_ambiguous,
            "alternatives": [
                {"name": other.column.name, "reason": other.reason} for other in seen.label.others
            ],
        }
        data["left_out"] = [
            {"name": left.name, "fault": left.fault, "reason": left.reason}
            for left in seen.features.left_out
        ]
    return {
        "data": data,
        "choices": [
            {
                "key": choice.key,
                "value": choice.value,
                "reason": choice.reason,
                "is_active": choice.is_active,
            }
            for choice in choices
        ],
    }


def _column(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "kind": column.kind,
        "summary": column_summary(column),
        "missing": column.num_missing,
        "wrong": column.num_wrong,
        "distinct": column.num_distinct,
        "low": column.low,
        "high": column.high,
    }
