"""Several runs over each other: what differs, and whether it matters, as ``compare`` says it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from bmtrain.figures import duration, figure
from bmtrain.pages.content import Block, Part, Section, Table, Tone, Words
from bmtrain.workflows.reporting.cells import setting_text, told
from bmtrain.workflows.reporting.curves import curves_section
from bmtrain.workflows.reporting.reading import ReportedRun

_HASH: Final = 12
_TITLES: Final = {
    "config": "Settings that differ",
    "data": "What differs in the data",
    "environment": "What else differs: environment, engine, code",
}
_NAMES: Final = {"train_s": "training time"}
_SHOWN: Final[Mapping[str, Callable[[Any], str]]] = {
    "epochs": told,
    "parameters": lambda value: "–" if value is None else f"{value:,}",
    "train_s": lambda value: "–" if value is None else duration(value),
}


def verdict_words(document: Mapping[str, Any]) -> tuple[Words, ...]:
    """The evidence of a comparison, then its notes.

    Args:
        document: of ``compare --json``.
    """
    tones: dict[str, Tone] = {"better": "good", "worse": "good"}
    found = [
        Words(_sentence(entry["text"]), tones.get(entry["verdict"], "missing"))
        for entry in document["evidence"]
    ]
    return (*found, *(Words(_sentence(note)) for note in document["notes"]))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def comparison_part(runs: Sequence[ReportedRun], document: Mapping[str, Any]) -> Part:
    """All that is about the runs together."""
    labels = [entry["label"] for entry in document["runs"]]
    which = Table(
        caption="The runs",
        header=("", "run", "seed", "status", "begun (UTC)"),
        rows=tuple(
            (
                entry["label"],
                entry["run"],
                f"{entry['seed']}",
                entry["status"],
                _when(entry["begun"]),
            )
            for entry in document["runs"]
        ),
    )
    metrics = Table(
        caption="Figures side by side",
        header=("figure", *labels),
        rows=tuple(_row(row, labels, _of_metrics) for row in document["metrics"]),
        numbers=frozenset(range(1, len(labels) + 1)),
    )
    blocks: list[Block] = [which, metrics]
    if document["groups"]:
        blocks.append(_groups(document))
    differences = [_differences(name, document, labels) for name in _TITLES]
    return Part(
        "All together",
        (
            Section("runs", "Side by side", tuple(blocks)),
            curves_section(runs),
            Section("differences", "What differs", tuple(differences)),
        ),
    )


def _row(
    row: Mapping[str, Any], labels: Sequence[str], shown: Callable[[str, Any], str]
) -> tuple[str, ...]:
    values = row["values"]
    key = row["key"]
    return (
        _NAMES.get(key, key),
        *(shown(key, values[label]) if label in values else "" for label in labels),
    )


def _of_metrics(key: str, value: Any) -> str:
    return _SHOWN.get(key, figure)(value)


def _differences(name: str, document: Mapping[str, Any], labels: Sequence[str]) -> Block:
    rows = [row for row in document[name] if _differs(row["values"], labels)]
    if not rows:
        return Words(f"{_TITLES[name]}: none, it is the same in all.")
    return Table(
        caption=_TITLES[name],
        header=("key", *labels),
        rows=tuple(_row(row, labels, _setting if name == "config" else _fact) for row in rows),
    )


def _differs(values: Mapping[str, Any], labels: Sequence[str]) -> bool:
    first, *others = (values.get(label) for label in labels)
    return any(other != first for other in others)


def _when(begun: str | None) -> str:
    """``2026-11-23T10:15:00Z`` as people write it."""
    return "–" if begun is None else f"{begun[:10]} {begun[11:16]}"


def _setting(_key: str, value: Any) -> str:
    return setting_text(value)


def _fact(key: str, value: Any) -> str:
    """Of a sha256 so much that tells two apart."""
    is_hash = "fingerprint" in key or key.endswith("commit")
    return value[:_HASH] if is_hash and isinstance(value, str) else told(value)


def _groups(document: Mapping[str, Any]) -> Table:
    rows = tuple(
        (
            ", ".join(group["runs"]),
            ", ".join(map(str, group["seeds"])),
            "–" if group["mean"] is None else figure(group["mean"]),
            "–" if group["standard_deviation"] is None else f"{group['standard_deviation']:.2g}",
        )
        for group in document["groups"]
    )
    header = ("runs", "seeds", f"mean {document['figure']}", "s.d.")
    return Table("Runs of one config", header, rows, frozenset({2, 3}))
