"""From a config's ``data:`` section to checked splits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bmtrain.config.sections.data import DataSection, TestSplit
from bmtrain.config.sections.loss import CROSSENTROPIES
from bmtrain.data.bundled import bundled_directory, is_bundled_name
from bmtrain.data.checked import check_source
from bmtrain.data.dataset import DataFacts, Dataset, Split, SplitName, Task
from bmtrain.data.fingerprint import fingerprint
from bmtrain.data.formats import ARRAY_READERS, Format, detect_format
from bmtrain.data.labels import fit_class_names
from bmtrain.data.source import Source
from bmtrain.data.splits import draw_splits, draw_subset
from bmtrain.errors import ConfigError, DataError


def resolve_task(section: DataSection, loss_name: str) -> Task:
    """``data.task``; ``auto`` is classification under a cross-entropy loss, else regression."""
    if section.task != "auto":
        return section.task
    return "classification" if loss_name in CROSSENTROPIES else "regression"


def load_dataset(section: DataSection, *, task: Task, seed: int) -> Dataset:
    """Read, check and split the examples of ``section``.

    ``seed`` decides which examples the drawn splits get, and nothing else. Labels
    are class numbers under classification, float32 targets under regression.

    Raises:
        DataError: the data is missing, damaged or not what the section says.
        ConfigError: the section contradicts itself or the kind of its source.
    """
    source = _read_source(section)
    class_names = None
    if task == "classification":
        train = source.parts["train"]
        class_names = fit_class_names(train)
    published = check_source(source, class_names)
    splits = _hold_out(section, published, class_names, seed)
    return Dataset(splits=splits, facts=_facts(task, source, splits, class_names))


def _read_source(section: DataSection) -> Source:
    if is_bundled_name(section.source):
        path = bundled_directory(section.source)
    else:
        path = Path(section.source)
    if not path.exists():
        raise DataError(
            "there is no such file or directory", where=str(path), key=("data", "source")
        )
    found: Format = detect_format(path) if section.format == "auto" else section.format
    if found == "csv":
        from bmtrain.data.csv_table import read_csv

        return read_csv(path, label=section.label, features=section.features)
    for key, value in (("label", section.label), ("features", section.features)):
        if value is not None:
            raise ConfigError(
                f"names columns of a table, and {path.name} is {found.upper()}: it has none",
                key=("data", key),
            )
    if path.is_dir() == (found == "npz"):
        wanted = "a file" if found == "npz" else "a directory"
        raise DataError(
            f"expected {wanted} for the format {found}",
            where=str(path),
            key=("data", "source"),
            hint=None if found == "npz" else f"name the directory, {path.parent}",
        )
    return ARRAY_READERS[found](path)


def _hold_out(
    section: DataSection,
    published: Mapping[SplitName, Split],
    class_names: tuple[str, ...] | None,
    seed: int,
) -> dict[SplitName, Split]:
    """The published splits, the drawn ones, and what is left for training."""
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
        splits["train"] = _take(source_train, drawn.train)
        if validation is not None:
            splits["validation"] = _take(source_train, drawn.validation)
        if test is not None:
            splits["test"] = _take(source_train, drawn.test)
    if section.train_examples is not None:
        strata = _strata(splits["train"], class_names)
        rows = draw_subset(strata, section.train_examples, seed=seed)
        splits["train"] = _take(splits["train"], rows)
    return splits


def _fractions(
    section: DataSection, published: Mapping[SplitName, Split]
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


def _strata(split: Split, class_names: tuple[str, ...] | None) -> NDArray[np.int32]:
    if class_names is None:
        return np.zeros(split.num_examples, np.int32)
    return split.labels.astype(np.int32, copy=False)


def _take(split: Split, rows: NDArray[np.int64]) -> Split:
    return Split(split.features[rows], split.labels[rows])


def _facts(
    task: Task,
    source: Source,
    splits: Mapping[SplitName, Split],
    class_names: tuple[str, ...] | None,
) -> DataFacts:
    train = splits["train"]
    names = {
        "class_names": class_names,
        "feature_names": source.feature_names,
        "label_name": source.label_name,
    }
    return DataFacts(
        task=task,
        input_shape=train.features.shape[1:],
        input_dtype=train.features.dtype.name,
        class_names=class_names,
        num_outputs=train.labels.shape[1] if class_names is None else len(class_names),
        feature_names=source.feature_names,
        label_name=source.label_name,
        num_train_examples=train.num_examples,
        fingerprint=fingerprint(splits, names),
    )
