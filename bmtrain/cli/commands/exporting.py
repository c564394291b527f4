"""``export``: a checkpoint's model for other programs."""

# ruff: noqa: PLR0913  # a command has as many parameters as it has options

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bmtrain.cli.options import (
    AnyDataFormat,
    CheckpointPath,
    Force,
    Json,
    Plugin,
    Quiet,
    asked_screen,
    data_option,
    named_plugins,
    output_option,
)


class ExportFormat(StrEnum):
    """What ``--to`` takes; Typer repeats no Literal."""

    SAVEDMODEL = "savedmodel"
    KERAS = "keras"
    ONNX = "onnx"
    LITERT = "litert"
    SAFETENSORS = "safetensors"


Formats = Annotated[
    list[ExportFormat],
    typer.Option(
        metavar="FORMAT",
        show_default=False,
        help="savedmodel, keras, onnx, litert or safetensors. May be repeated.",
    ),
]
Output = Annotated[
    Path | None,
    output_option(
        "The export's name, or the directory it goes into; with several formats the latter. "
        "Default: here, under the experiment's name.",
        metavar="PATH",
    ),
]
Data = Annotated[
    Path | None,
    data_option(
        "Examples to compare on. Default: the test split, or else validation, or else train; "
        "random inputs where the data is not there."
    ),
]
Tolerance = Annotated[
    float,
    typer.Option(min=0.0, help="Difference that passes, of a probability or an output's size."),
]


def export(
    context: typer.Context,
    checkpoint: CheckpointPath,
    *,
    to: Formats,
    output: Output = None,
    data: Data = None,
    data_format: AnyDataFormat = "auto",
    tolerance: Tolerance = 1e-4,
    force: Force = False,
    plugin: Plugin = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Export CHECKPOINT for other programs; load the export again and compare its outputs."""
    from bmtrain.cli.rendering.exporting import show_export
    from bmtrain.workflows.export import ExportRequest
    from bmtrain.workflows.export import export as run

    screen = asked_screen(context, json=json, quiet=quiet)
    request = ExportRequest(
        checkpoint=checkpoint,
        formats=tuple(dict.fromkeys(chosen.value for chosen in to)),
        output=output,
        data=data,
        format=data_format,
        tolerance=tolerance,
        force=force,
        plugins=named_plugins(plugin),
    )
    with screen.waiting("exporting", in_a_line=True):
        exit_code = show_export(run(request, note=screen.tell), screen)
    raise typer.Exit(exit_code)
