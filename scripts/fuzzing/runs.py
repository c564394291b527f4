"""What a run directory holds beside its checkpoints, to damage: the log, the index, run.json."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from hypothesis import strategies as st

from fuzzing.files import Files, fitted
from fuzzing.mutations import Draw, altered, as_json, damaged_files, odd_values
from fuzzing.words import CHECKPOINT_WORDS


@cache
def seeds() -> Sequence[Files]:
    """A run of three epochs."""
    lines = [
        {
            "epoch": epoch,
            "step": 10 * epoch,
            "train": {"loss": 1 / epoch, "accuracy": None},
            "validation": {"loss": 0.5},
            "learning_rate": 0.1,
            "time": {"epoch_s": 0.25},
        }
        for epoch in (1, 2, 3)
    ]
    return (
        {
            "metrics.jsonl": b"".join(as_json(line, None) + b"\n" for line in lines),
            "index.json": as_json({"last": "step-00000030", "best": "step-00000010-r2"}),
            "run.json": as_json({"versions": {"numpy": "2.1"}, "engine": {"threads": 2}}),
        },
    )


def inputs(found: Sequence[Files]) -> st.SearchStrategy[Files]:
    """Damage, and other values in one document or one line of the log."""
    return st.one_of(damaged_files(found, CHECKPOINT_WORDS), _other_values()).map(fitted)


@st.composite
def _other_values(draw: Draw) -> Files:
    files = dict(seeds()[0])
    name = draw(st.sampled_from(sorted(files)))
    documents: list[Any] = [files[name]]
    if name == "metrics.jsonl":
        documents = files[name].splitlines()
    at = draw(st.integers(0, len(documents) - 1))
    document = json.loads(documents[at])
    for _ in range(draw(st.integers(1, 3))):
        document = draw(altered(document, odd_values()))
    documents[at] = as_json(document, None)
    return files | {name: b"\n".join(documents) + b"\n"}
