"""``train``."""

# ruff: noqa: PLR0913  # a command has as many parameters as it has options

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from bmtrain.cli.console import Screen
from bmtrain.cli.options import (
    AllowChanged,
    ConfigPath,
    Device,
    Expect,
    FindLr,
    Fold,
    Folds,
    Json,
    Junit,
    Overrides,
    Plugin,
    Quiet,
    ReportFormat,
    Resume,
    ResumeIfPossible,
    RunDir,
    Smoke,
    asked_screen,
    named_plugins,
)

if TYPE_CHECKING:
    from bmtrain.config.plugin_tables import Plugins
    from bmtrain.workflows.train import TrainRequest


def _start(*, resume: bool, if_possible: bool) -> Literal["new", "resume", "if_possible"]:
    if resume and if_possible:
        raise typer.BadParameter("give --resume or --resume-if-possible, not both")
    return "resume" if resume else "if_possible" if if_possible else "new"


def _smoke(
    config: Path,
    overrides: tuple[str, ...],
    device: str | None,
    plugins: Plugins,
    screen: Screen,
) -> int:
    from bmtrain.cli.rendering.smoke import show_smoke
    from bmtrain.workflows.smoke import SmokeRequest
    from bmtrain.workflows.smoke import smoke as run

    if device is not None:
        overrides = (*overrides, f"training.device={device}")
    with screen.waiting("a few steps of everything", in_a_line=True):
        request = SmokeRequest(config=config, overrides=overrides, plugins=plugins)
        return show_smoke(run(request), screen)


def _find_lr(
    config: Path,
    overrides: tuple[str, ...],
    device: str | None,
    plugins: Plugins,
    screen: Screen,
) -> int:
    from bmtrain.cli.rendering.find_lr import show_find_lr
    from bmtrain.workflows.find_lr import FindRequest, find_learning_rate

    if device is not None:
        overrides = (*overrides, f"training.device={device}")
    request = FindRequest(config=config, overrides=overrides, plugins=plugins)
    with screen.waiting("a sweep of the learning rate", in_a_line=True):
        return show_find_lr(find_learning_rate(request), screen)


def _cross_validate(folds: int | None, request: TrainRequest, screen: Screen) -> int:
    from bmtrain.cli.rendering.folds import show_folds
    from bmtrain.workflows.cross_validation import FoldsRequest, cross_validate

    return show_folds(cross_validate(FoldsRequest(num_folds=folds, training=request)), screen)


def train(
    context: typer.Context,
    config: ConfigPath,
    overrides: Overrides = None,
    *,
    run_dir: RunDir = None,
    resume: Resume = False,
    resume_if_possible: ResumeIfPossible = False,
    allow_changed: AllowChanged = None,
    fold: Fold = None,
    folds: Folds = None,
    smoke: Smoke = False,
    find_lr: FindLr = False,
    expect: Expect = None,
    device: Device = None,
    junit: Junit = None,
    plugin: Plugin = None,
    report: ReportFormat = "auto",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train the experiment of CONFIG, evaluate and save it; or go on with an interrupted run."""
    from bmtrain.cli.ci_reports import checked_junit
    from bmtrain.cli.rendering.training import show_training
    from bmtrain.runs.fold_directory import FoldDirectory
    from bmtrain.workflows.train import TrainRequest
    from bmtrain.workflows.train import train as run

    screen = asked_screen(context, json=json, quiet=quiet, report=report)
    screen.junit = checked_junit(junit)
    if fold is not None and (folds is not None or resume):
        raise typer.BadParameter("give --fold with a config, and without --folds or --resume")
    if smoke or find_lr:
        if (
            (smoke and find_lr)
            or fold
            or folds
            or run_dir
            or resume
            or resume_if_possible
            or allow_changed
            or expect
            or junit
        ):
            name = "--smoke" if smoke else "--find-lr"
            raise typer.BadParameter(f"{name} trains for itself: give it with KEY=VALUE alone")
        alone = _smoke if smoke else _find_lr
        plugins = named_plugins(plugin)
        raise typer.Exit(alone(config, tuple(overrides or ()), device, plugins, screen))
    request = TrainRequest(
        config=config,
        overrides=tuple(overrides or ()),
        run_dir=run_dir,
        expectations=tuple(expect or ()),
        device=device,
        start=_start(resume=resume, if_possible=resume_if_possible),
        allow_changed=tuple(allow_changed or ()),
        fold=fold,
        plugins=named_plugins(plugin),
    )
    if folds is not None or (resume and FoldDirectory(config).holds_folds):
        raise typer.Exit(_cross_validate(folds, request, screen))
    raise typer.Exit(show_training(run(request), screen))
