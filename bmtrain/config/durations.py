"""How long something in a training takes: ``500 steps``, ``2 epochs`` or ``10%`` of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field

#: At most twelve digits of steps, seven of epochs; ``0.5 epochs`` and ``2.5%`` are some steps.
DURATION: Final = (
    r"^([0-9]{1,12} steps?|[0-9]{1,7}(\.[0-9]{1,6})? epochs?|[0-9]{1,2}(\.[0-9]{1,6})?%|100%)$"
)

#: The text of a config; ``read_duration`` takes it apart.
DurationText = Annotated[str, Field(pattern=DURATION)]


@dataclass(frozen=True, slots=True)
class Duration:
    """An amount of steps, of epochs, or of percents of the whole training."""

    amount: float
    unit: Literal["steps", "epochs", "percent"]

    @property
    def derives_from_total(self) -> bool:
        """Whether a longer training makes it longer."""
        return self.unit == "percent"


def read_duration(text: str) -> Duration:
    """What a text of the form ``DURATION`` says."""
    if text.endswith("%"):
        return Duration(float(text[:-1]), "percent")
    amount, _, unit = text.partition(" ")
    return Duration(float(amount), "epochs" if unit.startswith("epoch") else "steps")


@dataclass(frozen=True, slots=True)
class Timeline:
    """How many steps an epoch has, and how many epochs the training."""

    steps_per_epoch: int
    epochs: int

    @property
    def total_steps(self) -> int:
        """Of the whole training, unless it is stopped early."""
        return self.steps_per_epoch * self.epochs

    def steps(self, text: str) -> int:
        """The duration in steps, rounded to the nearest."""
        duration = read_duration(text)
        match duration.unit:
            case "steps":
                return round(duration.amount)
            case "epochs":
                return round(duration.amount * self.steps_per_epoch)
            case "percent":
                return round(duration.amount * self.total_steps / 100)
