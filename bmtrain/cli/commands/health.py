"""``doctor``: is this machine fit to train."""

from __future__ import annotations

from typing import Annotated

import typer

from bmtrain.cli.options import Json, Quiet, asked_screen
from bmtrain.cli.stream import ASCII


def doctor(
    context: typer.Context,
    *,
    quick: Annotated[
        bool, typer.Option("--quick", help="Leave the training out.", show_default=False)
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Tell whether this machine is fit to train, and what to do if not; paste --json into an issue.

    Versions, processor, memory, GPU, disk, caches, locale, terminal; another package named
    bmtrain; two epochs trained, and their speed against what such a processor should reach.
    """
    from bmtrain.cli.rendering.doctor import show_diagnosis
    from bmtrain.workflows.diagnosis.surroundings import Terminal
    from bmtrain.workflows.doctor import DoctorRequest
    from bmtrain.workflows.doctor import doctor as run

    screen = asked_screen(context, json=json, quiet=quiet)
    terminal = Terminal(
        is_terminal=screen.out.is_terminal,
        columns=screen.out.width,
        has_color=screen.out.has_color,
        is_ascii=screen.out.symbols is ASCII,
    )
    request = DoctorRequest(terminal=terminal, quick=quick)
    raise typer.Exit(show_diagnosis(run(request), screen, quick=quick))
