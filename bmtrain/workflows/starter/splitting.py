"""Which parts to hold out: fractions that the size and the classes allow, tried as they are drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Final

import numpy as np

from bmtrain.data.splits.drawn_splits import draw_splits
from bmtrain.data.wording.quoting import quoted
from bmtrain.errors import DataError
from bmtrain.figures import count
from bmtrain.workflows.starter.looking import Seen

#: A tenth of fewer examples says too little.
_FEW: Final = 200
#: A tenth of so many is enough, to test on too.
_MANY: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenSplits:
    """What is drawn of the training part.

    Attributes:
        fractions: of ``data.splits``; empty where nothing is to be drawn or can be.
        wanted: what would be drawn if a class did not stand in the way.
        num_train: examples that are left for training.
    """

    fractions: dict[str, float]
    wanted: dict[str, float]
    has_validation: bool
    has_test: bool
    num_train: int
    reason: str


def choose_splits(seen: Seen, seed: int) -> ChosenSplits:
    """The first of the likely fractions that can be drawn; a published split is never drawn.

    Without room for both, a test split is drawn: it tells what the model is worth.
    """
    wanted = [name for name in ("validation", "test") if name not in seen.splits]
    num_rows = seen.train.num_examples
    preferred: dict[str, float] = {}
    for fractions in _likely(wanted, seen):
        preferred = preferred or fractions
        sizes = _drawn(seen, fractions, seed)
        if sizes is None:
            continue
        held_out = ", ".join(f"{name} {size:,}" for name, size in sizes.items())
        reason = f"of {count(num_rows, 'example')}: {held_out}"
        reason += ", each class in every part" if seen.class_names is not None else ""
        if len(fractions) < len(preferred):
            reason += f"; no validation split: {_smallest_class(seen, len(preferred) + 1)}"
        return _chosen(seen, fractions, sizes["train"], reason)
    reason = (
        _smallest_class(seen, len(wanted) + 1) + ": once it has more, data.splits can hold some out"
    )
    return _chosen(seen, {}, num_rows, reason if wanted else "", wanted=preferred)


def _chosen(
    seen: Seen,
    fractions: dict[str, float],
    num_train: int,
    reason: str,
    wanted: dict[str, float] | None = None,
) -> ChosenSplits:
    there = {*fractions, *seen.splits}
    return ChosenSplits(
        fractions=fractions,
        wanted=wanted or {},
        has_validation="validation" in there,
        has_test="test" in there,
        num_train=num_train,
        reason=reason,
    )


def _likely(wanted: list[str], seen: Seen) -> Iterator[dict[str, float]]:
    """Fractions for both splits, then for the test split alone, the usual ones first."""
    num_rows = seen.train.num_examples
    usual = {
        "validation": 0.2 if num_rows < _FEW else 0.1,
        "test": 0.1 if num_rows >= _MANY else 0.2,
    }
    num_classes = len(seen.class_names or ("",))
    # One of each class at least: so much of a small set.
    least = ceil(100 * num_classes / num_rows) / 100
    for names in dict.fromkeys((tuple(wanted), tuple(name for name in wanted if name == "test"))):
        if not names:
            continue
        fractions = {name: usual[name] for name in names}
        yield fractions
        raised = {name: max(fraction, least) for name, fraction in fractions.items()}
        if sum(raised.values()) < 1:
            yield raised


def _drawn(seen: Seen, fractions: dict[str, float], seed: int) -> dict[str, int] | None:
    """How many examples each split gets; None where they cannot be drawn."""
    train = seen.train
    is_class = seen.class_names is not None
    try:
        drawn = draw_splits(
            train.labels.astype(np.int32) if is_class else np.zeros(train.num_examples, np.int32),
            validation=fractions.get("validation"),
            test=fractions.get("test"),
            seed=seed,
            names=seen.class_names,
        )
    except DataError:
        return None
    sizes = {
        "train": len(drawn.train),
        "validation": len(drawn.validation),
        "test": len(drawn.test),
    }
    return {name: size for name, size in sizes.items() if name == "train" or name in fractions}


def _smallest_class(seen: Seen, num_splits: int) -> str:
    """Why there are not enough examples for so many parts."""
    if seen.class_names is None:
        return f"{count(seen.train.num_examples, 'example')} are too few for {num_splits} parts"
    counts = seen.class_counts
    few = np.flatnonzero((counts > 0) & (counts < num_splits)).tolist()
    if not few:
        return f"{count(seen.train.num_examples, 'example')} are too few for {num_splits} parts"
    name, number = quoted(seen.class_names[few[0]]), count(int(counts[few[0]]), "example")
    others = f", and {len(few) - 1:,} more classes no more than it" if len(few) > 1 else ""
    return f"class {name} has {number}{others}, too few to appear in each of {num_splits} parts"
