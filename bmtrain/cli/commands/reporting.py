"""``report``: what was trained, how well and how to do it again, as a page or a model card."""

# ruff: noqa: PLR0913  # a command has as many parameters as it has options

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bmtrain.cli import completion
from bmtrain.cli.options import (
    Force,
    Json,
    Plugin,
    QuietButResult,
    asked_screen,
    named_plugins,
    no_option,
    output_option,
)


def report(
    context: typer.Context,
    run_paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN",
            show_default=False,
            help="A run directory, or up to 8 to be shown over each other.",
            autocompletion=completion.run_or_checkpoint,
        ),
    ],
    *,
    output: Annotated[
        Path | None,
        output_option("Where it goes. Default: here, NAME-report.html or NAME-card.md."),
    ] = None,
    card: Annotated[
        bool,
        typer.Option("--card", help="Write a model card in Markdown, with the Hub's header."),
    ] = False,
    no_examples: Annotated[
        bool,
        typer.Option(
            "--no-examples",
            help="Leave the examples out that it gets wrong, and the data unopened.",
        ),
    ] = False,
    metric: Annotated[
        str | None,
        typer.Option(
            metavar="FIGURE",
            show_default=False,
            callback=no_option,
            autocompletion=completion.figure,
            help="What several runs are compared by, as in compare.",
        ),
    ] = None,
    plugin: Plugin = None,
    force: Force = False,
    json: Json = False,
    quiet: QuietButResult = False,
) -> None:
    """Write one HTML file about RUN, for a browser without a network.

    Curves, confusions, calibration, the most confident mistakes, weights, config, cost; of
    several runs what differs, and whether it matters.
    """
    from bmtrain.cli.rendering.reporting import show_report
    from bmtrain.workflows.report import ReportRequest
    from bmtrain.workflows.report import report as run

    screen = asked_screen(context, json=json, quiet=quiet)
    request = ReportRequest(
        runs=tuple(run_paths),
        output=output,
        card=card,
        with_examples=not no_examples,
        metric=metric,
        force=force,
        plugins=named_plugins(plugin),
    )
    with screen.waiting("writing the report"):
        document = run(request, note=screen.tell)
    show_report(document, screen)
