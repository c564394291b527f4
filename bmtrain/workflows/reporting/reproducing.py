"""How to train a run again: with nothing but the report, and with the run directory."""

from __future__ import annotations

import shlex
from pathlib import PurePath

from bmtrain.config.resolved import resolved_yaml
from bmtrain.data.bundled import BUNDLED
from bmtrain.pages.content import Block, Code, Section, Words
from bmtrain.program import program
from bmtrain.runs.directory import RunDirectory
from bmtrain.workflows.reporting.background import recorded_plugins
from bmtrain.workflows.reporting.cells import cut, told
from bmtrain.workflows.reporting.reading import ReportedRun, entry


def again_section(run: ReportedRun) -> Section:
    """What it takes, from the install line on."""
    blocks = [*_from_this_page(run), _with_the_directory(run)]
    command = run.recorded("command")
    if isinstance(command, list) and command and all(isinstance(word, str) for word in command):
        text = cut(shlex.join(map(_relative, command)), 2_000)
        blocks.append(Code("The command that trained it, paths cut to their names:", text))
    blocks.append(Words(_same_bits(run)))
    return Section("again", "How to reproduce it", tuple(blocks))


def _from_this_page(run: ReportedRun) -> list[Block]:
    version = told(entry(run.recorded("environment"), "packages", "bmtrain-keras"))
    plugins = _plugins(run)
    source = run.run.experiment.data.source
    if source in BUNDLED:
        data = "The data comes with bmtrain: nothing has to be fetched."
    else:
        data = (
            f"The data, {cut(source)}, is not part of this page: put it somewhere and its path into "
            "data.source."
        )
    if plugins:
        data += " The plugins (Python files) that the commands name are needed, too."
    return [
        Words(
            "bmtrain is a command-line program that trains Keras models from a YAML file; the "
            f"distribution is called bmtrain-keras, and version {version} trained this model. {data}"
        ),
        Code(
            f"1. Ask whoever gave you this page for the source of bmtrain {version} (no address of it "
            "is recorded), and install it from there, with Python 3.11 to 3.13:",
            "pip install .",
        ),
        Code(
            "2. Save this as config.yaml: all settings, overrides and defaults written out",
            resolved_yaml(run.run.experiment),
            folded=True,
        ),
        Code("3. Train:", f"{program()} train config.yaml{plugins}"),
    ]


def _with_the_directory(run: ReportedRun) -> Code:
    path, name, plugins = shlex.quote(str(run.path)), program(), _plugins(run)
    config = shlex.quote(str(RunDirectory(run.path).config))
    lines = [
        "# Train it again, and compare every bit:",
        f"{name} reproduce {path}{plugins}",
        "# The same experiment, into a directory of its own:",
        f"{name} train {config}{plugins}",
        "# What it says of other examples:",
        f"{name} predict {path} INPUT{plugins}",
        "# What it looks at:",
        f"{name} explain {path}{plugins}",
    ]
    return Code("Whoever has the run directory needs no copy of the config:", "\n".join(lines))


def _plugins(run: ReportedRun) -> str:
    return "".join(f" --plugin {shlex.quote(file)}" for file, _ in recorded_plugins(run))


def _relative(word: str) -> str:
    """A path of another machine says nothing but its name."""
    return PurePath(word).name or word if PurePath(word).is_absolute() else word


def _same_bits(run: ReportedRun) -> str:
    data = told(run.recorded("data", "fingerprint"))
    tensorflow = told(entry(run.recorded("environment"), "packages", "tensorflow"))
    engine = [told(run.recorded("engine", key)) for key in ("processor", "threads", "mode")]
    return (
        f"The same bits need the same data (fingerprint {data[:16]}…), TensorFlow {tensorflow}, "
        f"the same kind of processor ({engine[0]}) and what was chosen there: append "
        f"training.threads={engine[1]} training.engine={engine[2]} to the command. Elsewhere the "
        "figures come out alike, as a rule well within their intervals, not the bits."
    )
