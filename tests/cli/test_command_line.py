"""Command lines that are wrong, or cannot be meant as they are typed."""

import json
from pathlib import Path

import pytest


def test_a_wrong_command_line_is_told_in_two_lines(bmtrain):
    ended = bmtrain("train")
    assert ended.exit_code == 2
    assert ended.err == "error: Missing argument 'CONFIG'.\nhint: try `bmtrain train --help`\n"


@pytest.mark.parametrize("words", [("train", "x.yaml", "--plugin"), ("check", "--run-dir")])
def test_the_hint_names_the_command_whose_option_is_wrong(bmtrain, words):
    ended = bmtrain(*words)
    assert ended.exit_code == 2
    assert ended.err.endswith(f"hint: try `bmtrain {words[0]} --help`\n")


@pytest.mark.parametrize("command", ["runs", "compare", "init"])
def test_a_command_that_loads_no_plugin_says_that_it_needs_none(bmtrain, command):
    ended = bmtrain(command, "--plugin", "x.py")
    assert ended.exit_code == 2
    hint = "hint: leave it out: this command runs no plugin, and needs none\n"
    assert ended.err == f"error: No such option: --plugin\n{hint}"


def test_arguments_that_no_command_takes_are_told(bmtrain):
    ended = bmtrain("eval", "a", "b", "c")
    assert ended.exit_code == 2
    first = ended.err.splitlines()[0]
    assert first == "error: there are more arguments than the command takes: b c"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--json", "train"],
        ["train", "--json"],
        ["train", "x.yaml", "--json", "--device", "tpu"],
        ["train", "x.yaml", "--format", "json", "--jsno"],
        ["check", "--format=json"],
        ["eval", "run", "--split", "all", "--json"],
        ["predict", "--json"],
        ["trian", "--json"],
    ],
)
def test_a_wrong_command_line_is_json_if_json_was_asked_for(bmtrain, arguments):
    ended = bmtrain(*arguments)
    document = json.loads(ended.out)
    assert (ended.exit_code, document["exit_code"]) == (2, 2)
    assert document["error"]["code"] == "usage"


def test_json_after_two_dashes_is_an_argument(bmtrain):
    assert bmtrain("train", "--nonsense", "--", "--json").out == ""


@pytest.mark.parametrize(
    ("arguments", "option", "got"),
    [
        (["train", "x.yaml", "--expect", "--quiet"], "--expect", "--quiet"),
        (["train", "x.yaml", "--expect", "test.loss < 1", "--expect", "-q"], "--expect", "-q"),
        (["train", "x.yaml", "--run-dir", "--resume-if-possible"], "--run-dir",
         "--resume-if-possible"),
        (["train", "x.yaml", "--allow-changed", "--resume"], "--allow-changed", "--resume"),
        (["eval", "run", "--data", "--quiet"], "--data", "--quiet"),
        (["predict", "run", "x.csv", "-o", "--quiet"], "--output", "--quiet"),
    ],
)  # fmt: skip
def test_an_option_is_not_the_value_of_the_one_before_it(bmtrain, requests, arguments, option, got):
    ended = bmtrain(*arguments)
    assert ended.exit_code == 2
    assert option in ended.err
    assert f"expected a value, got the option '{got}'" in ended.err
    assert requests == [[]]


@pytest.mark.parametrize("text", ["", "  "])
@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "x.yaml", "--run-dir"],
        ["reproduce", "run", "--run-dir"],
        ["eval", "run", "--data"],
        ["predict", "run", "x.csv", "--output"],
    ],
)
def test_an_empty_path_is_not_the_current_directory(bmtrain, requests, arguments, text):
    ended = bmtrain(*arguments, text)
    assert ended.exit_code == 2
    assert arguments[-1] in ended.err
    assert "expected a path, got an empty text" in ended.err
    assert requests == [[]]


def test_the_current_directory_can_be_named(bmtrain, requests):
    assert bmtrain("train", "x.yaml", "--run-dir", ".").exit_code == 0
    assert requests[0][0].run_dir == Path()


def test_a_forgotten_expectation_is_told_in_json_if_json_was_asked_for(bmtrain):
    document = json.loads(bmtrain("train", "x.yaml", "--expect", "--json").out)
    assert document["exit_code"] == 2
    assert document["error"]["message"].endswith("expected a value, got the option '--json'")


def test_a_dash_alone_is_stdout(bmtrain):
    assert bmtrain("predict", "run", "x.csv", "-o", "-").exit_code == 0


@pytest.mark.parametrize("command", ["train", "check"])
def test_two_formats_at_once_are_refused(bmtrain, requests, command):
    ended = bmtrain(command, "x.yaml", "--json", "--format", "github")
    assert ended.exit_code == json.loads(ended.out)["exit_code"] == 2
    assert "not both" in ended.err
    assert requests == [[]]
    assert bmtrain(command, "x.yaml", "--json", "--format", "json").exit_code == 0


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        (["--epochs", "5"], "training.epochs=VALUE"),
        (["--epoch", "5"], "training.epochs=VALUE"),
        (["--batch-size=8"], "training.batch_size=VALUE"),
        (["--seed", "1"], "seed=VALUE"),
    ],
)
def test_a_setting_typed_as_an_option_is_told_as_the_override_that_it_is(bmtrain, typed, keys):
    ended = bmtrain("train", "x.yaml", *typed)
    assert ended.exit_code == 2
    assert ended.err == (
        f"error: No such option: {typed[0].partition('=')[0]}\n"
        f"hint: settings of the config take no dashes: {keys}\n"
    )


def test_a_command_without_overrides_offers_none(bmtrain):
    ended = bmtrain("eval", "run", "--epochs", "5")
    assert ended.err == "error: No such option: --epochs\nhint: try `bmtrain eval --help`\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "x.yaml", "--jsn"], "No such option: --jsn; did you mean '--json'?"),
        (
            ["export", "run"],
            "Missing option '--to'. Choose from: savedmodel, keras, onnx, litert, safetensors",
        ),
        (
            ["completion", "bsh"],
            "Invalid value for 'SHELL': 'bsh' is not one of 'bash', 'zsh', 'fish'; did you mean 'bash'?",
        ),
        (
            ["completion", "tcsh"],
            "Invalid value for 'SHELL': 'tcsh' is not one of 'bash', 'zsh', 'fish'",
        ),
        (
            ["predict", "run", "x.csv", "--top", "0"],
            "Invalid value for '--top': expected a number >= 1",
        ),
        (
            ["predict", "run", "x.csv", "--top", "x"],
            "Invalid value for '--top': expected an integer",
        ),
    ],
)
def test_a_wrong_word_is_told_in_one_line_with_the_nearest_right_one(bmtrain, arguments, message):
    ended = bmtrain(*arguments)
    assert ended.exit_code == 2
    assert ended.err == f"error: {message}\nhint: try `bmtrain {arguments[0]} --help`\n"
