"""scripts/fuzz: the readers stand a short dose of it, and it finds what is planted."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest

from bmtrain.config.sections.data import DataFormat

ROOT = Path(__file__).parents[2]
PLANTED = Path(__file__).with_name("planted_bugs.py")


def fuzz(*arguments: object) -> subprocess.CompletedProcess[str]:
    script = str(ROOT / "scripts" / "fuzz.py")
    command = [sys.executable, script, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def figures(*arguments: object, found: bool) -> Any:
    """What it says in JSON."""
    ended = fuzz("--json", *arguments)
    assert ended.returncode == int(found), ended.stdout + ended.stderr
    return json.loads(ended.stdout)


@pytest.mark.slow
def test_a_short_dose_of_damaged_files_finds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Other tests run beside this one; how fast the readers are is for a machine that is idle.
    monkeypatch.setenv("BMTRAIN_FUZZ_INPUT_SECONDS", "10")
    report = figures("--seconds", 6, "--seed", 1, "--keep", tmp_path / "kept", found=False)
    assert report["failures"] == []
    for name, target in report["targets"].items():
        assert "valid" in target["outcomes"], name
        assert target["inputs"] > 2, name  # a wide table takes a tenth of a second
    # On a busy machine a reader gets some thirty, and they may all be of those that it takes.
    refused = [name for name, target in report["targets"].items() if len(target["outcomes"]) > 1]
    assert len(refused) > len(report["targets"]) / 2
    assert not (tmp_path / "kept").exists()


def test_every_format_that_a_config_can_name_is_a_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    from fuzzing.targets import TARGETS

    assert set(get_args(DataFormat)) - {"auto"} <= TARGETS.keys()


def line_with(code: str) -> int:
    """The number of the planted bug's line."""
    lines = PLANTED.read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if code in line)


KEY_ERROR = f"KeyError at planted_bugs.py:{line_with('{}[content[1]]')}"


@pytest.mark.long
def test_a_planted_bug_is_found_made_small_and_kept(tmp_path: Path) -> None:
    options = ("--table", PLANTED, "--target", "parses", "--seed", 1, "--keep", tmp_path)
    report = figures("--seconds", 3, *options, found=True)
    outcomes = {"valid", "KeyError", "DataError: too short"}
    assert report["targets"]["parses"]["outcomes"].keys() == outcomes
    (failure,) = report["failures"]
    assert failure["fault"] == KEY_ERROR
    # The smallest of all that show it: more than 200, and one byte behind.
    path = Path(failure["input"])
    assert path.parent == tmp_path
    assert path.read_bytes() == b"\xc9\x00"
    words = path.with_suffix(".txt").read_text()
    assert failure["command"] in words
    assert "Traceback" in words


@pytest.mark.long
def test_what_was_kept_is_judged_again_by_its_command(tmp_path: Path) -> None:
    kept = tmp_path / "parses-1.bin"
    for content, expected in ((b"\xc9\x00", KEY_ERROR), (b"\xc8\x00", "fine")):
        kept.write_bytes(content)
        ended = fuzz("--replay", kept, "--target", "parses", "--table", PLANTED)
        assert f"read: {expected}; " in ended.stdout
        assert ended.returncode == int(expected != "fine")


@pytest.mark.long
@pytest.mark.skipif(not importlib.util.find_spec("atheris"), reason="Atheris is not for here")
def test_the_engine_that_is_guided_by_coverage_finds_it_too(tmp_path: Path) -> None:
    options = ("--table", PLANTED, "--target", "parses", "--seed", 1, "--keep", tmp_path)
    report = figures("--engine", "atheris", "--seconds", 5, *options, found=True)
    (failure,) = report["failures"]
    assert failure["fault"] == KEY_ERROR
    assert Path(failure["input"]).read_bytes()[0] > 200


@pytest.mark.long
def test_whatever_an_input_should_not_do_is_found(tmp_path: Path) -> None:
    faults = {
        "dies": "ended the process: SIGSEGV",
        "sleeps": "took more than 1 s",
        "grows": "took more than 100 MB",
        "warns": f"RuntimeWarning at planted_bugs.py:{line_with('warnings.warn')}",
        "babbles": "says more than 5000 characters",
        "gives_up": "ends with exit code 1",
    }
    options = [option for target in faults for option in ("--target", target)]
    report = figures("--seconds", 0, *options, "--table", PLANTED, "--keep", tmp_path, found=True)
    assert {failure["target"]: failure["fault"] for failure in report["failures"]} == faults
    assert {Path(f["input"]).read_bytes() for f in report["failures"]} == {b"bug"}


def test_a_wrong_target_is_exit_code_2() -> None:
    ended = fuzz("--target", "pdf")
    assert ended.returncode == 2
    assert "--target pdf: expected one of yaml, " in ended.stderr
