"""The commands and their options: each parses, calls its workflow and shows what comes."""

# A command imports its workflow when it is called: --help stays quick.
# ruff: noqa: PLR0913  # a command has as many parameters as it has options

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from bmtrain.cli.console import OutputFormat, Screen
from bmtrain.cli.help import Command, Group, exit_codes
from bmtrain.cli.options import (
    AllowChanged,
    CheckpointPath,
    ConfigPath,
    DataFormat,
    Device,
    Expect,
    Json,
    Overrides,
    Quiet,
    ReportFormat,
    Resume,
    ResumeIfPossible,
    RunDir,
    no_option,
    some_path,
)

STYLE = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(
    help="One YAML file in, a trained, evaluated and checkpointed Keras model out.",
    epilog=exit_codes(),
    cls=Group,
    context_settings=STYLE,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_version(asked: bool) -> None:
    if asked:
        from bmtrain import __version__

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


def asked_screen(
    context: typer.Context, *, json: bool, quiet: bool, report: OutputFormat = "text"
) -> Screen:
    """The command's screen, set to what its options ask for."""
    screen = context.find_object(Screen)
    assert screen is not None
    if json and report == "github":
        raise typer.BadParameter("give --json or --format github, not both")
    screen.command = context.info_name
    screen.format = "json" if json else report
    screen.quiet = quiet
    return screen


def _start(*, resume: bool, if_possible: bool) -> Literal["new", "resume", "if_possible"]:
    if resume and if_possible:
        raise typer.BadParameter("give --resume or --resume-if-possible, not both")
    return "resume" if resume else "if_possible" if if_possible else "new"


@app.command(cls=Command, epilog=exit_codes("train"))
def train(
    context: typer.Context,
    config: ConfigPath,
    overrides: Overrides = None,
    *,
    run_dir: RunDir = None,
    resume: Resume = False,
    resume_if_possible: ResumeIfPossible = False,
    allow_changed: AllowChanged = None,
    expect: Expect = None,
    device: Device = None,
    report: ReportFormat = "text",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train the experiment of CONFIG, evaluate and save it; or go on with an interrupted run."""
    from bmtrain.cli.render_train import show_training
    from bmtrain.workflows.train import TrainRequest
    from bmtrain.workflows.train import train as run

    screen = asked_screen(context, json=json, quiet=quiet, report=report)
    request = TrainRequest(
        config=config,
        overrides=tuple(overrides or ()),
        run_dir=run_dir,
        expectations=tuple(expect or ()),
        device=device,
        start=_start(resume=resume, if_possible=resume_if_possible),
        allow_changed=tuple(allow_changed or ()),
    )
    raise typer.Exit(show_training(run(request), screen))


@app.command("eval", cls=Command, epilog=exit_codes("eval"))
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
        typer.Option(
            metavar="PATH",
            parser=some_path,
            callback=no_option,
            help="Other data, with labels, instead of a split; a checkpoint alone needs it.",
        ),
    ] = None,
    data_format: DataFormat = "auto",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Evaluate CHECKPOINT on a split or on other data."""
    from bmtrain.cli.render_eval import show_evaluation
    from bmtrain.workflows.evaluate import EvaluateRequest
    from bmtrain.workflows.evaluate import evaluate as run

    screen = asked_screen(context, json=json, quiet=quiet)
    request = EvaluateRequest(checkpoint=checkpoint, split=split, data=data, format=data_format)
    with screen.waiting("evaluating"):
        document = run(request, note=screen.tell)
    show_evaluation(document, screen)


@app.command(cls=Command, epilog=exit_codes("predict"))
def predict(
    context: typer.Context,
    checkpoint: CheckpointPath,
    input_path: Annotated[
        Path,
        typer.Argument(metavar="INPUT", show_default=False, help="Examples, labels not needed."),
    ],
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            parser=some_path,
            callback=no_option,
            help="A .csv, .jsonl or .npz file. Without it: CSV on stdout.",
        ),
    ] = None,
    data_format: DataFormat = "auto",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Predict each example of INPUT with CHECKPOINT."""
    from bmtrain.cli.prediction_files import Destination
    from bmtrain.workflows.predict import PredictRequest
    from bmtrain.workflows.predict import predict as run

    screen = asked_screen(context, json=json, quiet=quiet)
    destination = Destination.checked(output, input_path)
    request = PredictRequest(checkpoint=checkpoint, input=input_path, format=data_format)
    with screen.waiting("predicting"):
        predictions = run(request)
    destination.deliver(predictions, screen)


@app.command(cls=Command, epilog=exit_codes("check"))
def check(
    context: typer.Context,
    config: ConfigPath,
    overrides: Overrides = None,
    *,
    report: ReportFormat = "text",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Check CONFIG and its data; train nothing."""
    from bmtrain.cli.render_check import show_check
    from bmtrain.workflows.check import CheckRequest
    from bmtrain.workflows.check import check as run

    screen = asked_screen(context, json=json, quiet=quiet, report=report)
    request = CheckRequest(config=config, overrides=tuple(overrides or ()))
    raise typer.Exit(show_check(run(request), screen))


@app.command(cls=Command, epilog=exit_codes("schema"))
def schema(context: typer.Context, *, json: Json = False, quiet: Quiet = False) -> None:
    """Print the JSON Schema of the config, for editors."""
    from bmtrain.cli.documents import json_text
    from bmtrain.config.json_schema import json_schema

    screen = asked_screen(context, json=json, quiet=quiet)
    screen.out.line(json_text(json_schema()))
