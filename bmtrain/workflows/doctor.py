"""``bmtrain doctor``: is this machine fit to train, and what to do if it is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bmtrain.program import pip
from bmtrain.workflows.diagnosis.finding import Examined, Finding
from bmtrain.workflows.diagnosis.surroundings import Terminal


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorRequest:
    """What to look at: ``quick`` leaves the training out."""

    terminal: Terminal
    quick: bool = False


def doctor(request: DoctorRequest) -> Iterator[Examined]:
    """Installation, machine, surroundings, TensorFlow, training; each as soon as it is known.

    What could crash is done in another process, whose end is a finding. Nothing in it tells
    whose machine it is. Where the parts before leave no hope, TensorFlow is not started.
    """
    from bmtrain.workflows.diagnosis.hardware import examine_hardware
    from bmtrain.workflows.diagnosis.privacy import anonymous
    from bmtrain.workflows.diagnosis.surroundings import examine_surroundings

    is_fit = True
    for examined in (_installation(), examine_hardware(), examine_surroundings(request.terminal)):
        is_fit = is_fit and examined.is_fit
        yield anonymous(examined)
    if not is_fit:
        skipped = Finding("note", "not started: see to the problems above first")
        yield Examined("tensorflow", (skipped,))
        return
    from bmtrain.workflows.diagnosis.trial import tried

    for examined in tried(with_training=not request.quick):
        yield anonymous(examined)


def _installation() -> Examined:
    """Where even the packages for that are missing, this is all that can be said."""
    try:
        from bmtrain.workflows.diagnosis.installation import examine_installation
    except ModuleNotFoundError as error:
        said = f"{error.name} is not installed"
        return Examined(
            "installation", (Finding("problem", said, pip("install", str(error.name))),)
        )
    return examine_installation()
