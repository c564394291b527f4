"""``init``: a starter config, from a recipe or from a look at the data."""

# ruff: noqa: PLR0913  # a command has as many parameters as it has options

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from bmtrain.cli import completion
from bmtrain.cli.options import (
    DataFormat,
    Force,
    Json,
    Quiet,
    asked_screen,
    data_option,
    output_option,
)

Recipe = Annotated[
    str | None,
    typer.Argument(
        metavar="RECIPE",
        show_default=False,
        autocompletion=completion.recipe,
        help="A config that comes with bmtrain.",
    ),
]
Label = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="The column to predict. Default: a guess, with its reason.",
    ),
]


def init(
    context: typer.Context,
    recipe: Recipe = None,
    *,
    list_them: Annotated[
        bool,
        typer.Option(
            "--list", help="List the recipes, with their time and result, and the bundled data."
        ),
    ] = False,
    data: Annotated[
        Path | None,
        data_option("Look at data (a table, arrays, pictures) and choose what fits it."),
    ] = None,
    label: Label = None,
    data_format: DataFormat = "auto",
    output: Annotated[
        Path | None, output_option("Where the config goes; - is stdout. Default: config.yaml")
    ] = None,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write a commented config, from RECIPE or from a look at --data, that trains as it is."""
    from bmtrain.cli.rendering.starting import show_init, show_recipes
    from bmtrain.workflows.init import InitRequest, list_recipes
    from bmtrain.workflows.init import init as run

    screen = asked_screen(context, json=json, quiet=quiet)
    if list_them:
        if recipe is not None or data is not None:
            raise typer.BadParameter("--list stands alone")
        show_recipes(list_recipes(), screen)
        return
    request = InitRequest(
        recipe=recipe,
        data=data,
        label=label,
        format=data_format,
        output=output or Path("config.yaml"),
        force=force,
    )
    looking = screen.waiting(f"looking at {data}", in_a_line=True)
    with looking if data is not None else nullcontext():
        document = run(request)
    show_init(document, screen)
