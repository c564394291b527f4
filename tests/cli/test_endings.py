"""How commands end: exit codes, words, JSON."""

import json
import tempfile

import pytest

from bmtrain.cli import boundary
from bmtrain.cli.console import Screen
from bmtrain.cli.signals import Signalled
from bmtrain.cli.stream import Stream
from bmtrain.errors import (
    BmtrainError,
    CheckpointError,
    DataError,
    Diagnostic,
    EnvironmentFault,
    UsageError,
)

ENDINGS = {
    "done": 0,
    "bug": 1,
    "config": 2,
    "data": 3,
    "missed": 4,
    "diverged": 5,
    "memory": 6,
    "full": 6,
    "interrupted": 130,
    "ctrl-c": 130,
    "sigterm": 143,
    "sighup": 129,
}


@pytest.mark.parametrize(("scenario", "exit_code"), ENDINGS.items())
def test_every_ending_has_its_exit_code_and_no_traceback(bmtrain, scenario, exit_code):
    ended = bmtrain("train", "mnist.yaml", scenario=scenario)
    assert ended.exit_code == exit_code
    assert "Traceback" not in ended.out + ended.err


@pytest.mark.parametrize(("scenario", "exit_code"), ENDINGS.items())
def test_json_is_one_document_on_stdout_whatever_happens(bmtrain, scenario, exit_code):
    ended = bmtrain("train", "mnist.yaml", "--json", scenario=scenario)
    document = json.loads(ended.out)
    assert ended.exit_code == exit_code == document["exit_code"]
    assert document["schema_version"] == 1
    status = {0: "completed", 4: "completed", 5: "diverged"}
    assert document["status"] == status.get(
        exit_code, "failed" if exit_code < 128 else "interrupted"
    )
    assert (document["error"] is None) == (exit_code in {0, 4})


def test_a_wrong_config_is_shown_like_a_compiler_shows_it(bmtrain):
    ended = bmtrain("train", "mine.yaml", scenario="config")
    assert ended.out == ""
    assert ended.err == (
        "configs/mine.yaml:7:3: error: optimizer.learning_rte: unknown key; "
        "did you mean 'learning_rate'?\n"
        "  7 |   learning_rte: 0.01\n"
        "    |   ^^^^^^^^^^^^\n"
        "configs/mine.yaml:9:14: error: training.epochs: expected an integer >= 1, got 'five'\n"
        "2 errors. Nothing was run.\n"
    )


def test_check_does_not_say_that_nothing_was_run(bmtrain):
    ended = bmtrain("check", "mine.yaml", scenario="config")
    assert ended.err.endswith("2 errors.\n")


def test_a_wrong_config_in_json_tells_each_place(bmtrain):
    for arguments in (["--json"], ["--format", "json"]):
        ended = bmtrain("train", "mine.yaml", *arguments, scenario="config")
        document = json.loads(ended.out)
        assert document["error"]["code"] == "config"
        assert document["error"]["where"] == "configs/mine.yaml:7:3"
        assert [place["line"] for place in document["diagnostics"]] == [7, 9]
        assert document["run_dir"] is None


def test_a_wrong_config_annotates_its_lines_on_github(bmtrain):
    ended = bmtrain("check", "mine.yaml", "--format", "github", scenario="config")
    assert ended.exit_code == 2
    assert ended.out.splitlines() == [
        (
            "::error title=bmtrain,file=configs/mine.yaml,line=7,col=3,endColumn=15::"
            "optimizer.learning_rte: unknown key; did you mean 'learning_rate'?"
        ),
        (
            "::error title=bmtrain,file=configs/mine.yaml,line=9,col=14,endColumn=15::"
            "training.epochs: expected an integer >= 1, got 'five'"
        ),
    ]


def test_an_error_without_a_line_is_one_annotation_and_one_line(bmtrain):
    ended = bmtrain("train", "mine.yaml", "--format=github", scenario="data")
    assert (
        ended.out
        == "::error title=bmtrain::x.csv:12: expected a number, got 'abc'%0Ahint: clean it\n"
    )
    assert "error: x.csv:12: expected a number, got 'abc'\nhint: clean it\n" in ended.err


def test_the_hint_follows_the_diagnostics_once(bmtrain):
    ended = bmtrain("train", "mine.yaml", scenario="pointed")
    assert ended.err.endswith("got 'five'\n1 error. Nothing was trained.\nhint: name it\n")
    ended = bmtrain("train", "mine.yaml", "--format", "github", scenario="pointed")
    assert ended.out == (
        "::error title=bmtrain,file=configs/mine.yaml,line=9,col=14,endColumn=15::"
        "training.epochs: expected an integer >= 1, got 'five'%0Ahint: name it\n"
    )


def test_the_workflows_summary_goes_into_the_document_of_a_failed_run(bmtrain):
    document = json.loads(bmtrain("train", "x.yaml", "--json", scenario="diverged").out)
    assert document["status"] == "diverged"
    assert document["exit_code"] == 5
    assert document["error"]["message"] == "the loss is not finite after step 2,250"
    assert document["epochs_completed"] == 1
    assert document["run_dir"] == "runs/mnist-1"


def test_a_bug_is_one_line_and_its_traceback_a_file(bmtrain, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ended = bmtrain("train", "x.yaml", "-q", scenario="bug")
    kept = list(tmp_path.glob("bmtrain-error-*.txt"))
    assert ended.err == (
        "internal error: RuntimeError: tensors\n"
        f"hint: this is a bug in bmtrain; the traceback is in {kept[0]}\n"
    )
    assert "Traceback (most recent call last)" in kept[0].read_text()


def test_a_bug_in_a_run_is_kept_in_its_log(bmtrain, tmp_path):
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    (run_dir / "log.txt").write_text("chatter\n")
    ended = bmtrain("train", "x.yaml", "--run-dir", run_dir, scenario="bug")
    assert str(run_dir / "log.txt") in ended.err
    log = (run_dir / "log.txt").read_text()
    assert log.startswith("chatter\nTraceback")
    assert "RuntimeError: tensors\nand more" in log


def test_a_traceback_that_cannot_be_kept_is_said_to_be_lost(bmtrain, monkeypatch):
    def full(**_):
        raise OSError(28, "full")

    monkeypatch.setattr(tempfile, "mkstemp", full)
    assert "could not be written anywhere" in bmtrain("train", "x.yaml", scenario="bug").err


def test_a_log_that_cannot_be_written_does_not_lose_the_traceback(bmtrain, tmp_path, monkeypatch):
    (tmp_path / "log.txt").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def full(*_):
        raise OSError(28, "full")

    monkeypatch.setattr("bmtrain.cli.boundary.open_regular", full)
    bmtrain("train", "x.yaml", "--run-dir", tmp_path, scenario="bug")
    assert list(tmp_path.glob("bmtrain-error-*.txt"))


def test_a_traceback_does_not_follow_a_link_out_of_a_strangers_run(bmtrain, tmp_path, monkeypatch):
    (tmp_path / "mine").write_text("precious")
    (tmp_path / "log.txt").symlink_to(tmp_path / "mine")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    bmtrain("train", "x.yaml", "--run-dir", tmp_path, scenario="bug")
    assert (tmp_path / "mine").read_text() == "precious"
    assert list(tmp_path.glob("bmtrain-error-*.txt"))


def test_a_full_disk_names_the_file_and_the_remedy(bmtrain):
    err = bmtrain("train", "x.yaml", "-q", scenario="full").err
    assert err == (
        "error: runs/mnist-1/metrics.jsonl: cannot go on: the disk is full\n"
        "hint: free some space, or choose another place\n"
    )


ARGUMENT = Diagnostic("--expect 1", "no", line=1, column=1)


def quiet_screen():
    return Screen(Stream(None), Stream(None))


def raised(error, cause):
    try:
        raise error from cause
    except type(error) as caught:
        return caught


@pytest.mark.parametrize(
    ("error", "exit_code", "where"),
    [
        (UsageError("no"), 2, None),
        (DataError("no", key=("data", "features", 0)), 3, "data.features.0"),
        (DataError("no", key=("expect", 1), diagnostics=(ARGUMENT,)), 3, "--expect 1"),
        (CheckpointError("no", where="manifest.json"), 7, "manifest.json"),
        (PermissionError(13, "no", "runs"), 6, "runs"),
        (OSError(24, "too many open files"), 6, None),
        (FileNotFoundError(2, "no", "x"), 1, None),
        (raised(ImportError("half an import"), KeyboardInterrupt()), 130, None),
        (ModuleNotFoundError("No module named 'typer'", name="typer"), 6, None),
        (ModuleNotFoundError("No module named 'bmtrain.x'", name="bmtrain.x"), 1, None),
        (raised(ImportError("half an import"), Signalled(15)), 143, None),
        (raised(ImportError("half an import"), Signalled(1)), 129, None),
        (BmtrainError("plain"), 1, None),
        (ValueError(), 1, None),
    ],
)
def test_what_escapes_becomes_its_ending(error, exit_code, where):
    ending = boundary.ending_of(error, quiet_screen())
    assert (ending.exit_code, ending.where) == (exit_code, where)


def test_errors_that_cause_each_other_are_a_bug_not_a_loop():
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    assert boundary.ending_of(first, quiet_screen()).exit_code == 1


def test_environment_faults_keep_their_hint_in_json(bmtrain):
    document = json.loads(bmtrain("eval", "run", "--json", scenario="in use").out)
    assert document["error"] == {
        "code": "environment",
        "message": "it is in use",
        "where": "run",
        "hint": None,
    }
    assert "run_dir" not in document
    assert EnvironmentFault.exit_code == document["exit_code"]
