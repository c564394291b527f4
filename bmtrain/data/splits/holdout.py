"""What the config asks to hold out, against what the source has published."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bmtrain.config.sections.data import DataSection, TestSplit
from bmtrain.data.examples.checked import CheckedPart
from bmtrain.data.raw.source import SplitName
from bmtrain.data.splits.drawn_splits import draw_groups, draw_splits, draw_subset
from bmtrain.data.splits.folds import Fold, fold_of_rows
from bmtrain.data.wording.quoting import quoted
from bmtrain.errors import ConfigError, DataError

_SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")


def hold_out(
    section: DataSection,
    published: Mapping[SplitName, CheckedPart],
    class_names: tuple[str, ...] | None,
    seed: int,
) -> dict[SplitName, CheckedPart]:
    """The published splits, the drawn ones, and what is left for training.

    A fraction is of the published training part, without the test split that is dealt into
    folds; ``train_examples`` comes last.
    ConfigError where a drawn split would stand beside a published one.
    """
    validation, test = _fractions(section, published)
    splits = {name: split for name, split in published.items() if name != "test" or test is None}
    if validation is not None or test is not None:
        splits |= _drawn(splits["train"], class_names, validation, test, seed)
    if section.splits.fold is not None:
        fold = Fold.parse(section.splits.fold)
        part = splits["train"]
        strata = _strata(part, class_names)
        folds = fold_of_rows(strata, part.groups, fold.count, seed=seed)
        is_held = folds == fold.number - 1
        splits["train"] = part.take(np.flatnonzero(~is_held))
        splits["validation"] = part.take(np.flatnonzero(is_held))
        _require_trained(splits["train"], part, class_names)
    if section.train_examples is not None:
        strata = _strata(splits["train"], class_names)
        rows = draw_subset(strata, section.train_examples, seed=seed)
        splits["train"] = splits["train"].take(rows)
    return {name: splits[name] for name in _SPLITS if name in splits}


def _drawn(
    source: CheckedPart,
    class_names: tuple[str, ...] | None,
    validation: float | None,
    test: float | None,
    seed: int,
) -> dict[SplitName, CheckedPart]:
    strata = _strata(source, class_names)
    if source.groups is None:
        drawn = draw_splits(strata, validation=validation, test=test, seed=seed, names=class_names)
    else:
        drawn = draw_groups(strata, source.groups, validation=validation, test=test, seed=seed)
    splits: dict[SplitName, CheckedPart] = {"train": source.take(drawn.train)}
    if validation is not None:
        splits["validation"] = source.take(drawn.validation)
    if test is not None:
        splits["test"] = source.take(drawn.test)
    _require_trained(splits["train"], source, class_names)
    return splits


def _require_trained(
    train: CheckedPart, whole: CheckedPart, class_names: tuple[str, ...] | None
) -> None:
    """DataError where a class that the whole part has is held out with all of its examples."""
    if class_names is None:
        return
    lost = np.setdiff1d(whole.labels, train.labels)
    if len(lost):
        of = "in one group, or in few that are held out" if whole.groups is not None else "too few"
        raise DataError(
            f"no example of class {quoted(class_names[int(lost[0])])} is left for training: "
            f"its examples are {of}",
            key=("data", "splits"),
            hint="gather more, leave the class out, or try another seed",
        )


def _fractions(
    section: DataSection, published: Mapping[SplitName, CheckedPart]
) -> tuple[float | None, float | None]:
    """(validation, test) to draw; ConfigError where the source has that split already.

    A split that is a file of its own is not drawn: it is published.
    """
    validation, test = (
        None if isinstance(wanted, str) else wanted
        for wanted in (section.splits.validation, section.splits.test)
    )
    assert not isinstance(validation, TestSplit)
    if validation is not None and "validation" in published:
        raise ConfigError(
            "the source has a validation split of its own",
            key=("data", "splits", "validation"),
            hint="leave splits.validation out",
        )
    if section.splits.fold is not None and "validation" in published:
        raise ConfigError(
            "the source has a validation split of its own; a fold would take its place",
            key=("data", "splits", "fold"),
            hint="leave the fold out, or give one table with all examples to deal",
        )
    replaces = isinstance(test, TestSplit) and test.replace
    fraction = test.fraction if isinstance(test, TestSplit) else test
    if fraction is not None and "test" in published and not replaces:
        raise ConfigError(
            "the source has a test split of its own",
            key=("data", "splits", "test"),
            hint=f"leave splits.test out, or write test: {{fraction: {fraction}, replace: true}}",
        )
    if validation is not None and fraction is not None and validation + fraction >= 1:
        raise ConfigError(
            f"validation and test take {validation} + {fraction} of the examples: "
            "none are left for training",
            key=("data", "splits"),
        )
    return validation, fraction


def _strata(part: CheckedPart, class_names: tuple[str, ...] | None) -> NDArray[np.int32]:
    if class_names is None:
        return np.zeros(part.num_examples, np.int32)
    return part.labels.astype(np.int32, copy=False)
