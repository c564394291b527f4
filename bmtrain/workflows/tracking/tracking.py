"""Trackers are told what happens; one that fails is dropped with a warning, the training goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Self

from bmtrain.errors import Interrupted
from bmtrain.events import EpochDone, Event, RunFinished, Warned
from bmtrain.workflows.endings import known_ending
from bmtrain.workflows.tracking.mlflow_tracker import MlflowTracker
from bmtrain.workflows.tracking.tensorboard import TensorBoardTracker
from bmtrain.workflows.tracking.tracker import Outcome, TrackedRun, Tracker


class Tracking:
    """All trackers that a config asks for; a context manager, which tells them of an error.

    ``note`` is told what went wrong when nobody listens to events any more.
    """

    def __init__(self, run: TrackedRun, note: Callable[[str], None]) -> None:
        self._trackers: dict[str, Tracker] = {}
        self._failed: list[str] = []
        self._note = note
        section = run.experiment.track
        if section.tensorboard:
            directory = run.directory.tensorboard
            self._begin("tensorboard", lambda: TensorBoardTracker(directory, run.step))
        if section.mlflow is not None:
            self._begin("mlflow", lambda: MlflowTracker(run))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, GeneratorExit) or isinstance(_known(error), Interrupted):
            self._close(Outcome("killed"))
        else:
            self._close(Outcome("failed"))
        for message in self._failed:
            self._note(message)

    def told(self, event: Event) -> Iterator[Event]:
        """The event, of which the trackers hear first; before it a warning for each that failed."""
        match event:
            case EpochDone():
                figures = _by_split({"train": event.train, "validation": event.validation or {}})
                figures["learning_rate"] = event.learning_rate
                figures["examples_per_s"] = event.examples_per_s
                self._each(lambda tracker: tracker.scalars(event.step, figures))
            case RunFinished():
                summary = event.summary
                figures = _by_split({"test": summary["metrics"].get("test", {})})
                self._each(lambda tracker: tracker.scalars(summary["steps_completed"], figures))
                self._close(Outcome("finished", summary))
            case _:
                self._each(lambda tracker: tracker.listen())
        while self._failed:
            yield Warned(self._failed.pop(0))
        yield event

    def _begin(self, name: str, begun: Callable[[], Tracker]) -> None:
        try:
            self._trackers[name] = begun()
        except Exception as error:  # noqa: BLE001  # a training is worth more than its tracker
            self._fail(name, error)

    def _each(self, tell: Callable[[Tracker], None]) -> None:
        for name, tracker in list(self._trackers.items()):
            try:
                tell(tracker)
            except Exception as error:  # noqa: BLE001  # as above
                del self._trackers[name]
                self._fail(name, error)

    def _close(self, outcome: Outcome) -> None:
        self._each(lambda tracker: tracker.close(outcome))
        self._trackers.clear()

    def _fail(self, name: str, error: Exception) -> None:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        self._failed.append(f"track.{name}: {reason}; the training goes on without it")


def _known(error: BaseException | None) -> BaseException | None:
    return None if error is None else known_ending(error)


def _by_split(splits: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    return {
        f"{split}/{name}": value
        for split, values in splits.items()
        for name, value in values.items()
    }
