"""``check`` and ``schema``: what can be known of a config before anything is trained."""

# a command has as many parameters as it has options

from __future__ import annotations

import typer

from bmtrain.cli.options import (
    ConfigPath,
    Json,
    Overrides,
    Quiet,
    QuietButResult,
    ReportFormat,
    asked_screen,
)


def check(
    context: typer.Context,
    config: ConfigPath,
    overrides: Overrides = None,
    *,
    report: ReportFormat = "auto",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Check CONFIG and its data; train nothing."""
    from bmtrain.cli.rendering.checking import show_check
    from bmtrain.workflows.check import CheckRequest
    from bmtrain.workflows.check import check as run

    screen = asked_screen(context, json=json, quiet=quiet, report=report)
    request = CheckRequest(config=config, overrides=tuple(overrides or ()))
    raise typer.Exit(show_check(run(request), screen))


def schema(context: typer.Context, *, json: Json = False, quiet: QuietButResult = False) -> None:
    """Print the JSON Schema of the config, for editors."""
    from bmtrain.cli.rendering.documents import json_text
    from bmtrain.config.json_schema import json_schema

    screen = asked_screen(context, json=json, quiet=quiet)
    screen.out.line(json_text(json_schema()))
