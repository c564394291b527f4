"""``metrics:`` what is reported beside the loss, by name; and what kind of figure each is."""

from __future__ import annotations

from typing import Final, Literal, get_args

#: Of each example: it is right or wrong.
RightOrWrong = Literal[
    "accuracy", "top_2_accuracy", "top_3_accuracy", "top_5_accuracy", "top_10_accuracy"
]
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
OfProbabilities = Literal["roc_auc", "log_loss", "brier_score", "expected_calibration_error"]
#: Of each example, and their mean.
OfErrors = Literal["mean_squared_error", "root_mean_squared_error", "mean_absolute_error"]
OfNumbers = Literal["mean_absolute_percentage_error", "max_error", "r2", "explained_variance"]

Metric = Literal[
    RightOrWrong,
    OfTwoClasses,
    OfEachClass,
    OfAllClasses,
    OfProbabilities,
    OfErrors,
    OfNumbers,
]

RIGHT_OR_WRONG: Final = frozenset[str](get_args(RightOrWrong))
OF_TWO_CLASSES: Final = frozenset[str](get_args(OfTwoClasses))
OF_PROBABILITIES: Final = frozenset[str](get_args(OfProbabilities))
OF_NUMBERS: Final = frozenset[str]((*get_args(OfErrors), *get_args(OfNumbers)))
#: Figures of classification; all others compare numbers.
CLASS_METRICS: Final = frozenset[str](get_args(Metric)) - OF_NUMBERS
#: Means over examples, which the steps add up; all others need a whole split's outputs.
RUNNING: Final = RIGHT_OR_WRONG | frozenset[str](get_args(OfErrors))
#: Figures of which more is better; of all others less is.
HIGHER_IS_BETTER: Final = (
    CLASS_METRICS - {"log_loss", "brier_score", "expected_calibration_error"}
) | {"r2", "explained_variance"}
#: Their least and their most; of all others 0 and no end.
_RANGES: Final = {
    "matthews_corrcoef": (-1.0, 1.0),
    "log_loss": (0.0, float("inf")),
    "brier_score": (0.0, 2.0),
    "r2": (-float("inf"), 1.0),
    "explained_variance": (-float("inf"), 1.0),
}


def bounds(metric: str) -> tuple[float, float]:
    """The least and the most that a figure can be."""
    usual = (0.0, 1.0 if metric in CLASS_METRICS else float("inf"))
    return _RANGES.get(metric, usual)


def top_k(metric: str) -> int | None:
    """3 for ``top_3_accuracy``; None for all else."""
    return int(metric.split("_")[1]) if metric.startswith("top_") else None
