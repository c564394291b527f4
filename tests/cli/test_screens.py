"""What train, eval and check show, and where."""

import json
import subprocess
from typing import Any, cast

import pytest

from bmtrain.cli.render_train import _is_shown, show_training
from bmtrain.events import Event

PROGRESS = """\
config    mnist.yaml
data      mnist
training  2 epochs, batches of 32
run       runs/mnist-1
examples  train 60,000, test 10,000; 28×28, 10 classes
model     101,770 parameters; xla on cpu, 2 threads
warning: λ/m is 1e-9: it hardly acts
λ is Keras's L2(8e-06)
epoch 1/2  loss 0.2610  accuracy 0.9250  validation.loss 0.1300  validation.accuracy 0.9600  0.61 s  98,000 examples/s
epoch 2/2  loss 0.2610  accuracy 0.9250  validation.loss 0.1300  validation.accuracy 0.9600  0.61 s  98,000 examples/s
"""
RESULT = """\

         loss  accuracy
train  0.0786    0.9865
test   0.0786    0.9752

✔ test.accuracy >= 0.97 (0.9752)
done  2 epochs, 3,750 steps in 9.2 s
run   runs/mnist-1
next  bmtrain eval runs/mnist-1
"""


def test_piped_progress_is_plain_lines_on_stderr_and_the_result_on_stdout(bmtrain):
    ended = bmtrain("train", "mnist.yaml")
    assert ended.err == PROGRESS
    assert ended.out == RESULT


def test_the_request_is_what_was_typed(bmtrain, requests, fake, tmp_path):
    bmtrain(
        "train",
        "mnist.yaml",
        "a=1",
        "--expect",
        "test.loss < 1",
        "b.c=[2]",
        "--device",
        "cpu",
        "--expect",
        "test.loss < 2",
        "--run-dir",
        tmp_path / "run",
    )
    assert requests[0] == [
        fake.TrainRequest(
            config=fake.Path("mnist.yaml"),
            overrides=("a=1", "b.c=[2]"),
            run_dir=tmp_path / "run",
            expectations=("test.loss < 1", "test.loss < 2"),
            device="cpu",
        )
    ]


def test_resume_is_handed_on(bmtrain, requests):
    bmtrain("train", "runs/mnist-1", "--resume")
    assert requests[0][0].resume


def test_quiet_says_warnings_and_missed_expectations_only(bmtrain):
    ended = bmtrain("train", "mnist.yaml", "--quiet", scenario="missed")
    assert ended.out == ""
    assert ended.err == (
        "warning: λ/m is 1e-9: it hardly acts\nmissed: test.accuracy >= 0.97, got 0.9752\n"
    )


def test_json_is_the_summary(bmtrain, fake):
    ended = bmtrain("train", "mnist.yaml", "--json")
    assert json.loads(ended.out) == fake.summary("runs/mnist-1")
    assert ended.err == "warning: λ/m is 1e-9: it hardly acts\n"


def test_a_missed_expectation_is_shown(bmtrain):
    ended = bmtrain("train", "mnist.yaml", scenario="missed")
    assert "✘ test.accuracy >= 0.97 (missed: 0.9752)\n" in ended.out


def test_early_stopping_is_told(bmtrain):
    err = bmtrain("train", "mnist.yaml", scenario="stopped").err
    assert "stopped early after epoch 2: validation.loss was best in epoch 1\n" in err


def test_the_full_batch_and_regression_are_called_so(bmtrain):
    err = bmtrain("train", "mnist.yaml", scenario="regression").err
    assert "training  2 epochs, the full batch\n" in err
    assert "train 506; 13 features, regression\n" in err


def test_a_penalty_gets_its_columns(bmtrain):
    out = bmtrain("train", "mnist.yaml", scenario="penalty").out
    assert "         loss  penalty  objective  accuracy\n" in out


def test_a_run_directory_with_blanks_can_be_pasted(bmtrain):
    out = bmtrain("train", "mnist.yaml", "--run-dir", "my run").out
    assert "next  bmtrain eval 'my run'\n" in out


def test_a_terminal_shows_what_it_waits_for_and_the_live_line(terminal):
    shown = terminal("done", "train", "mnist.yaml", PAUSE_S="0.6").out
    for text in ("reading the data…", "starting TensorFlow…", "compiling…", "0:12 left"):
        assert "\r\x1b[2K" + text in shown or text in shown
    assert "\x1b[32m✔\x1b[0m" in shown
    assert "val accuracy 0.9600\r\n" in shown


@pytest.mark.parametrize("settings", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_plain_terminal_shows_no_colours(terminal, settings):
    ended = terminal("done", "train", "mnist.yaml", **settings)
    assert ended.exit_code == 0
    assert "\x1b[3" not in ended.out
    assert "\x1b[1m" not in ended.out
    if settings.get("TERM") == "dumb":
        assert "\x1b" not in ended.out


@pytest.mark.parametrize("columns", [20, 40])
def test_narrow_terminals_lose_columns_not_lines(terminal, columns):
    shown = terminal("done", "train", "mnist.yaml", columns=columns, TERM="dumb").out
    assert "epoch 1/2  loss 0.2610" in shown
    assert "bmtrain eval runs/mnist-1" in shown


def test_json_before_a_terminal_keeps_progress_plain(terminal):
    shown = terminal("done", "train", "mnist.yaml", "--json", PAUSE_S="0.1").out
    assert "0:12 left" not in shown
    assert '"schema_version": 1' in shown


def test_under_the_c_locale_the_screen_is_ascii(subprocess_bmtrain):
    ended = subprocess_bmtrain("done", "train", "mnist.yaml", env={"LC_ALL": "C"})
    assert "[ok] test.accuracy >= 0.97" in ended.stdout
    ended = subprocess_bmtrain(
        "done",
        "train",
        "mnist.yaml",
        env={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        stderr=subprocess.STDOUT,
    )
    assert ended.returncode == 0
    assert ended.stdout.isascii()


def test_thousands_of_epochs_do_not_flood_the_screen():
    assert all(_is_shown(epoch, 200) for epoch in range(1, 201))
    for num_epochs in (201, 999, 5000, 30_000):
        shown = [epoch for epoch in range(1, num_epochs + 1) if _is_shown(epoch, num_epochs)]
        assert shown[0] == 1
        assert shown[-1] == num_epochs
        assert 20 < len(shown) <= 203


def test_a_run_is_closed_when_showing_it_fails(fake):
    closed = []

    class Screen:
        tells_progress = True

        @property
        def err(self):
            raise RuntimeError("the screen broke")

    def run():
        try:
            yield from fake.Workflows().train(fake.TrainRequest("x.yaml"))
        finally:
            closed.append(True)

    with pytest.raises(RuntimeError, match="the screen broke"):
        show_training(run(), cast("Any", Screen()))
    assert closed == [True]


def test_a_run_without_a_summary_is_a_bug():
    with pytest.raises(AssertionError, match="without a summary"):
        show_training([Event()], cast("Any", None))


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
        fake.EvaluateRequest(fake.Path("runs/mnist-1"), None, fake.Path("x.csv"), "csv")
    ]


def test_eval_json_is_the_workflows_document(bmtrain, fake):
    assert json.loads(bmtrain("eval", "run", "--json").out) == fake.evaluation(3)


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


def test_check_shows_ruled_sections_and_a_count(bmtrain):
    ended = bmtrain("check", "mnist.yaml", "a=1")
    assert ended.exit_code == 0
    rule = "─"
    assert (
        ended.out
        == f"""\
{rule * 2} config {rule * 70}
✔ mnist.yaml is valid

{rule * 2} data {rule * 72}
✔ 60,000 training examples, 10 classes, 5,421 to 6,742 each
⚠ 67 of 784 features are constant in the training split: they say nothing, and cost a column of weights each
✔ no example of the test split is in the training split

⚠ 3 passed, 1 warning, 0 errors
"""
    )


def test_check_with_an_error_is_exit_code_3(bmtrain):
    ended = bmtrain("check", "mnist.yaml", scenario="findings")
    assert ended.exit_code == 3
    assert ended.out.endswith("✘ 2 passed, 1 warning, 1 error\n")


def test_check_quiet_shows_what_is_wrong_only(bmtrain):
    out = bmtrain("check", "mnist.yaml", "-q").out
    assert "⚠ 67 of 784" in out
    assert "✔" not in out
    assert "config" not in out


def test_check_json_is_one_document_of_sections(bmtrain):
    document = json.loads(bmtrain("check", "mnist.yaml", "--json").out)
    assert document["status"] == "passed"
    assert document["counts"] == {"ok": 3, "warning": 1, "error": 0}
    assert [section["title"] for section in document["sections"]] == ["config", "data"]
    assert document["sections"][0]["findings"][0] == {
        "level": "ok",
        "message": "mnist.yaml is valid",
    }
    failed = json.loads(bmtrain("check", "mnist.yaml", "--json", scenario="data").out)
    assert failed["exit_code"] == 3
    assert [section["title"] for section in failed["sections"]] == ["config"]


def test_check_for_github_annotates_findings(bmtrain):
    out = bmtrain("check", "mnist.yaml", "--format", "github").out
    assert out.startswith("::warning title=bmtrain check::data: 67 of 784")
    assert out.endswith("⚠ 3 passed, 1 warning, 0 errors\n")
    assert out.count("\n") == 2


def test_long_findings_hang_behind_their_symbol_on_a_terminal(terminal):
    shown = terminal("done", "check", "mnist.yaml", columns=60, NO_COLOR="1").out
    assert (
        "⚠ 67 of 784 features are constant in the training split:\r\n"
        "  they say nothing, and cost a column of weights each\r\n" in shown
    )
