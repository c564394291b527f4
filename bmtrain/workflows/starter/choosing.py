"""From what was seen of the data to the settings of a first training, each with its reason."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from bmtrain.data.examples.normalization import extremes
from bmtrain.data.profiles.feature_choice import FeatureChoice
from bmtrain.data.profiles.text_choice import TextChoice
from bmtrain.data.wording.quoting import listed_and_more, quoted
from bmtrain.figures import count
from bmtrain.workflows.starter.first_model import Pace, first_model, pace_of
from bmtrain.workflows.starter.looking import Seen
from bmtrain.workflows.starter.splitting import ChosenSplits, choose_splits

_MAX_SHOWN: Final = 5
#: Beyond this, inputs that are not scaled slow a training down or stop it.
_LARGE_INPUT: Final = 5
#: Adam moves an output by about the learning rate in a step.
_LARGE_TARGET: Final = 100
_IMBALANCE: Final = 10
_NAME = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Choice:
    """A setting, and why, in lines; ``is_active`` False: shown as a comment, to be taken up."""

    key: str
    value: Any
    reason: str
    is_active: bool = True


def choose(seen: Seen, source: str, seed: int = 0) -> list[Choice]:
    """The settings of a config that trains as it is, in the order in which they are written.

    Args:
        seen: the data.
        source: ``data.source`` as the config will have it.
        seed: of the experiment; the splits are tried with it.
    """
    splits = choose_splits(seen, seed)
    return [
        Choice("name", experiment_name(seen.path.stem), ""),
        Choice("seed", seed, ""),
        *_data(seen, source, splits),
        *_training(seen, splits),
        *_expectation(seen, splits),
    ]


def experiment_name(stem: str) -> str:
    """The name of a file as the name of an experiment, which has letters, digits and ._- only.

    Letters with marks lose these: ``Größe`` is ``Grosse``.
    """
    parts = unicodedata.normalize("NFKD", stem.replace("ß", "ss"))
    plain = "".join(part for part in parts if not unicodedata.combining(part))
    name = _NAME.sub("-", plain).strip("-._")[:64]
    return name or "experiment"


def _data(seen: Seen, source: str, splits: ChosenSplits) -> Iterator[Choice]:
    where: str = "relative to this file" if not source.startswith("/") else "far from this file"
    yield Choice("data.source", source, where)
    if seen.path.suffix.lower() != f".{seen.format}" and seen.path.is_file():
        yield Choice("data.format", seen.format, "the file's name does not tell it")
    if seen.label is not None:
        yield Choice("data.label", seen.label.best.column.name, label_reason(seen))
    if seen.features is not None and seen.features.names is not None:
        left_out = [f"- {quoted(left.name)}: {left.reason}" for left in seen.features.left_out]
        reason = "\n".join(["without these columns:", *left_out])
        yield Choice("data.features", list(seen.features.names), reason)
    if seen.features is not None:
        yield from _of_columns(seen.features)
    if seen.text is not None:
        yield from _of_text(seen.text, seen.features)
    if seen.image is not None:
        image: dict[str, Any] = {"size": list(seen.image.size), "channels": seen.image.channels}
        image |= {} if seen.image.column is None else {"column": seen.image.column}
        yield Choice("data.image", image, seen.image_reason)
    if (why := _normalize_reason(seen)) is not None:
        yield Choice("data.normalize", "standardize", why)
    if splits.fractions:
        yield Choice("data.splits", splits.fractions, splits.reason)
    elif splits.wanted:
        yield Choice("data.splits", splits.wanted, splits.reason, is_active=False)


def _of_columns(features: FeatureChoice) -> Iterator[Choice]:
    """What becomes of texts, and of missing cells."""
    if features.categorical:
        reason = "texts that repeat: an input for each that the training examples have"
        yield Choice("data.categorical", list(features.categorical), reason)
    if features.with_gaps:
        told = [f"{quoted(name)} ({number:,})" for name, number in features.with_gaps]
        reason = (
            f"cells are missing in {listed_and_more(told)}: a number becomes the mean of the "
            "training examples, and an input says that it was missing"
        )
        yield Choice("data.missing", "indicator", reason)


def _of_text(text: TextChoice, features: FeatureChoice | None) -> Iterator[Choice]:
    """The column of texts, without the others, and its tokens."""
    reason = "texts, mostly different"
    if features is not None and features.left_out:
        names = [quoted(left.name) for left in features.left_out]
        reason = (
            f"{reason}, are the only input, without {listed_and_more(names)}; to use columns "
            "instead: data.features, and another model"
        )
    yield Choice("data.text", text.name, reason)
    tokens = {"level": text.tokens.level, "length": text.tokens.length}
    yield Choice("data.tokens", tokens, text.reason)


def label_reason(seen: Seen) -> str:
    """Why the label is that column, and which others it could have been."""
    assert seen.label is not None
    reason = f"the column to predict: {seen.label.best.reason}"
    if seen.label.is_ambiguous:
        others = [
            f"{quoted(other.column.name)} ({other.reason})"
            for other in seen.label.others[:_MAX_SHOWN]
        ]
        reason += f"; it could also be {'; '.join(others)}"
    return reason


def _normalize_reason(seen: Seen) -> str | None:
    """Why inputs are to be standardised where ``auto`` would leave them alone; None: auto will do."""
    features = seen.train.features
    if seen.columns or features.dtype == np.dtype(np.uint8):
        return None
    lows, highs = extremes(features)
    low, high = float(lows.min()), float(highs.max())
    if max(-low, high) <= _LARGE_INPUT:
        return None
    return f"the inputs go from {low:.4g} to {high:.4g}: brought to mean 0, s.d. 1 in the training split"


def _training(seen: Seen, splits: ChosenSplits) -> Iterator[Choice]:
    pace = pace_of(splits.num_train)
    yield Choice(*first_model(seen, splits.num_train))
    yield from _objective(seen)
    yield Choice("optimizer", *_optimizer(seen, pace))
    yield Choice(
        "training.epochs",
        pace.epochs if splits.has_validation else max(10, pace.epochs // 4),
        "at most: early stopping ends it" if splits.has_validation else "nothing ends it earlier",
    )
    steps = -(-splits.num_train // pace.batch_size)
    yield Choice("training.batch_size", pace.batch_size, f"{count(steps, 'step')} per epoch")
    if splits.has_validation:
        yield Choice(
            "training.early_stopping",
            {"monitor": "validation.loss", "patience": pace.patience},
            f"after {pace.patience} epochs without a better one; the best is kept",
        )


def _objective(seen: Seen) -> Iterator[Choice]:
    if seen.class_names is None:
        targets = seen.train.labels
        spread = f"from {targets.min():.4g} to {targets.max():.4g}"
        other = ""
        if seen.label is not None and seen.label.best.column.kind == "integers":
            other = "; if they are classes: sparse_categorical_crossentropy, metrics: [accuracy]"
        yield Choice("loss", "mse", f"the targets are numbers, {spread}{other}")
        yield Choice("metrics", ["mae", "rmse"], "in the targets' own unit")
        return
    yield Choice("loss", "sparse_categorical_crossentropy", class_summary(seen))
    yield Choice("metrics", ["accuracy"], _of_accuracy(seen))


def class_summary(seen: Seen) -> str:
    """``3 classes: setosa 50, versicolor 50, virginica 50``."""
    assert seen.class_names is not None
    counts = seen.class_counts
    order = np.argsort(-counts, kind="stable")
    named = [f"{quoted(seen.class_names[at])} {counts[at]:,}" for at in order]
    classes = count(len(named), "class", "classes")
    if counts.min() == counts.max():
        names = [quoted(seen.class_names[at]) for at in order]
        return f"{classes} of {counts[0]:,} examples each: {listed_and_more(names, 10)}"
    return f"{classes}: {listed_and_more(named, 10)}"


def _of_accuracy(seen: Seen) -> str:
    counts = seen.class_counts
    if counts.max() > _IMBALANCE * max(1, int(counts.min())):
        return "says little of the rare classes; `bmtrain eval` shows figures for each"
    return "the part of the examples whose class is found"


def _optimizer(seen: Seen, pace: Pace) -> tuple[Any, str]:
    if seen.class_names is None:
        targets = seen.train.labels.astype(np.float64)
        largest = float(max(np.abs(targets.mean(axis=0)).max(), targets.std(axis=0).max()))
        if largest > _LARGE_TARGET:
            why = (
                f"the targets are large (about {largest:.2g}), a network starts near 0, and Adam "
                "moves a weight by about the learning rate in a step: hence a large one; better "
                f"divide the targets by {10.0 ** round(np.log10(largest)):g}, and write 0.001"
            )
            return {"name": "adam", "learning_rate": 0.1}, why
    if pace.learning_rate == 0.001:
        return "adam", "a good first choice; its learning rate is 0.001"
    chosen = {"name": "adam", "learning_rate": pace.learning_rate}
    return chosen, "few examples make few steps: larger ones than the usual 0.001"


def _expectation(seen: Seen, splits: ChosenSplits) -> Iterator[Choice]:
    """What always giving the same answer reaches: the least that a model must do better."""
    if not splits.has_test:
        return
    if seen.class_names is not None:
        counts = seen.class_counts
        share = float(counts.max() / counts.sum())
        text = f"test.accuracy > {share:.3f}"
        why = f"answering {quoted(seen.class_names[int(counts.argmax())])} always gets about {share:.3f}"
    else:
        deviation = float(seen.train.labels.astype(np.float64).std())
        text = f"test.rmse < {deviation:.4g}"
        why = f"answering the mean always gets about {deviation:.4g}"
    yield Choice(
        "expect", [text], f"what must be reached, or the exit code is 4; {why}", is_active=False
    )
