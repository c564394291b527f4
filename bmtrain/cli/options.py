"""The arguments and options that commands take, with their help."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from bmtrain.cli import completion
from bmtrain.cli.console import OutputFormat, Screen, in_github_actions
from bmtrain.progress import progress_told_to

if TYPE_CHECKING:
    from bmtrain.config.plugin_tables import Plugins


def no_option(
    value: list[str] | list[Path] | str | Path | None,
) -> list[str] | list[Path] | str | Path | None:
    """Refuse a value that looks like an option: its own value was forgotten before it.

    Raises:
        BadParameter: it begins with a dash (``-`` alone is stdout).
    """
    given = value if isinstance(value, list) else [value or ""]
    for text in map(str, given):
        if text.startswith("-") and text != "-":
            raise typer.BadParameter(f"expected a value, got the option '{text}'")
    return value


def some_path(text: str) -> Path:
    """The path; BadParameter where it is empty, which ``Path`` takes for the current directory.

    ``--run-dir "$DIR"`` with a variable that is not set must not go anywhere.
    """
    if not text.strip():
        raise typer.BadParameter("expected a path, got an empty text; the current directory is '.'")
    return Path(text)


def asked_screen(
    context: typer.Context,
    *,
    json: bool,
    quiet: bool,
    report: OutputFormat | Literal["auto"] = "text",
) -> Screen:
    """The command's screen, set to what its options ask for."""
    screen = context.find_object(Screen)
    assert screen is not None
    if json and report == "github":
        raise typer.BadParameter("give --json or --format github, not both")
    screen.command = context.info_name
    if report == "auto":
        report = "github" if in_github_actions() else "text"
    screen.format = "json" if json else report
    screen.quiet = quiet
    context.with_resource(progress_told_to(screen.show_progress))
    return screen


def named_plugins(paths: list[Path] | None) -> Plugins:
    """What the files add that ``--plugin`` names: the only place from which a plugin comes.

    Raises:
        PluginError: one cannot be loaded.
    """
    from bmtrain.config.plugin_tables import NO_PLUGINS

    if not paths:
        return NO_PLUGINS
    from bmtrain.plugins.loading import load_plugins

    return load_plugins(paths)


ConfigPath = Annotated[
    Path,
    typer.Argument(
        metavar="CONFIG",
        show_default=False,
        help="The experiment, a YAML file.",
        autocompletion=completion.config_or_run,
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="KEY=VALUE",
        show_default=False,
        help="Override the config: optimizer.learning_rate=3e-4 model.layers.1.units=64",
        autocompletion=completion.override,
    ),
]
CheckpointPath = Annotated[
    Path,
    typer.Argument(
        metavar="CHECKPOINT",
        show_default=False,
        help="A run directory, or one checkpoint of it.",
        autocompletion=completion.run_or_checkpoint,
    ),
]
DataFormat = Annotated[
    Literal["auto", "idx", "npz", "npy", "csv", "jsonl", "parquet", "images"],
    typer.Option("--format", help="The format of the data; auto: told from its path."),
]
#: The same where a plugin may have added some.
AnyDataFormat = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="[auto|idx|npz|npy|csv|jsonl|parquet|images]",
        callback=no_option,
        help="The format of the data, or one that a --plugin adds; auto: told from its path.",
    ),
]
IgnoreUnknownColumns = Annotated[
    bool,
    typer.Option(
        "--ignore-unknown-columns",
        help="Let a table have columns that the model does not know. Not needed where the config "
        "chose columns, data.features.",
    ),
]


def data_option(help_text: str) -> Any:
    """``--data PATH``: data of the user's; what for differs by command."""
    return typer.Option(
        "--data", metavar="PATH", parser=some_path, callback=no_option, help=help_text
    )


def output_option(help_text: str, metavar: str = "FILE") -> Any:
    """``-o``: where the result goes."""
    return typer.Option(
        "--output", "-o", metavar=metavar, parser=some_path, callback=no_option, help=help_text
    )


Plugin = Annotated[
    list[Path] | None,
    typer.Option(
        "--plugin",
        metavar="FILE",
        parser=some_path,
        callback=no_option,
        help="A Python file, which is run: it adds layers, losses, metrics, formats or "
        "augmentations. May be repeated.",
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace what is there.")]
TableFormat = Annotated[
    Literal["table", "csv", "markdown", "json"],
    typer.Option("--format", help="csv has figures in full; json: as --json."),
]
Json = Annotated[
    bool, typer.Option("--json", help="Print exactly one JSON document on stdout, on failure too.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say only warnings and errors.")]
QuietButResult = Annotated[
    bool, typer.Option("--quiet", "-q", help="Say only the result, warnings and errors.")
]
ReportFormat = Annotated[
    Literal["auto", "text", "json", "github"],
    typer.Option(
        "--format",
        help="json: as --json. github: errors annotate the config's lines. auto: github in GitHub "
        "Actions, else text.",
    ),
]
Junit = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        parser=some_path,
        callback=no_option,
        help="Write a JUnit report: a case for the training and one for each expectation.",
    ),
]
RunDir = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        parser=some_path,
        callback=no_option,
        help="Where the run goes: absent or empty. Otherwise runs/NAME-TIME-XXXX, in "
        "$BMTRAIN_RUNS if that is set.",
    ),
]
Smoke = Annotated[
    bool,
    typer.Option(
        "--smoke",
        help="A few steps of everything (train, save, kill, go on, evaluate, export); "
        "leaves nothing behind.",
    ),
]
FindLr = Annotated[
    bool,
    typer.Option(
        "--find-lr",
        help="Sweep the learning rate over a few hundred steps and suggest one; leaves nothing "
        "behind.",
    ),
]
Fold = Annotated[
    str | None,
    typer.Option(
        metavar="k/K",
        callback=no_option,
        help="Validate on fold k of K, 2/5 say, and train on the others.",
    ),
]
Folds = Annotated[
    int | None,
    typer.Option(
        metavar="K",
        min=2,
        max=1000,
        show_default=False,
        help="Cross-validate: train K times, each fold held out once; mean and s.d. of all figures.",
    ),
]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume", help="CONFIG is a run directory, or one of --folds: go on with its training."
    ),
]
ResumeIfPossible = Annotated[
    bool,
    typer.Option(
        "--resume-if-possible",
        help="Go on with the run in --run-dir if one began there, else begin it: for schedulers.",
    ),
]
AllowChanged = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KEY",
        callback=no_option,
        autocompletion=completion.config_key,
        help="Go on although KEY (a config key, data.fingerprint, engine.threads ...) is not what "
        "it was; the result then is that of a mixture. May be repeated.",
    ),
]
Expect = Annotated[
    list[str] | None,
    typer.Option(
        metavar="EXPECTATION",
        callback=no_option,
        autocompletion=completion.figure,
        help="As in 'test.accuracy >= 0.97'; a missed one is exit code 4. May be repeated.",
    ),
]
Device = Annotated[
    Literal["auto", "cpu", "gpu"] | None,
    typer.Option(show_default=False, help="auto: a GPU if there is one. Default: the config's."),
]
