"""The Dockerfile: linted, its files there and let through; its steps done without a container."""

import fnmatch
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "Dockerfile"


def instructions():
    """(instruction, its text) in order, comments left out and continued lines joined."""
    lines = [line for line in DOCKERFILE.read_text().splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [tuple(line.split(" ", 1)) for line in joined.splitlines() if line.strip()]


def last(instruction):
    return [text for name, text in instructions() if name == instruction][-1]


def is_sent(path):
    """Whether .dockerignore lets the builder have it: the last pattern that fits decides."""
    sent = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!").rstrip("/")
        if line.strip() and not line.startswith("#") and fnmatch.fnmatch(path, pattern):
            sent = line.startswith("!")
    return sent


@pytest.mark.skipif(sys.platform != "linux", reason="hadolint is pinned for Linux")
def test_hadolint_has_nothing_to_say():
    answer = subprocess.run(
        [Path(sys.executable).parent / "hadolint", DOCKERFILE],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (answer.returncode, answer.stdout) == (0, "")


def test_what_is_copied_is_there_and_sent_and_nothing_else_is():
    copied = [
        source.rstrip("/")
        for name, text in instructions()
        if name == "COPY" and not text.startswith("--from")
        for source in text.split()[:-1]
    ]
    assert {"requirements", "bmtrain", "configs", "pyproject.toml"} <= set(copied)
    for source in copied:
        assert (ROOT / source).exists()
        assert is_sent(source)
    for other in (".git", ".venv", "runs", "tests", "scripts"):
        assert not is_sent(other)


def test_it_runs_the_program_without_root_and_with_its_caches_in_a_volume():
    assert last("USER") not in {"root", "0"}
    assert last("ENTRYPOINT") == '["bmtrain"]'
    assert f"XDG_CACHE_HOME={last('VOLUME')} " in last("ENV")


@pytest.mark.long
def test_its_steps_make_a_program_that_runs(tmp_path):
    """The build stage, by bash in a directory that has only what the builder is sent."""
    source, program = tmp_path / "source", tmp_path / "opt"
    source.mkdir()
    environment = {"HOME": str(tmp_path), "PATH": f"{program}/bin:{os.environ['PATH']}"}
    environment |= {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    environment |= {"DEVICE": "cpu", "PACKAGES": ""}
    for name, text in instructions():
        if name == "FROM" and not text.endswith("AS build"):
            break
        if name == "COPY":
            for path in text.split()[:-1]:
                copy = shutil.copytree if path.endswith("/") else shutil.copy
                copy(ROOT / path, source / path)
        if name == "RUN":
            script = text.replace("/opt/bmtrain", str(program))
            script = script.replace("python -m venv", f"{sys.executable} -m venv")
            subprocess.run(["sh", "-ec", script], cwd=source, env=environment, check=True)
    shutil.rmtree(source)
    ended = subprocess.run(
        [program / "bin" / "bmtrain", "doctor"],
        cwd=tmp_path,
        env={"PATH": f"{program}/bin", "XDG_CACHE_HOME": str(tmp_path / "cache"), "HOME": "/tmp"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    assert "no other package is named bmtrain" in ended.stdout
