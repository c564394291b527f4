"""``check`` and ``schema``: what can be known of a config before anything is trained."""

# ruff: noqa: PLR0913  # a command has as many parameters as it has options

from __future__ import annotations

from typing import Annotated

import typer

from bmtrain.cli.options import (
    ConfigPath,
    Json,
    Overrides,
    Plugin,
    Quiet,
    QuietButResult,
    ReportFormat,
    asked_screen,
    named_plugins,
)


def check(
    context: typer.Context,
    config: ConfigPath,
    overrides: Overrides = None,
    *,
    measure: Annotated[
        bool,
        typer.Option("--measure", help="Run some steps, too, and say how long all will take."),
    ] = False,
    show_origin: Annotated[
        bool,
        typer.Option("--show-origin", help="List the resolved config and where each value is set."),
    ] = False,
    plugin: Plugin = None,
    report: ReportFormat = "auto",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Tell all that can be known of CONFIG before training: data, model, cost, environment."""
    from bmtrain.cli.rendering.checking import show_check
    from bmtrain.workflows.check import CheckRequest
    from bmtrain.workflows.check import check as run

    screen = asked_screen(context, json=json, quiet=quiet, report=report)
    request = CheckRequest(
        config=config,
        overrides=tuple(overrides or ()),
        measure=measure,
        show_origin=show_origin,
        plugins=named_plugins(plugin),
    )
    waits_after = "environment" if measure else None
    raise typer.Exit(show_check(run(request), screen, waits_after=waits_after))


def schema(
    context: typer.Context,
    *,
    plugin: Plugin = None,
    json: Json = False,
    quiet: QuietButResult = False,
) -> None:
    """Print the JSON Schema of the config, for editors."""
    from bmtrain.cli.rendering.documents import json_text
    from bmtrain.config.json_schema import json_schema

    screen = asked_screen(context, json=json, quiet=quiet)
    screen.out.line(json_text(json_schema(named_plugins(plugin))))
