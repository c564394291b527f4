"""What ``import bmtrain`` offers a program: the functions that the commands call.

Nothing heavy is imported before a function is called.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from bmtrain.config.plugin_tables import Plugins
    from bmtrain.events import Event
    from bmtrain.workflows.loaded_model import LoadedModel


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """A training that completed.

    Attributes:
        run_dir: where it left all that it made.
        checkpoint: the one that the run was judged by: the best, or else the last.
        metrics: by split ("train", "validation", "test"), then by name.
        expectations: each with its ``text``, ``value`` and whether it is ``met``.
        summary: the document of ``bmtrain train --json``.
        plugins: that it was trained with.
    """

    run_dir: Path
    checkpoint: Path
    metrics: dict[str, dict[str, float]]
    expectations: list[dict[str, Any]]
    summary: dict[str, Any]
    plugins: tuple[Path, ...] = ()

    @property
    def met(self) -> bool:
        """Whether every expectation is met; true if there is none."""
        return all(expectation["met"] for expectation in self.expectations)

    def history(self) -> list[dict[str, Any]]:
        """An entry per epoch, as metrics.jsonl has them."""
        from bmtrain.runs.metrics_log import epochs_in

        return list(epochs_in(self.run_dir / "metrics.jsonl"))

    def load(self) -> LoadedModel:
        """The model that was trained, with the plugins that it was trained with."""
        return load(self.checkpoint, plugins=self.plugins)


def train(  # noqa: PLR0913  # as many as the command has options that mean something here
    config: str | os.PathLike[str],
    overrides: Sequence[str] = (),
    *,
    run_dir: str | os.PathLike[str] | None = None,
    expectations: Sequence[str] = (),
    device: Literal["auto", "cpu", "gpu"] | None = None,
    start: Literal["new", "resume", "if_possible"] = "new",
    plugins: Sequence[str | os.PathLike[str]] = (),
    on_event: Callable[[Event], object] | None = None,
) -> TrainingResult:
    """Train the experiment of a config file; what ``bmtrain train`` does, without a screen.

    Args:
        config: the YAML file; with ``start="resume"`` a run directory.
        overrides: ``"optimizer.learning_rate=3e-4"``, as on the command line.
        run_dir: absent or empty; None: ``runs/NAME-TIME-XXXX``.
        expectations: ``"test.accuracy >= 0.97"``; a missed one is no error, see ``met``.
        device: None: the config's.
        start: "if_possible" goes on in ``run_dir`` if a run began there.
        plugins: Python files, which are run: see ``bmtrain.plugins``.
        on_event: called with each event (``bmtrain.events``) as it happens.

    Raises:
        BmtrainError: ConfigError, DataError, EnvironmentFault, TrainingDiverged, ...;
            a signal is ``Interrupted``, with the state saved.
    """
    from bmtrain.events import RunFinished
    from bmtrain.workflows.train import TrainRequest
    from bmtrain.workflows.train import train as run

    request = TrainRequest(
        config=Path(config),
        overrides=tuple(overrides),
        run_dir=None if run_dir is None else Path(run_dir),
        expectations=tuple(expectations),
        device=device,
        start=start,
        plugins=_plugins(plugins),
    )
    summary: dict[str, Any] = {}
    for event in run(request):
        if isinstance(event, RunFinished):
            summary = dict(event.summary)
        if on_event is not None:
            on_event(event)
    return TrainingResult(
        run_dir=Path(summary["run_dir"]),
        checkpoint=Path(summary["evaluated_checkpoint"]),
        metrics=summary["metrics"],
        expectations=summary["expectations"],
        summary=summary,
        plugins=request.plugins.paths,
    )


def load(
    path: str | os.PathLike[str], *, plugins: Sequence[str | os.PathLike[str]] = ()
) -> LoadedModel:
    """The model of a run directory, its best checkpoint or else its last, or of a checkpoint.

    Nothing in a checkpoint is run: a stranger's is as safe as one's own. One that needs a plugin
    says which, and ``plugins`` names it.

    Raises:
        CheckpointError: there is none, it is damaged or does not fit itself, or needs a plugin.
    """
    from bmtrain.workflows.loaded_model import LoadedModel

    return LoadedModel.read(Path(path), _plugins(plugins))


def _plugins(paths: Sequence[str | os.PathLike[str]]) -> Plugins:
    from bmtrain.config.plugin_tables import NO_PLUGINS

    if not paths:
        return NO_PLUGINS
    from bmtrain.plugins.loading import load_plugins

    return load_plugins([Path(path) for path in paths])
