"""``eval`` and ``predict``: what a checkpoint is worth, and what it says."""

# ruff: noqa: PLR0913  # a command has as many parameters as it has options

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from bmtrain.cli.options import (
    AnyDataFormat,
    CheckpointPath,
    IgnoreUnknownColumns,
    Json,
    Plugin,
    QuietButResult,
    asked_screen,
    data_option,
    named_plugins,
    output_option,
)


def evaluate(
    context: typer.Context,
    checkpoint: CheckpointPath,
    *,
    split: Annotated[
        Literal["train", "validation", "test"] | None,
        typer.Option(
            show_default=False,
            help="Of the data it was trained on. Default: test, or else validation, or else train.",
        ),
    ] = None,
    data: Annotated[
        Path | None,
        data_option("Other data, with labels, instead of a split; a checkpoint alone needs it."),
    ] = None,
    data_format: AnyDataFormat = "auto",
    ignore_unknown_columns: IgnoreUnknownColumns = False,
    plugin: Plugin = None,
    json: Json = False,
    quiet: QuietButResult = False,
) -> None:
    """Evaluate CHECKPOINT on a split or on other data."""
    from bmtrain.cli.rendering.evaluation import show_evaluation
    from bmtrain.workflows.evaluate import EvaluateRequest
    from bmtrain.workflows.evaluate import evaluate as run

    screen = asked_screen(context, json=json, quiet=quiet)
    request = EvaluateRequest(
        checkpoint=checkpoint,
        split=split,
        data=data,
        format=data_format,
        ignore_unknown_columns=ignore_unknown_columns,
        plugins=named_plugins(plugin),
    )
    with screen.waiting("evaluating", in_a_line=True):
        document = run(request, note=screen.tell)
    show_evaluation(document, screen)


def predict(
    context: typer.Context,
    checkpoint: CheckpointPath,
    inputs: Annotated[
        list[Path],
        typer.Argument(
            metavar="INPUT",
            show_default=False,
            readable=False,  # whoever reads it says so, with the exit code of data
            help="Examples, labels not needed: files, directories of them, or - for stdin.",
        ),
    ],
    *,
    output: Annotated[
        Path | None, output_option("A .csv, .jsonl or .npz file. Without it: CSV on stdout.")
    ] = None,
    top: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="K",
            show_default=False,
            help="The K likeliest classes with their probabilities, instead of every class.",
        ),
    ] = None,
    data_format: AnyDataFormat = "auto",
    ignore_unknown_columns: IgnoreUnknownColumns = False,
    plugin: Plugin = None,
    json: Json = False,
    quiet: QuietButResult = False,
) -> None:
    """Predict each example of INPUT with CHECKPOINT."""
    from bmtrain.cli.rendering.prediction_files import Destination
    from bmtrain.workflows.predict import PredictRequest
    from bmtrain.workflows.predict import predict as run

    screen = asked_screen(context, json=json, quiet=quiet)
    destination = Destination.checked(output, inputs)
    request = PredictRequest(
        checkpoint=checkpoint,
        inputs=tuple(inputs),
        format=data_format,
        top=top,
        ignore_unknown_columns=ignore_unknown_columns,
        plugins=named_plugins(plugin),
    )
    with screen.waiting("predicting", in_a_line=True):
        destination.deliver(run(request), top, screen)
