"""``bmtrain runs``: the real command on run directories of every kind."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.small_runs import log_epochs, make_run


def figures(accuracy, loss=0.5):
    figure = {"loss": loss, "penalty": 0.0, "objective": loss, "accuracy": accuracy}
    return {"train": figure, "test": figure}


@pytest.fixture
def three_runs(tmp_path):
    """Three runs in ``runs``; ``second`` has the best accuracy, ``third`` was begun last."""
    for number, (name, accuracy, rate) in enumerate(
        [("first", 0.8, 0.01), ("second", 0.95, 0.1), ("third", 0.9, 0.001)], start=1
    ):
        run = make_run(
            tmp_path / "runs" / name,
            f"optimizer.learning_rate={rate}",
            f"seed={number}",
            metrics=figures(accuracy),
        )
        (run / "log.txt").write_text(f"2026-11-2{number}T10:00:00Z data\n")
    return tmp_path


@pytest.fixture
def bmtrain(bmtrain, three_runs):
    """The real command beside them, in a process of its own."""

    def run(*arguments, directory=three_runs, **variables):
        return bmtrain(*arguments, directory=directory, **variables)

    return run


@pytest.fixture
def listed(bmtrain):
    """The names of the runs that ``runs ... --json`` lists, in its order."""

    def run(*arguments, **options):
        ended = bmtrain("runs", *arguments, "--json", **options)
        assert ended.exit_code == 0, ended.out
        return [Path(entry["run"]).name for entry in ended.document["runs"]]

    return run


def test_the_runs_are_a_table_with_key_figures(bmtrain):
    ended = bmtrain("runs")
    assert ended.exit_code == 0
    header, *rows = ended.out.splitlines()
    assert header.split() == [
        "run",
        "status",
        "begun",
        "epochs",
        "test.accuracy",
        "parameters",
        "time",
    ]
    assert rows[1].split() == [
        *("second", "completed", "2026-11-22", "10:00", "3", "0.9500", "7,850", "1.5", "s")
    ]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ([], "first second third"),
        (["--reverse"], "third second first"),
        (["--sort", "test.accuracy"], "first third second"),
        (["--sort", "test.acc"], "first third second"),
        (["--sort", "-test.accuracy"], "second third first"),
        (["--sort=-test.accuracy", "--reverse"], "first third second"),
        (["--sort", "optimizer.learning_rate"], "third first second"),
        (["--sort", "-run"], "third second first"),
        (["--where", "optimizer.learning_rate>=0.01"], "first second"),
        (["--where", "optimizer.learning_rate > 0.01"], "second"),
        (["--where", "optimizer.learning_rate=1e-2"], "first"),
        (["--where", "optimizer.learning_rate!=0.01"], "second third"),
        (["--where", "seed<3", "--where", "seed>1"], "second"),
        (["--where", "seed<=2"], "first second"),
        (["--where", "optimizer.name=sgd", "--where", "test.accuracy<0.9"], "first"),
        (["--where", "metrics=accuracy"], "first second third"),
        (["--where", "begun>=2026-11-22"], "second third"),
        (["--where", "training.early_stopping=null"], "first second third"),
        (["--where", "optimizer.nesterov=true"], ""),
        (["--where", "status=failed"], ""),
        (["runs/third", "runs/first"], "first third"),
    ],
)  # fmt: skip
def test_runs_are_sorted_and_chosen(listed, arguments, names):
    assert listed(*arguments) == names.split()


def test_what_a_run_does_not_have_comes_last_and_equals_nothing(listed, three_runs):
    make_run(three_runs / "runs" / "adam", config=ADAM, metrics=figures(0.5))
    assert listed("--sort", "optimizer.beta_1")[0] == "adam"
    assert listed("--sort", "-optimizer.momentum")[-1] == "adam"
    assert listed("--where", "optimizer.momentum>=0") == ["first", "second", "third"]
    assert "adam" in listed("--where", "optimizer.momentum!=0.9")


ADAM = """\
name: adam
data: {source: mnist}
model: {layers: [{type: flatten}, {type: dense, units: 10}]}
loss: mse
optimizer: adam
training: {epochs: 3}
"""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--where", "optimizer.learning_rte>1"], "no run here has 'optimizer.learning_rte'; did you mean 'optimizer.learning_rate'?"),
        (["--where", "lr>1"], "did you mean 'optimizer.learning_rate'?"),
        (["--sort", "test.acuracy"], "--sort: no run here has 'test.acuracy'; did you mean 'test.accuracy'?"),
        (["--show", "sede"], "--show: no run here has 'sede'; did you mean 'seed'?"),
        (["--where", "seed"], "expected KEY=VALUE, or with !=, <, <=, > or >=, got 'seed'"),
        (["--where", "seed="], "expected KEY=VALUE"),
        (["--where", "--quiet"], "expected a value, got the option '--quiet'"),
        (["--sort", "--reverse"], "expected KEY or -KEY, got '--reverse'"),
        (["nowhere"], "nowhere: expected a directory of runs, or a run"),
        (["--format", "html"], "--format"),
    ],
)  # fmt: skip
def test_a_wrong_command_line_is_told_and_lists_nothing(bmtrain, arguments, words):
    ended = bmtrain("runs", *arguments)
    assert ended.exit_code == 2
    assert words in ended.err
    assert ended.out == ""


def test_json_is_one_document_on_failure_too(bmtrain):
    for words in (["--json"], ["--format", "json"], ["--format=json"]):
        ended = bmtrain("runs", "nowhere", *words)
        assert (ended.exit_code, ended.document["exit_code"]) == (2, 2)
        ended = bmtrain("runs", *words, "--nonsense")
        assert ended.document["error"]["code"] == "usage"


def test_broken_directories_are_a_line_each(bmtrain, three_runs):
    runs = three_runs / "runs"
    (runs / "no-run").mkdir()
    (runs / "no-run" / "notes.txt").touch()
    (runs / "file").touch()
    (runs / "elsewhere").symlink_to(runs / "first")
    make_run(runs / "damaged").joinpath("summary.json").write_text("{\x1b[31m")
    make_run(runs / "linked").joinpath("run.json").unlink()
    (runs / "linked" / "run.json").symlink_to("/etc/passwd")
    make_run(runs / "pipe").joinpath("summary.json").unlink()
    os.mkfifo(runs / "pipe" / "summary.json")
    (runs / "half").mkdir()
    (runs / "half" / ".lock").touch()
    (runs / "half" / "log.txt").touch()
    ended = bmtrain("runs")
    assert ended.exit_code == 0
    assert len(ended.out.splitlines()) == 1 + 3 + 4
    assert "\x1b" not in ended.out
    assert ended.out.splitlines()[4].startswith(
        "damaged: unreadable: summary.json: damaged: not JSON"
    )
    assert "half: unreadable: no run began here" in ended.out
    assert "linked: unreadable: run.json: not a regular file; links" in ended.out
    document = bmtrain("runs", "--json").document
    assert [entry["run"] for entry in document["unreadable"]] == [
        "runs/damaged", "runs/half", "runs/linked", "runs/pipe",
    ]  # fmt: skip
    assert len(document["runs"]) == document["found"] == 3


def test_a_damaged_config_is_unreadable_only_where_it_is_asked_for(bmtrain, three_runs):
    (three_runs / "runs" / "first" / "config.yaml").write_text("a: [")
    assert bmtrain("runs", "--json").document["unreadable"] == []
    document = bmtrain("runs", "--json", "--where", "seed>0").document
    assert document["unreadable"][0]["run"] == "runs/first"
    assert document["unreadable"][0]["message"].startswith("config.yaml: not a config: ")


def test_a_live_run_is_marked(bmtrain, three_runs):
    run = make_run(three_runs / "runs" / "live", status=None)
    log_epochs(run, 2)
    code = (
        "import sys, pathlib\nfrom bmtrain.runs.directory import open_run_directory\n"
        "with open_run_directory(pathlib.Path(sys.argv[1]), expected='run'):\n"
        "    print(flush=True)\n    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(run)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        ended = bmtrain("runs", "runs/live", "--json")
        process.communicate()
    entry = ended.document["runs"][0]
    assert (entry["status"], entry["epochs"]) == ("running", 2)
    assert f"process {process.pid} " in entry["held_by"]


def test_no_runs_are_no_error(bmtrain, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    ended = bmtrain("runs", directory=empty)
    assert (ended.exit_code, ended.out, ended.err) == (0, "", "no runs in runs\n")
    assert bmtrain("runs", "--json", directory=empty).document["runs"] == []
    ended = bmtrain("runs", "--where", "test.accuracy>0.99")
    assert ended.err == "none of 3 runs in runs is like that\n"


def test_the_environment_names_the_directory(listed, three_runs, tmp_path):
    assert len(listed(directory=tmp_path / "runs", BMTRAIN_RUNS=str(three_runs / "runs"))) == 3


def test_csv_has_every_figure_in_full_and_the_unreadable_too(bmtrain, three_runs):
    make_run(three_runs / "runs" / "damaged").joinpath("summary.json").write_text("{")
    ended = bmtrain("runs", "--format", "csv", "--show", "seed", "--show", "metrics")
    rows = list(csv.DictReader(io.StringIO(ended.out)))
    assert [row["run"] for row in rows] == [
        f"runs/{n}" for n in ("first", "second", "third", "damaged")
    ]
    assert (rows[1]["test.accuracy"], rows[1]["seed"], rows[1]["metrics"]) == (
        "0.95",
        "2",
        "accuracy",
    )
    assert rows[3]["status"] == "unreadable"
    assert rows[3]["message"].startswith("summary.json: damaged")


def test_markdown_is_a_table_whose_bars_are_its_own(bmtrain, three_runs):
    (three_runs / "runs" / "first").rename(three_runs / "runs" / "fir|st")
    lines = bmtrain("runs", "--format", "markdown").out.splitlines()
    assert lines[0].startswith("| run | status | begun |")
    assert lines[1].startswith("| :-- | --: |")
    assert lines[2].startswith("| fir\\|st | completed |")


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_narrow_terminal_gets_fewer_columns_or_blocks(bmtrain, width):
    ended = bmtrain("runs", "--show", "optimizer.learning_rate", COLUMNS=str(width))
    assert max(map(len, ended.out.splitlines())) <= width
    for accuracy in ("0.8000", "0.9500", "0.9000"):
        assert accuracy in ended.out
    assert ("parameters" in ended.out) == (width != 80)
    assert ("no room for parameters" in ended.err) == (width == 80)


def test_one_document_says_what_its_docstring_promises(bmtrain):
    document = bmtrain("runs", "--json", "--show", "seed").document
    assert list(document) == [
        *("schema_version", "status", "exit_code", "error", "directories", "found", "runs"),
        "unreadable",
    ]
    assert document["runs"][0] == {
        "run": "runs/first",
        "status": "completed",
        "held_by": None,
        "begun": "2026-11-21T10:00:00Z",
        "epochs": 3,
        "metrics": figures(0.8),
        "monitor": None,
        "parameters": 7850,
        "train_s": 1.5,
        "message": None,
        "settings": {"seed": 1},
    }
    assert json.loads(json.dumps(document)) == document


def test_a_pipe_has_all_columns(bmtrain):
    ended = bmtrain("runs", "--show", "optimizer.learning_rate")
    assert "parameters" in ended.out
    assert "no room" not in ended.err
