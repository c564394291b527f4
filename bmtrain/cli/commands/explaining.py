"""``explain``: what a checkpoint's model looks at."""

# ruff: noqa: PLR0913  # a command has as many parameters as it has options

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from bmtrain.cli.options import (
    CheckpointPath,
    DataFormat,
    Force,
    IgnoreUnknownColumns,
    Json,
    Plugin,
    QuietButResult,
    asked_screen,
    data_option,
    named_plugins,
    no_option,
    output_option,
)


class ExplainMethod(StrEnum):
    """What ``--method`` takes; Typer repeats no Literal."""

    INTEGRATED_GRADIENTS = "integrated_gradients"
    OCCLUSION = "occlusion"
    PERMUTATION = "permutation"
    WEIGHTS = "weights"


Methods = Annotated[
    list[ExplainMethod] | None,
    typer.Option(
        "--method",
        metavar="METHOD",
        show_default=False,
        help="integrated_gradients or occlusion of each example; permutation importance of each "
        "column of a table; the first layer's weights. May be repeated. Default: what suits the "
        "data.",
    ),
]
Split = Annotated[
    Literal["train", "validation", "test"] | None,
    typer.Option(
        show_default=False,
        help="Of the data it was trained on. Default: test, or else validation, or else train.",
    ),
]
Data = Annotated[
    Path | None,
    data_option(
        "Other examples instead of a split; a checkpoint alone needs it. Labels are read for "
        "--worst and --method permutation."
    ),
]
Numbers = Annotated[
    str | None,
    typer.Option(
        metavar="N,N,…",
        show_default=False,
        callback=no_option,
        help="Which examples, counted from 0: 0,5,17. Default: the first five.",
    ),
]
Worst = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=100,
        metavar="N",
        show_default=False,
        help="The N examples of the largest loss instead.",
    ),
]
Target = Annotated[
    str | None,
    typer.Option(
        metavar="CLASS",
        show_default=False,
        callback=no_option,
        help="What is explained: a class by name or number, a target by number. Default: the class "
        "that is predicted; of several targets the first.",
    ),
]
Repeats = Annotated[
    int, typer.Option(min=1, max=1000, metavar="K", help="Permutations of each column.")
]
Output = Annotated[
    Path | None,
    output_option(
        "Where everything goes. Default: explanations in the run; of a checkpoint here, "
        "NAME-explanations.",
        metavar="DIR",
    ),
]


def explain(
    context: typer.Context,
    checkpoint: CheckpointPath,
    *,
    split: Split = None,
    data: Data = None,
    data_format: DataFormat = "auto",
    ignore_unknown_columns: IgnoreUnknownColumns = False,
    examples: Numbers = None,
    worst: Worst = None,
    target: Target = None,
    method: Methods = None,
    repeats: Repeats = 10,
    output: Output = None,
    plugin: Plugin = None,
    force: Force = False,
    json: Json = False,
    quiet: QuietButResult = False,
) -> None:
    """Show what CHECKPOINT looks at: in single examples, and as a whole.

    Writes an HTML page, a JSON document and, of pictures, PNGs.
    """
    from bmtrain.cli.rendering.explaining import show_explanations
    from bmtrain.workflows.explain import explain as run
    from bmtrain.workflows.explaining.request import ExplainRequest, numbers_in

    screen = asked_screen(context, json=json, quiet=quiet)
    request = ExplainRequest(
        checkpoint=checkpoint,
        split=split,
        data=data,
        format=data_format,
        ignore_unknown_columns=ignore_unknown_columns,
        examples=None if examples is None else numbers_in(examples),
        worst=worst,
        target=target,
        methods=tuple(dict.fromkeys(chosen.value for chosen in method or ())),
        repeats=repeats,
        output=output,
        force=force,
        plugins=named_plugins(plugin),
    )
    with screen.waiting("explaining", in_a_line=True):
        document = run(request, note=screen.tell)
    show_explanations(document, screen)
