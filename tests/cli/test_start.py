"""What a command imports before it needs it: nothing."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.small_runs import give_classes, make_run

COUNT = """
import sys
from bmtrain.cli.main import main
exit_code = main(sys.argv[1:])
print(exit_code, *sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


@pytest.fixture
def imported(tmp_path, plain_environment):
    """Runs a command; its exit code, and the top-level modules that it imported."""

    def run(*arguments):
        ended = subprocess.run(
            [sys.executable, "-c", COUNT, *arguments],
            cwd=tmp_path,
            env=plain_environment,
            capture_output=True,
            encoding="utf-8",
            check=True,
            timeout=60,
        )
        exit_code, *modules = ended.stderr.splitlines()[-1].split()
        return int(exit_code), set(modules)

    return run


def test_little_is_imported_before_the_signals_have_their_handlers():
    """Until then Ctrl-C ends the command in a traceback."""
    code = f"""
import sys
before = set(sys.modules)
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
import bmtrain.cli.main
print(*(set(sys.modules) - before))
"""
    ended = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True
    )
    assert not {"dataclasses", "inspect", "pathlib", "bmtrain.api"} & set(ended.stdout.split())


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        *(
            [name, "--help"]
            for name in (
                "init",
                "train",
                "eval",
                "predict",
                "export",
                "check",
                "schema",
                "runs",
                "compare",
                "report",
            )
        ),
    ],
)
def test_help_imports_nothing_heavy(imported, arguments):
    exit_code, modules = imported(*arguments)
    assert exit_code == 0
    heavy = {"tensorflow", "keras", "polars", "numpy", "rich", "yaml", "safetensors"}
    assert not modules & heavy


def test_the_schema_comes_without_tensorflow(imported):
    exit_code, modules = imported("schema")
    assert exit_code == 0
    assert not modules & {"tensorflow", "keras", "numpy", "polars"}


@pytest.mark.skipif(
    importlib.util.find_spec("bmtrain.workflows.train") is None, reason="not written yet"
)
def test_a_config_error_comes_without_tensorflow(imported, tmp_path):
    (tmp_path / "wrong.yaml").write_text("name: x\ntrainning: {}\n")
    exit_code, modules = imported("train", "wrong.yaml")
    assert exit_code == 2
    assert not modules & {"tensorflow", "keras", "polars"}


@pytest.mark.skipif(
    importlib.util.find_spec("bmtrain.workflows.check") is None, reason="not written yet"
)
def test_check_comes_without_tensorflow(imported, tmp_path):
    (tmp_path / "iris.csv").write_text("x,y\n" + "1.5,a\n2.5,b\n" * 20)
    (tmp_path / "iris.yaml").write_text(
        "name: iris\n"
        "data: {source: ./iris.csv, label: y}\n"
        "model: {type: mlp, hidden: [4]}\n"
        "loss: sparse_categorical_crossentropy\n"
        "optimizer: adam\n"
        "training: {epochs: 1}\n"
    )
    exit_code, modules = imported("check", "iris.yaml")
    assert exit_code == 0
    assert not modules & {"tensorflow", "keras"}


def test_runs_are_listed_without_tensorflow_and_numpy(imported, tmp_path):
    make_run(tmp_path / "runs" / "first")
    exit_code, modules = imported("runs", "--where", "seed=0", "--show", "seed")
    assert exit_code == 0
    assert not modules & {"tensorflow", "keras", "numpy", "polars", "rich"}


def test_runs_are_compared_without_tensorflow(imported, tmp_path):
    for name in ("first", "second"):
        give_classes(make_run(tmp_path / name), [0, 1, 2], [0, 1, 1])
    exit_code, modules = imported("compare", "first", "second")
    assert exit_code == 0
    assert not modules & {"tensorflow", "keras", "polars", "scipy"}


def test_a_report_comes_without_tensorflow(imported, tmp_path):
    give_classes(make_run(tmp_path / "first"), [0, 1, 2], [0, 1, 1])
    exit_code, modules = imported("report", "first")
    assert exit_code == 0
    assert not modules & {"tensorflow", "keras", "polars", "scipy"}
