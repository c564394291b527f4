"""``verify-resume`` and ``reproduce``: what is promised, proved."""

# ruff: noqa: PLR0913  # a command has as many parameters as it has options

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bmtrain.cli import completion
from bmtrain.cli.options import (
    ConfigPath,
    Json,
    Overrides,
    Plugin,
    Quiet,
    RunDir,
    asked_screen,
    named_plugins,
)


def verify_resume(
    context: typer.Context,
    config: ConfigPath,
    overrides: Overrides = None,
    *,
    kills: Annotated[
        int, typer.Option(min=1, max=100_000, help="How many times a training is killed.")
    ] = 20,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the runs that were identical, too.")
    ] = False,
    plugin: Plugin = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train CONFIG once undisturbed and again under SIGKILLs, and compare every bit."""
    from bmtrain.cli.rendering.proofs import show_verification
    from bmtrain.workflows.verify_resume import VerifyRequest
    from bmtrain.workflows.verify_resume import verify_resume as run

    screen = asked_screen(context, json=json, quiet=quiet)
    request = VerifyRequest(
        config=config,
        overrides=tuple(overrides or ()),
        kills=kills,
        keep="all" if keep else "different",
        plugins=named_plugins(plugin),
    )
    raise typer.Exit(show_verification(run(request), screen))


def reproduce(
    context: typer.Context,
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN",
            show_default=False,
            help="A completed run directory.",
            autocompletion=completion.run_or_checkpoint,
        ),
    ],
    overrides: Overrides = None,
    *,
    run_dir: RunDir = None,
    tolerance: Annotated[
        float,
        typer.Option(min=0.0, help="Relative difference that passes for the same; 0: no bit."),
    ] = 1e-3,
    plugin: Plugin = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train RUN again; say whether the same came out, and what in the environment differs."""
    from bmtrain.cli.rendering.proofs import show_reproduction
    from bmtrain.workflows.reproduce import ReproduceRequest
    from bmtrain.workflows.reproduce import reproduce as train_again

    screen = asked_screen(context, json=json, quiet=quiet)
    request = ReproduceRequest(
        run=run,
        overrides=tuple(overrides or ()),
        run_dir=run_dir,
        tolerance=tolerance,
        plugins=named_plugins(plugin),
    )
    raise typer.Exit(show_reproduction(train_again(request), screen))
