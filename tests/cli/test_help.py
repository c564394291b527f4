"""What the command line says of itself."""

import pytest


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
        ("check", ["0", "1", "2", "3", "5", "6", "129 130 143"]),
        ("schema", ["0", "1", "2", "6", "129 130 143"]),
        ("init", ["0", "1", "2", "3", "6", "129 130 143"]),
        ("runs", ["0", "1", "2", "6", "129 130 143"]),
        ("compare", ["0", "1", "2", "3", "6", "7", "129 130 143"]),
    ],
)
def test_a_command_lists_the_exit_codes_that_it_has(bmtrain, monkeypatch, command, codes):
    monkeypatch.setenv("COLUMNS", "100")
    out = bmtrain(command, "--help").out
    listed = out.partition("Exit codes:\n")[2].splitlines()
    assert [code for line in listed if (code := line[:15].strip())] == codes
    assert ("a resume was refused" in " ".join(out.split())) == (command == "train")


@pytest.mark.parametrize(
    "command", ["init", "train", "eval", "predict", "export", "check", "schema", "runs", "compare"]
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
