"""Several runs over each other: what differs, and whether it matters, as ``compare`` says it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from bmtrain.figures import duration, figure
from bmtrain.pages.content import Block, Part, Section, Table, Tone, Words
from bmtrain.workflows.reporting.answers import Answers, answers_section
from bmtrain.workflows.reporting.cells import metric_text, setting_text, told
from bmtrain.workflows.reporting.curve_reading import is_unfinished
from bmtrain.workflows.reporting.curves import curves_section
from bmtrain.workflows.reporting.reading import ReportedRun

_HASH: Final = 12
#: Kind of difference -> the table's title, and what is the same where there is none.
_TITLES: Final = {
    "config": ("Settings that differ", "settings"),
    "data": ("What differs in the data", "data"),
    "environment": ("What else differs: environment, engine, code", "environment, engine and code"),
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


def unfinished_words(runs: Sequence[ReportedRun]) -> tuple[Words, ...]:
    """Which runs had not ended learning: what they are worse by may be that."""
    labels = [run.run.label for run in runs if is_unfinished(run)]
    if not labels:
        return ()
    verb, it = ("was", "it") if len(labels) == 1 else ("were", "they")
    return (
        Words(
            f"{' and '.join(labels)} {verb} still improving when the training ended: trained longer, "
            f"{it} may do better."
        ),
    )


def interval_words(document: Mapping[str, Any]) -> tuple[Words, ...]:
    """How the intervals of the differences were made."""
    found = [entry["interval"]["resamples"] for entry in document["evidence"] if entry["interval"]]
    if not any(found):
        return ()
    text = (
        "The 95 % interval of a difference is a percentile bootstrap: the test examples drawn anew, "
        f"with replacement, {max(found):,} times, both models on the same ones."
    )
    return (Words(text),)


def comparison_part(
    runs: Sequence[ReportedRun], document: Mapping[str, Any], answers: Sequence[Answers] = ()
) -> Part:
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
        rows=tuple(
            _row({**row, "name": _figure_name(row["key"])}, labels, _of_metrics)
            for row in document["metrics"]
        ),
        numbers=frozenset(range(1, len(labels) + 1)),
    )
    blocks: list[Block] = [which, metrics, *interval_words(document)]
    if document["groups"]:
        blocks.append(_groups(document))
    return Part(
        "All together",
        (
            Section("runs", "Side by side", tuple(blocks)),
            curves_section(runs),
            *answers_section(answers),
            Section("differences", "What differs", _all_differences(document, labels)),
        ),
    )


def _row(
    row: Mapping[str, Any], labels: Sequence[str], shown: Callable[[str, Any], str]
) -> tuple[str, ...]:
    values = row["values"]
    key = row["key"]
    return (
        row.get("name", key),
        *(shown(key, values[label]) if label in values else "" for label in labels),
    )


def _figure_name(key: str) -> str:
    """``test.top_3_accuracy`` in words."""
    return _NAMES.get(key, key.replace(".", " ").replace("_", " "))


def _of_metrics(key: str, value: Any) -> str:
    shown = _SHOWN.get(key)
    return metric_text(key.partition(".")[2], value) if shown is None else shown(value)


def _all_differences(document: Mapping[str, Any], labels: Sequence[str]) -> tuple[Block, ...]:
    """A table of each kind; then one sentence on what is the same."""
    tables: list[Block] = []
    same = []
    for name, (title, what) in _TITLES.items():
        rows = [row for row in document[name] if _differs(row["values"], labels)]
        if not rows:
            same.append(what)
            continue
        shown = _setting if name == "config" else _fact
        tables.append(
            Table(title, ("key", *labels), tuple(_row(row, labels, shown) for row in rows))
        )
    if same:
        tables.append(Words(f"The same in all runs: {'; '.join(same)}."))
    return tuple(tables)


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
