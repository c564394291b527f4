"""What train shows, and where."""

import io
import json
import subprocess
from typing import Any, cast

import pytest

from bmtrain.cli.console import Screen
from bmtrain.cli.rendering.training import TrainingView, _is_shown, show_training
from bmtrain.cli.stream import Stream
from bmtrain.events import EpochDone, Event

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
train (running mean)  0.0786    0.9865
test                  0.0786    0.9752

✔ test.accuracy >= 0.97 (0.9752)
done  2 epochs, 3,750 steps in 9.2 s
run   runs/mnist-1
next  bmtrain eval runs/mnist-1
"""


def test_piped_progress_is_plain_lines_on_stderr_and_the_result_on_stdout(bmtrain):
    ended = bmtrain("train", "mnist.yaml")
    assert ended.err == PROGRESS
    assert ended.out == RESULT


def test_overrides_are_shown_beside_the_config_that_they_override(bmtrain):
    ended = bmtrain("train", "mnist.yaml", "optimizer.learning_rate=3e-4", "model.hidden=[4, 2]")
    assert ended.err == PROGRESS.replace(
        "data  ", "overrides optimizer.learning_rate=3e-4 'model.hidden=[4, 2]'\ndata  ", 1
    )


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


def test_how_to_start_is_handed_on(bmtrain, requests):
    bmtrain("train", "runs/mnist-1", "--resume")
    assert requests[0][0].start == "resume"
    bmtrain("train", "a.yaml", "--run-dir", "r", "--resume-if-possible", "--allow-changed", "seed")
    assert (requests[1][0].start, requests[1][0].allow_changed) == ("if_possible", ("seed",))
    ended = bmtrain("train", "a.yaml", "--resume", "--resume-if-possible")
    assert ended.exit_code == 2
    assert "not both" in ended.err


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


def test_the_best_epoch_is_named_where_its_figures_are_shown(bmtrain):
    out = bmtrain("train", "mnist.yaml", scenario="best").out
    assert out == "evaluated  epoch 28, the best by validation.loss\n\n" + RESULT
    out = bmtrain("train", "mnist.yaml", scenario="best of none").out
    assert out == "evaluated  epoch 28, the best\n\n" + RESULT


def test_the_last_epoch_goes_without_saying(bmtrain):
    assert bmtrain("train", "mnist.yaml", scenario="last").out == RESULT


def test_early_stopping_is_told(bmtrain):
    err = bmtrain("train", "mnist.yaml", scenario="stopped").err
    assert "stopped early after epoch 2: validation.loss was best in epoch 1\n" in err


def test_the_full_batch_and_regression_are_called_so(bmtrain):
    err = bmtrain("train", "mnist.yaml", scenario="regression").err
    assert "training  2 epochs, the full batch\n" in err
    assert "train 506; 13 features, regression\n" in err


def test_a_penalty_gets_its_columns(bmtrain):
    out = bmtrain("train", "mnist.yaml", scenario="penalty").out
    assert "loss  penalty  objective  accuracy\n" in out


def test_a_run_directory_with_blanks_can_be_pasted(bmtrain):
    out = bmtrain("train", "mnist.yaml", "--run-dir", "my run").out
    assert "next  bmtrain eval 'my run'\n" in out


def test_the_next_command_calls_the_program_as_it_was_called(bmtrain, monkeypatch):
    monkeypatch.setenv("BMTRAIN_PROGRAM", "../scripts/bmtrain")
    assert "next  ../scripts/bmtrain eval runs/mnist-1\n" in bmtrain("train", "mnist.yaml").out
    assert bmtrain("train").err.endswith("hint: try `../scripts/bmtrain train --help`\n")
    monkeypatch.setenv("BMTRAIN_PROGRAM", "")
    assert bmtrain("train").err.endswith("hint: try `bmtrain train --help`\n")


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


def test_on_a_terminal_the_result_is_set_off_from_the_progress_above_it(terminal):
    shown = terminal("done", "train", "mnist.yaml", TERM="dumb").out
    assert "val accuracy 0.9600\r\n\r\n                        loss  accuracy\r\n" in shown


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

    class BrokenScreen:
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
        show_training(run(), cast("Any", BrokenScreen()))
    assert closed == [True]


def test_a_run_without_a_summary_is_a_bug():
    with pytest.raises(AssertionError, match="without a summary"):
        show_training([Event()], cast("Any", None))


def test_epochs_without_a_line_of_their_own_show_for_a_moment(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    screen = Screen(Stream(None), Stream(shown := Terminal()))
    train = {"loss": 0.5}
    view = TrainingView(screen)
    for epoch in (1, 2, 3):
        view.show(EpochDone(epoch, 1000, epoch, train, None, 0.1, 0.01, 1e5, improved=False))
    first, second, *others = shown.getvalue().split("\r\x1b[2K")
    assert first == "epoch     1/1,000  loss 0.5000  10 ms  100,000 examples/s\n"
    assert second.startswith("epoch     2/1,000")
    assert others == []  # the third came too soon after it
