"""The commit that a run records, and that a stranger's repository runs nothing while it is found."""

import os
import subprocess
from pathlib import Path

import pytest

from bmtrain.runs.repository import git_facts


def git(directory: Path, *arguments: str) -> str:
    identity = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    for role in ("AUTHOR", "COMMITTER"):
        identity |= {f"GIT_{role}_NAME": "a", f"GIT_{role}_EMAIL": "a@b.c"}
    return subprocess.run(
        ["git", *arguments],
        cwd=directory,
        env=os.environ | identity,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    (tmp_path / "a").write_text("1")
    git(tmp_path, "add", "a")
    return tmp_path


def test_a_clean_checkout_is_its_commit(repository: Path) -> None:
    git(repository, "commit", "-q", "-m", "one")
    (repository / "untracked").touch()
    assert git_facts(repository) == {"commit": git(repository, "rev-parse", "HEAD"), "dirty": False}


def test_a_changed_file_makes_it_dirty(repository: Path) -> None:
    git(repository, "commit", "-q", "-m", "one")
    (repository / "a").write_text("2")
    facts = git_facts(repository)
    assert facts is not None
    assert facts["dirty"] is True


def test_without_a_commit_a_repository_or_git_there_is_nothing(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert git_facts(repository) is None
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(repository.parent))
    assert git_facts(repository.parent) is None
    assert git_facts(repository / "absent") is None
    monkeypatch.setenv("PATH", "")
    assert git_facts(repository) is None


def test_git_that_takes_too_long_is_given_up(
    repository: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path_factory.mktemp("bin") / "git"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", str(slow.parent), prepend=":")
    monkeypatch.setattr("bmtrain.runs.repository._TIMEOUT_S", 0.05)
    assert git_facts(repository) is None


def evil(directory: Path) -> tuple[Path, Path]:
    """A script, and the file that it makes."""
    script, mark = directory / "evil", directory / "ran"
    script.write_text(f"#!/bin/sh\ntouch '{mark}'\ncat\n")
    script.chmod(0o755)
    return script, mark


def touched(path: Path) -> None:
    """Its time differs from what git remembers: git looks at what is in it."""
    os.utime(path, (1, 1))


def test_a_repositorys_monitor_of_its_files_is_not_run(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    script, mark = evil(tmp_path_factory.mktemp("evil"))
    git(repository, "commit", "-q", "-m", "one")
    git(repository, "config", "core.fsmonitor", str(script))
    assert git_facts(repository) == {"commit": git(repository, "rev-parse", "HEAD"), "dirty": False}
    mark.unlink(missing_ok=True)  # git above ran it, perhaps
    assert git_facts(repository) is not None
    assert not mark.exists()


@pytest.mark.parametrize("kind", ["clean", "process"])
@pytest.mark.parametrize("name", ["evil", "a.b=c d"])
def test_a_repositorys_filters_are_not_run_and_what_they_would_tell_is_left_open(
    repository: Path, tmp_path_factory: pytest.TempPathFactory, kind: str, name: str
) -> None:
    script, mark = evil(tmp_path_factory.mktemp("evil"))
    git(repository, "commit", "-q", "-m", "one")
    commit = git(repository, "rev-parse", "HEAD")
    (repository / ".git" / "info").mkdir(exist_ok=True)
    (repository / ".git" / "info" / "attributes").write_text("* filter=evil\n")
    git(repository, "config", f"filter.{name}.{kind}", str(script))
    touched(repository / "a")
    assert git_facts(repository) == {"commit": commit, "dirty": None}
    assert not mark.exists()


def test_filters_in_a_file_that_the_repositorys_config_includes_are_not_run(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    script, mark = evil(tmp_path_factory.mktemp("evil"))
    git(repository, "commit", "-q", "-m", "one")
    (repository / ".gitattributes").write_text("* filter=evil\n")
    (repository / "more").write_text(f'[filter "evil"]\n\tclean = {script}\n')
    git(repository, "config", "include.path", "../more")
    touched(repository / "a")
    facts = git_facts(repository)
    assert facts is not None
    assert facts["dirty"] is None
    assert not mark.exists()


def test_ones_own_filters_are_run(
    repository: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, mark = evil(tmp_path_factory.mktemp("evil"))
    git(repository, "commit", "-q", "-m", "one")
    mine = tmp_path_factory.mktemp("home") / "config"
    mine.write_text(f'[filter "mine"]\n\tclean = {script}\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(mine))
    (repository / ".git" / "info").mkdir(exist_ok=True)
    (repository / ".git" / "info" / "attributes").write_text("* filter=mine\n")
    touched(repository / "a")
    assert git_facts(repository) == {"commit": git(repository, "rev-parse", "HEAD"), "dirty": False}
    assert mark.exists()


def test_a_submodules_config_runs_nothing(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    script, mark = evil(tmp_path_factory.mktemp("evil"))
    other = tmp_path_factory.mktemp("other")
    git(other, "init", "-q")
    (other / "b").write_text("1")
    git(other, "add", "b")
    git(other, "commit", "-q", "-m", "one")
    git(repository, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other), "sub")
    git(repository, "commit", "-q", "-m", "two")
    git(repository / "sub", "config", "filter.evil.clean", str(script))
    (repository / "sub" / ".gitattributes").write_text("* filter=evil\n")
    touched(repository / "sub" / "b")
    assert git_facts(repository) is not None
    assert not mark.exists()


@pytest.mark.parametrize("transport", ["ssh", "file"])
def test_objects_that_are_elsewhere_are_not_fetched(
    repository: Path, tmp_path_factory: pytest.TempPathFactory, transport: str
) -> None:
    script, mark = evil(tmp_path_factory.mktemp("evil"))
    git(repository, "commit", "-q", "-m", "one")
    tree = git(repository, "rev-parse", "HEAD^{tree}")
    (repository / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    url = "ssh://nobody/there" if transport == "ssh" else str(tmp_path_factory.mktemp("remote"))
    for key, value in {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "core.sshCommand": str(script),
        "remote.origin.url": url,
        "remote.origin.promisor": "true",
        "remote.origin.uploadpack": str(script),
    }.items():
        git(repository, "config", key, value)
    git_facts(repository)
    assert not mark.exists()
