"""``convert``: data as fixed records."""

# ruff: noqa: PLR0913  # a command has as many parameters as it has options

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bmtrain.cli.options import (
    AnyDataFormat,
    Json,
    Overrides,
    Plugin,
    Quiet,
    asked_screen,
    named_plugins,
    some_path,
)

Source = Annotated[
    Path,
    typer.Argument(
        metavar="SOURCE", parser=some_path, show_default=False, help="Data, or a config (.yaml)."
    ),
]
Output = Annotated[
    Path,
    typer.Argument(
        metavar="OUT", parser=some_path, show_default=False, help="A directory that is not there."
    ),
]
Label = Annotated[
    str | None, typer.Option(metavar="COLUMN", help="Of a table: the column to predict.")
]


def convert(
    context: typer.Context,
    source: Source,
    output: Output,
    overrides: Overrides = None,
    *,
    label: Label = None,
    data_format: AnyDataFormat = "auto",
    plugin: Plugin = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write SOURCE as .npy files, which are streamed however large they are."""
    from bmtrain.cli.rendering.conversion import show_conversion
    from bmtrain.workflows.convert import ConvertRequest
    from bmtrain.workflows.convert import convert as run

    screen = asked_screen(context, json=json, quiet=quiet)
    request = ConvertRequest(
        source=source,
        output=output,
        label=label,
        format=data_format,
        overrides=tuple(overrides or ()),
        plugins=named_plugins(plugin),
    )
    with screen.waiting(f"converting {source}", in_a_line=True):
        document = run(request)
    show_conversion(document, screen)
