"""Narrow terminals: nothing is broken in the middle of a word, and nothing is lost."""

import io

import pytest

from bmtrain.cli.rendering.diagnostics import show_diagnostic
from bmtrain.cli.stream import Stream
from bmtrain.cli.typesetting import columns, with_whole_commands
from bmtrain.errors import Diagnostic

LONG = "configs/experiments/of-mine/smoke.yaml"


def assert_fits(shown, width, indent=2):
    """A line is longer than the terminal only for a word that does not fit behind the indent."""
    for line in shown.splitlines():
        words = with_whole_commands(line).split()
        assert columns(line) <= width or max(map(columns, words)) + indent > width, line


@pytest.mark.parametrize("width", [20, 40, 80])
@pytest.mark.parametrize(
    ("scenario", "arguments"),
    [
        ("done", ["train", LONG]),
        ("best", ["train", LONG]),
        ("missed", ["train", LONG]),
        ("missed", ["train", LONG, "--quiet"]),
        ("penalty", ["train", LONG]),
        ("stopped", ["train", LONG]),
        ("config", ["train", LONG]),
        ("data", ["train", LONG]),
        ("diverged", ["train", LONG]),
        ("interrupted", ["train", LONG]),
        ("full", ["train", LONG]),
        ("done", ["train", "--device", "tpu"]),
        ("done", ["eval", "run"]),
        ("skipped", ["eval", "run"]),
        ("perfect", ["eval", "run"]),
        ("regression", ["eval", "run"]),
        ("findings", ["check", LONG]),
        ("all of check", ["check", LONG, "--show-origin"]),
        ("stopped check", ["check", LONG]),
        *(("done", [*command, "--help"]) for command in
          ([], ["train"], ["eval"], ["predict"], ["export"], ["check"], ["schema"], ["runs"], ["compare"],
           ["report"])),
        ("done", ["export", "run", "--to", "onnx"]),
        ("differs", ["export", "run", "--to", "onnx"]),
    ],
)  # fmt: skip
def test_lines_are_broken_at_blanks(bmtrain, monkeypatch, scenario, arguments, width):
    monkeypatch.setattr("bmtrain.cli.stream._is_terminal", lambda file: True)
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", str(width))
    ended = bmtrain(*arguments, scenario=scenario)
    assert ended.out + ended.err
    assert_fits(ended.out, width, indent=6 if "--help" in arguments else 2)
    assert_fits(ended.err, width)


@pytest.mark.parametrize("length", range(20, 90))
def test_a_long_path_breaks_no_word_behind_it(monkeypatch, length):
    """Whatever its length: the terminal breaks the path, at 40 columns, and nothing else."""
    monkeypatch.setattr("bmtrain.cli.stream._is_terminal", lambda file: True)
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "40")
    path = f"/{'p' * length}/c.yaml"
    diagnostic = Diagnostic(path, "expected an integer >= 1, got 'five'", "epochs", 9, 14)
    shown = io.StringIO()
    show_diagnostic(diagnostic, Stream(shown))
    screen = [line[at : at + 40] for line in shown.getvalue().splitlines()
              for at in range(0, max(len(line), 1), 40)]  # fmt: skip
    whole = f"{path}:9:14:"
    assert whole in "".join(screen)
    rest = "\n".join(screen).replace("\n", "", (len(whole) - 1) // 40).replace(whole, "")
    assert rest.split() == [
        "error:",
        "epochs:",
        "expected",
        "an",
        "integer",
        ">=",
        "1,",
        "got",
        "'five'",
    ]


def test_a_real_terminal_is_asked_for_its_width(terminal):
    shown = terminal("done", "train", "mnist.yaml", columns=20, TERM="dumb").out
    assert "1/2  loss 0.2610\r\n" in shown
    assert "training  2 epochs,\r\n  batches of 32\r\n" in shown
    assert "bmtrain eval runs/mnist-1\r\n" in shown
    assert_fits(shown, 20)


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["train"],
        ["eval"],
        ["predict"],
        ["export"],
        ["check"],
        ["schema"],
        ["runs"],
        ["compare"],
        ["report"],
    ],
)
def test_help_can_be_read_in_ascii(bmtrain, command):
    assert bmtrain(*command, "--help").out.isascii()
