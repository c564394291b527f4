"""``completion``: the shell's own part of completing what is typed."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from bmtrain.cli.options import Json, QuietButResult, asked_screen


def completion(
    context: typer.Context,
    shell: Annotated[
        Literal["bash", "zsh", "fish"],
        typer.Argument(metavar="SHELL", show_default=False, help="bash, zsh or fish."),
    ],
    *,
    json: Json = False,
    quiet: QuietButResult = False,
) -> None:
    """Print what SHELL must read to complete configs, runs, keys and figures.

    bash and zsh: eval "$(bmtrain completion bash)" in ~/.bashrc or ~/.zshrc (there after
    compinit). fish: bmtrain completion fish > ~/.config/fish/completions/bmtrain.fish
    """
    from bmtrain.cli.completion import script
    from bmtrain.cli.rendering.documents import json_text

    screen = asked_screen(context, json=json, quiet=quiet)
    text = script(shell)
    if screen.is_json:
        document = {"schema_version": 1, "status": "completed", "exit_code": 0, "error": None}
        screen.out.line(json_text({**document, "shell": shell, "script": text}))
    else:
        screen.out.line(text)
