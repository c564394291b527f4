"""What the config asks to hold out, against what the source has published."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bmtrain.config.sections.data import DataSection, TestSplit
from bmtrain.data.checked import CheckedPart
from bmtrain.data.dataset import SplitName
from bmtrain.data.splits import draw_splits, draw_subset
from bmtrain.errors import ConfigError

_SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")


def hold_out(
    section: DataSection,
    published: Mapping[SplitName, CheckedPart],
    class_names: tuple[str, ...] | None,
    seed: int,
) -> dict[SplitName, CheckedPart]:
    """The published splits, the drawn ones, and what is left for training.

    A fraction is of the published training part; ``train_examples`` comes last.
    ConfigError where a drawn split would stand beside a published one.
    """
    validation, test = _fractions(section, published)
    splits = {name: split for name, split in published.items() if name != "test" or test is None}
    source_train = splits["train"]
    if validation is not None or test is not None:
        drawn = draw_splits(
            _strata(source_train, class_names),
            validation=validation,
            test=test,
            seed=seed,
            names=class_names,
        )
        splits["train"] = source_train.take(drawn.train)
        if validation is not None:
            splits["validation"] = source_train.take(drawn.validation)
        if test is not None:
            splits["test"] = source_train.take(drawn.test)
    if section.train_examples is not None:
        strata = _strata(splits["train"], class_names)
        rows = draw_subset(strata, section.train_examples, seed=seed)
        splits["train"] = splits["train"].take(rows)
    return {name: splits[name] for name in _SPLITS if name in splits}


def _fractions(
    section: DataSection, published: Mapping[SplitName, CheckedPart]
) -> tuple[float | None, float | None]:
    """(validation, test) to draw; ConfigError where the source has that split already."""
    validation, test = section.splits.validation, section.splits.test
    if validation is not None and "validation" in published:
        raise ConfigError(
            "the source has a validation split of its own",
            key=("data", "splits", "validation"),
            hint="leave splits.validation out",
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
