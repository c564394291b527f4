"""How a run's splits were made, in words."""

from __future__ import annotations

from bmtrain.config.sections.data import TestSplit
from bmtrain.workflows.reporting.cells import percent
from bmtrain.workflows.reporting.reading import ReportedRun


def drawn_fractions(run: ReportedRun) -> dict[str, float]:
    """Split -> the fraction that was drawn for it, in the order of the draws."""
    splits = run.run.experiment.data.splits
    test = splits.test.fraction if isinstance(splits.test, TestSplit) else splits.test
    wanted = {"test": test, "validation": splits.validation}
    return {name: value for name, value in wanted.items() if isinstance(value, float)}


def split_text(run: ReportedRun) -> str:
    """``drawn at random with the seed 0, stratified by class: test 20.0 %``."""
    experiment = run.run.experiment
    splits = experiment.data.splits
    parts = []
    drawn = drawn_fractions(run)
    if drawn:
        how = "stratified by class"
        if splits.group is not None:
            how = f"whole groups of one {splits.group}"
        elif run.class_names is None:
            how = "example by example"
        which = ", then ".join(f"{name} {percent(value)}" for name, value in drawn.items())
        parts.append(
            f"drawn at random with the seed {experiment.seed}, {how}: {which} of the examples that "
            "the source has for training; the rest is train"
        )
    if splits.fold is not None:
        parts.append(f"validation is fold {splits.fold}")
    for name, value in (("validation", splits.validation), ("test", splits.test)):
        if isinstance(value, str):
            parts.append(f"{name} is a file of its own, {value}")
    return "; ".join(parts) or "as the source has them"
