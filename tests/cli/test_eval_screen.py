"""What eval shows."""

import io
import json

import pytest

from bmtrain.cli.console import Screen
from bmtrain.cli.rendering.evaluation import show_evaluation
from bmtrain.cli.stream import Stream


def test_eval_shows_metrics_classes_and_the_confusion_matrix(bmtrain, requests, fake):
    ended = bmtrain("eval", "runs/mnist-1", "--data", "x.csv", "--format", "csv")
    assert (
        ended.out
        == """\
checkpoint  runs/mnist-1/checkpoints/step-00009375
split       test, 10,000 examples

loss      0.0786
accuracy  0.9752

class  precision  recall      f1  support
0         0.9000  0.8000  0.8500      980
1         0.9000  0.8000  0.8501      980
2         0.9000  0.8000  0.8502      980

confusion matrix: a row per true class, a column per predicted one
true  0  1  2
0     .  1  .
1     1  2  3
2     .  3  4
"""
    )
    assert requests[0] == [
        fake.EvaluateRequest(fake.Path("runs/mnist-1"), None, fake.Path("x.csv"), "csv", False)
    ]


def test_eval_json_is_the_workflows_document(bmtrain, fake):
    assert json.loads(bmtrain("eval", "run", "--json").out) == fake.evaluation(3)


def test_a_class_name_as_long_as_a_file_is_not_shown_whole(fake):
    document = fake.evaluation(3)
    document["class_names"][0] = document["per_class"][0]["class"] = "x" * 100_000
    out = io.StringIO()
    show_evaluation(document, Screen(Stream(out, must_arrive=True), Stream(io.StringIO())))
    assert "x" * 79 + "…" in out.getvalue()
    assert len(out.getvalue()) < 3000


def test_a_figure_that_is_not_defined_is_a_dash(bmtrain, monkeypatch):
    assert (
        "\n0              –       –       –        0\n"
        in bmtrain("eval", "run", scenario="undefined").out
    )
    document = json.loads(bmtrain("eval", "run", "--json", scenario="undefined").out)
    assert document["per_class"][0]["f1"] is None
    monkeypatch.setenv("LC_ALL", "C")
    assert (
        "\n0              -       -       -        0\n"
        in bmtrain("eval", "run", scenario="undefined").out
    )


def test_classes_without_an_f1_are_not_the_worst(bmtrain, monkeypatch):
    monkeypatch.setenv("CLASSES", "30")
    out = bmtrain("eval", "run", scenario="undefined").out
    assert "–" not in out
    assert "\n1   " in out
    assert "\n20  " in out
    assert "\n21  " not in out


def test_many_classes_show_the_worst_and_the_most_confused(bmtrain, monkeypatch):
    monkeypatch.setenv("CLASSES", "30")
    out = bmtrain("eval", "run").out
    assert "the 20 lowest f1 of 30 classes (--json: all)" in out
    assert "\n20  " not in out
    lines = out.splitlines()
    assert lines[lines.index("true  predicted  count") + 1].split() == ["28", "29", "57"]
    assert len(lines) - lines.index("true  predicted  count") == 11


def test_a_matrix_that_does_not_fit_becomes_a_list(bmtrain, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    out = bmtrain("eval", "run").out
    assert "  precision 0.9000\n" in out  # the table of classes, in blocks
    monkeypatch.setenv("CLASSES", "10")
    assert "true predicted" in bmtrain("eval", "run").out


def test_a_perfect_matrix_that_does_not_fit_is_a_sentence(bmtrain, monkeypatch):
    monkeypatch.setenv("CLASSES", "25")
    assert "no class was taken for another" in bmtrain("eval", "run", scenario="perfect").out


def test_outputs_beyond_the_classes_have_a_row_and_a_column(bmtrain):
    out = bmtrain("eval", "run", scenario="more outputs").out
    assert "true      0  1  2  output 3\n" in out


def test_eval_of_a_regression_has_metrics_alone(bmtrain):
    out = bmtrain("eval", "run", scenario="regression").out
    assert out.endswith("\nloss                0.5000\nmean_squared_error  0.5000\n")


@pytest.mark.parametrize(
    ("arguments", "is_told"), [([], True), (["--json"], True), (["-q"], False)]
)
def test_what_the_workflow_is_about_to_read_is_told_on_stderr(bmtrain, arguments, is_told):
    ended = bmtrain("eval", "run", *arguments, scenario="recorded data")
    line = "reading the data that the run recorded: /data/\\x1b[31mx.csv\n"
    assert ended.err.removeprefix("evaluating…\n") == (line if is_told else "")


def test_on_a_terminal_it_stays_above_what_is_shown_for_now(terminal):
    shown = terminal("recorded data", "eval", "run").out
    before, after = shown.split("reading the data that the run recorded")
    assert "evaluating" in before
    assert "evaluating" in after


@pytest.mark.parametrize("arguments", [[], ["--quiet"], ["--json"]])
def test_checkpoints_that_were_passed_over_are_warnings_on_stderr(bmtrain, arguments):
    whole = bmtrain("eval", "run", *arguments)
    ended = bmtrain("eval", "run", *arguments, scenario="skipped")
    before = "" if arguments else "evaluating…\n"  # the first to be seen in a pipe
    warnings = "warning: step-00009375 is damaged\nwarning: step-00007500 is damaged\n"
    assert ended.err == before + warnings
    assert whole.err == before
    if "--json" not in arguments:
        assert ended.out == whole.out
