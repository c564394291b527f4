"""The program: its commands in one table, in the order in which ``--help`` shows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final

import typer

from bmtrain.cli.commands.checking import check, schema
from bmtrain.cli.commands.comparison import compare, runs
from bmtrain.cli.commands.conversion import convert
from bmtrain.cli.commands.evaluation import evaluate, predict
from bmtrain.cli.commands.explaining import explain
from bmtrain.cli.commands.exporting import export
from bmtrain.cli.commands.health import doctor
from bmtrain.cli.commands.proofs import reproduce, verify_resume
from bmtrain.cli.commands.reporting import report
from bmtrain.cli.commands.shell import completion
from bmtrain.cli.commands.starting import init
from bmtrain.cli.commands.training import train
from bmtrain.cli.exit_codes import exit_codes
from bmtrain.cli.help import Command, Group, first_steps

COMMANDS: Final[dict[str, Callable[..., Any]]] = {
    "init": init,
    "train": train,
    "eval": evaluate,
    "predict": predict,
    "export": export,
    "explain": explain,
    "check": check,
    "schema": schema,
    "convert": convert,
    "runs": runs,
    "compare": compare,
    "report": report,
    "verify-resume": verify_resume,
    "reproduce": reproduce,
    "doctor": doctor,
    "completion": completion,
}

app = typer.Typer(
    help="One YAML file in, a trained, evaluated and checkpointed Keras model out.",
    epilog=f"{first_steps()}\n\n{exit_codes()}",
    cls=Group,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for _name, _function in COMMANDS.items():
    app.command(_name, cls=Command, epilog=exit_codes(_name))(_function)


def _print_version(asked: bool) -> None:
    if asked:
        from bmtrain.version import __version__

        typer.echo(f"bmtrain {__version__}")
        raise typer.Exit


@app.callback()
def bmtrain(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """One YAML file in, a trained, evaluated and checkpointed Keras model out."""
