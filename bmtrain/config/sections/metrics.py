"""``metrics:`` what is reported beside the loss, by name; and what kind of figure each is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Final, Literal, get_args

from pydantic import Field

#: Of each example: it is right or wrong.
RightOrWrong = Literal["accuracy"]
#: The same: the label is among the K largest outputs.
TOP_K: Final = r"^top_([2-9]|[1-9][0-9]{1,5})_accuracy$"
#: Of two classes, the second is what is to be found.
OfTwoClasses = Literal["precision", "recall", "f1"]
#: Of each class, and their mean: as they are, or as often as there are examples of it.
OfEachClass = Literal[
    "precision_macro",
    "recall_macro",
    "f1_macro",
    "precision_weighted",
    "recall_weighted",
    "f1_weighted",
]
#: Of all classes at once.
OfAllClasses = Literal["matthews_corrcoef"]
#: Of each example's probabilities, and their mean.
OfExamplesProbabilities = Literal["log_loss", "brier_score"]
OfProbabilities = Literal["roc_auc", "expected_calibration_error"]
#: Of each example's errors, and their mean.
OfErrors = Literal[
    "mean_squared_error",
    "root_mean_squared_error",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
]
OfNumbers = Literal["max_error", "r2", "explained_variance"]

MetricName = Literal[
    RightOrWrong,
    OfTwoClasses,
    OfEachClass,
    OfAllClasses,
    OfExamplesProbabilities,
    OfProbabilities,
    OfErrors,
    OfNumbers,
]
Metric = MetricName | Annotated[str, Field(pattern=TOP_K)]

OF_TWO_CLASSES: Final = frozenset[str](get_args(OfTwoClasses))
OF_PROBABILITIES: Final = frozenset[str](
    (*get_args(OfExamplesProbabilities), *get_args(OfProbabilities))
)
OF_NUMBERS: Final = frozenset[str]((*get_args(OfErrors), *get_args(OfNumbers)))
_RUNNING: Final = frozenset[str](
    (*get_args(RightOrWrong), *get_args(OfExamplesProbabilities), *get_args(OfErrors))
)
_LESS_IS_BETTER: Final = frozenset({"log_loss", "brier_score", "expected_calibration_error"})
#: Their least and their most; of all others 0 and no end.
_RANGES: Final = {
    "matthews_corrcoef": (-1.0, 1.0),
    "log_loss": (0.0, float("inf")),
    "brier_score": (0.0, 2.0),
    "r2": (-float("inf"), 1.0),
    "explained_variance": (-float("inf"), 1.0),
}


@dataclass(frozen=True, slots=True)
class MetricFacts:
    """What kind of figure a metric is.

    Attributes:
        of_classes: of classification; else it compares numbers.
        is_mean: over examples, which the steps add up; else of a whole split's outputs.
        more_is_better: and less is, else.
        least: that it can be; ``most`` as well.
    """

    of_classes: bool
    is_mean: bool
    more_is_better: bool
    least: float
    most: float


def built_in_facts(metric: str) -> MetricFacts:
    """Of a metric of this table; of any other figure those of an error, 0 at least."""
    of_classes = is_of_classes(metric)
    least, most = _RANGES.get(metric, (0.0, 1.0 if of_classes else float("inf")))
    return MetricFacts(
        of_classes=of_classes,
        is_mean=is_running(metric),
        more_is_better=is_more_better(metric),
        least=least,
        most=most,
    )


def top_k(metric: str) -> int | None:
    """3 for ``top_3_accuracy``; None for all else."""
    found = re.match(TOP_K, metric)
    return int(found[1]) if found else None


def is_right_or_wrong(metric: str) -> bool:
    """Whether it is the share of examples that are right."""
    return metric in get_args(RightOrWrong) or top_k(metric) is not None


def is_of_classes(metric: str) -> bool:
    """Whether it is a figure of classification; all others compare numbers."""
    return (metric in get_args(MetricName) and metric not in OF_NUMBERS) or is_right_or_wrong(
        metric
    )


def is_running(metric: str) -> bool:
    """Whether it is a mean over examples, which the steps add up; all others need a whole split."""
    return metric in _RUNNING or is_right_or_wrong(metric)


def is_more_better(metric: str) -> bool:
    """Whether more is better; of all others less is."""
    is_share = is_of_classes(metric) and metric not in _LESS_IS_BETTER
    return is_share or metric in ("r2", "explained_variance")
