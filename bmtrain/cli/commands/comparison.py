"""``runs`` and ``compare``: what was trained here, and what differs."""

# ruff: noqa: PLR0913  # a command has as many parameters as it has options

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bmtrain.cli import completion
from bmtrain.cli.options import Json, QuietButResult, TableFormat, asked_screen, no_option


def sort_key(text: str) -> str:
    """The key, which may begin with a dash; BadParameter for what looks like an option."""
    if text.startswith("--") or not text.strip("- "):
        raise typer.BadParameter(f"expected KEY or -KEY, got '{text}'")
    return text


def runs(
    context: typer.Context,
    directories: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="DIR",
            show_default=False,
            autocompletion=completion.run_or_checkpoint,
            help="A directory of runs, or a run. Default: $BMTRAIN_RUNS, or else runs.",
        ),
    ] = None,
    *,
    sort: Annotated[
        str,
        typer.Option(
            metavar="KEY",
            callback=sort_key,
            autocompletion=completion.figure,
            help="run, status, begun, epochs, parameters, train_s, a figure (test.accuracy) or a "
            "config key; -KEY: the largest first.",
        ),
    ] = "begun",
    reverse: Annotated[bool, typer.Option("--reverse", help="The other way round.")] = False,
    where: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CONDITION",
            callback=no_option,
            help="As in 'optimizer.learning_rate>=0.01': =, !=, <, <=, > or >= of what --sort "
            "takes, too. May be repeated: all must hold.",
        ),
    ] = None,
    show: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY",
            callback=no_option,
            autocompletion=completion.config_key,
            help="A config key to have a column of its own. May be repeated.",
        ),
    ] = None,
    table_format: TableFormat = "table",
    json: Json = False,
    quiet: QuietButResult = False,
) -> None:
    """List the runs in DIR with their key figures; live ones are marked."""
    from bmtrain.cli.rendering.runs import show_runs
    from bmtrain.workflows.list_runs import RunsRequest, list_runs

    screen = asked_screen(context, json=json or table_format == "json", quiet=quiet)
    request = RunsRequest(
        directories=tuple(directories or ()),
        where=tuple(where or ()),
        sort=sort,
        reverse=reverse,
        show=tuple(show or ()),
    )
    with screen.waiting("reading the runs"):
        document = list_runs(request)
    show_runs(document, screen, table_format)


def compare(
    context: typer.Context,
    run_paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN",
            show_default=False,
            help="Two run directories, or more.",
            autocompletion=completion.run_or_checkpoint,
        ),
    ],
    *,
    metric: Annotated[
        str | None,
        typer.Option(
            metavar="FIGURE",
            show_default=False,
            callback=no_option,
            autocompletion=completion.figure,
            help="What is compared: test.accuracy, validation.loss ... Default: the first metric "
            "that all have, or else the loss.",
        ),
    ] = None,
    only_changed: Annotated[
        bool, typer.Option("--only-changed", help="Hide what is equal in all runs.")
    ] = False,
    table_format: TableFormat = "table",
    json: Json = False,
    quiet: QuietButResult = False,
) -> None:
    """Compare runs: what differs, and whether it matters.

    Two models by their answers on the test set; groups of three seeds or more across seeds.
    """
    from bmtrain.cli.rendering.comparison import show_comparison
    from bmtrain.workflows.compare import CompareRequest
    from bmtrain.workflows.compare import compare as run

    screen = asked_screen(context, json=json or table_format == "json", quiet=quiet)
    request = CompareRequest(runs=tuple(run_paths), metric=metric, only_changed=only_changed)
    with screen.waiting("comparing"):
        document = run(request)
    show_comparison(document, screen, table_format)
