"""What the command line says of itself."""

import re

import pytest

from bmtrain.cli.app import COMMANDS


def test_help_lists_the_exit_codes(bmtrain):
    ended = bmtrain("--help")
    assert ended.exit_code == 0
    for code in ("0  ", "1  ", "2  ", "3  ", "4  ", "5  ", "6  ", "7  ", "129 130 143"):
        assert f"\n    {code}" in ended.out


@pytest.mark.parametrize(
    ("command", "codes"),
    [
        ("train", ["0", "1", "2", "3", "4", "5", "6", "7", "129 130 143"]),
        ("eval", ["0", "1", "2", "3", "6", "7", "129 130 143"]),
        ("predict", ["0", "1", "2", "3", "6", "7", "129 130 143"]),
        ("export", ["0", "1", "2", "3", "4", "6", "7", "129 130 143"]),
        ("explain", ["0", "1", "2", "3", "6", "7", "129 130 143"]),
        ("convert", ["0", "1", "2", "3", "6", "129 130 143"]),
        ("check", ["0", "1", "2", "3", "5", "6", "129 130 143"]),
        ("schema", ["0", "1", "2", "6", "129 130 143"]),
        ("init", ["0", "1", "2", "3", "6", "129 130 143"]),
        ("runs", ["0", "1", "2", "6", "129 130 143"]),
        ("compare", ["0", "1", "2", "3", "6", "7", "129 130 143"]),
        ("report", ["0", "1", "2", "3", "6", "7", "129 130 143"]),
    ],
)
def test_a_command_lists_the_exit_codes_that_it_has(bmtrain, monkeypatch, command, codes):
    monkeypatch.setenv("COLUMNS", "100")
    out = bmtrain(command, "--help").out
    listed = out.partition("Exit codes:\n")[2].splitlines()
    assert [code for line in listed if (code := line[:15].strip())] == codes
    assert ("a resume was refused" in " ".join(out.split())) == (command == "train")


@pytest.mark.parametrize(
    "command",
    [
        "init",
        "train",
        "eval",
        "predict",
        "export",
        "explain",
        "check",
        "schema",
        "convert",
        "runs",
        "compare",
        "report",
    ],
)
def test_every_command_has_help_and_the_same_options(bmtrain, command):
    ended = bmtrain(command, "--help")
    assert ended.exit_code == 0
    assert "--json" in ended.out
    assert "--quiet" in ended.out


def test_nothing_asked_is_the_help_and_no_success(bmtrain):
    ended = bmtrain()
    assert ended.exit_code == 2
    assert "Commands:" in ended.out


def test_the_version_is_printed(bmtrain):
    from bmtrain import __version__

    assert bmtrain("--version").out == f"bmtrain {__version__}\n"


@pytest.mark.parametrize("command", [*COMMANDS])
@pytest.mark.parametrize("columns", ["40", "80"])
def test_help_names_arguments_and_no_types_of_python(bmtrain, monkeypatch, command, columns):
    monkeypatch.setenv("COLUMNS", columns)
    out = bmtrain(command, "--help").out
    assert not re.search(r"[{}]|<(path|str|int|float|list)\b", out)


def test_help_keeps_each_argument_beside_what_it_is(bmtrain, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = bmtrain("predict", "--help").out.splitlines()
    assert lines[0] == "Usage: bmtrain predict [OPTIONS] CHECKPOINT INPUT..."
    assert "  CHECKPOINT  A run directory, or one checkpoint of it.  [required]" in lines
    assert any(line.startswith("  INPUT       Examples, labels not needed") for line in lines)


def test_help_shows_the_way_from_a_table_to_predictions_by_commands_that_are_there(
    bmtrain, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "80")
    steps = bmtrain("--help").out.partition("of your own:\n")[2].partition("\n\n")[0]
    verbs = [line.split()[1] for line in steps.splitlines()]
    assert verbs == ["init", "check", "train", "compare", "export", "predict"]
    assert set(verbs) <= set(COMMANDS)


@pytest.mark.parametrize("command", ["eval", "predict", "explain", "runs", "compare", "report"])
def test_help_says_that_quiet_leaves_what_was_asked_for(bmtrain, monkeypatch, command):
    monkeypatch.setenv("COLUMNS", "100")
    assert "Say only the result, warnings and errors." in bmtrain(command, "--help").out
