"""Files that are there whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bmtrain import durable
from bmtrain.errors import EnvironmentFault


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_a_new_file_has_the_content_and_the_default_mode(tmp_path: Path) -> None:
    durable.write_text(tmp_path / "a.txt", "grüße\n")
    assert (tmp_path / "a.txt").read_bytes() == "grüße\n".encode()
    (tmp_path / "plain").touch()
    assert (tmp_path / "a.txt").stat().st_mode == (tmp_path / "plain").stat().st_mode
    assert names(tmp_path) == ["a.txt", "plain"]


def test_a_replaced_file_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    path.chmod(0o640)
    durable.write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_link_stays_a_link_and_its_target_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    target = tmp_path / "there" / "target"
    target.write_text("old")
    (tmp_path / "link").symlink_to(target)
    durable.write_bytes(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert target.read_bytes() == b"new"


@pytest.mark.parametrize("links", ["a link", "a link to nothing", "a pipe"])
def test_where_links_are_not_wanted_whatever_is_there_is_replaced(
    tmp_path: Path, links: str
) -> None:
    path, mine = tmp_path / "a", tmp_path / "mine"
    if links == "a link":
        mine.write_text("precious")
        mine.chmod(0o600)
    if links == "a pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(mine)
    durable.write_text(path, "new", links=False)
    assert not path.is_symlink()
    assert path.read_text() == "new"
    (tmp_path / "plain").touch()
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode
    assert (mine.read_text() == "precious") if links == "a link" else not mine.exists()


def test_when_the_block_raises_the_old_file_stays_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")

    def write_half() -> None:
        with durable.replacing(path) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("call", ["open", "fsync", "replace"])
@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "permission denied"),
        (errno.EIO, "input/output error"),
        (errno.EXDEV, "Invalid cross-device link"),
    ],
)
def test_a_failing_call_leaves_the_old_file_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int, words: str
) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    real_open = os.open

    def fail(*args: object, **kwargs: object) -> int:
        # Opening the temporary file fails; directories are opened as always.
        if call == "open" and not str(args[0]).endswith(".tmp"):
            return real_open(*args, **kwargs)  # type: ignore[arg-type]
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(EnvironmentFault, match=words) as caught:
        durable.write_bytes(path, b"new")
    monkeypatch.undo()
    assert caught.value.where == str(path)
    assert caught.value.exit_code == 6
    assert (caught.value.hint is None) == (number == errno.EXDEV)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a"]


def test_file_then_rename_then_directory_are_flushed_in_this_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    real_fsync, real_replace = os.fsync, os.replace

    def fsync(descriptor: int) -> None:
        calls.append("directory" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        if calls[-1] == "file":
            assert os.fstat(descriptor).st_size == 3  # nothing is left in a buffer
        real_fsync(descriptor)

    def replace(*args: object) -> None:
        calls.append("rename")
        real_replace(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    durable.write_bytes(tmp_path / "a", b"new")
    assert calls == ["file", "rename", "directory"]


def test_a_directory_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="it is a directory"):
        durable.write_bytes(tmp_path, b"new")


def test_a_missing_parent_is_named(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="no such file or directory") as caught:
        durable.write_bytes(tmp_path / "absent" / "a", b"new")
    assert caught.value.where == str(tmp_path / "absent" / "a")


def test_a_device_is_written_to_and_not_replaced() -> None:
    durable.write_bytes(Path("/dev/null"), b"new")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_a_pipe_on_standard_output_is_written_to() -> None:
    code = (
        "from pathlib import Path; from bmtrain import durable;"
        "durable.write_bytes(Path('/dev/stdout'), b'through the pipe')"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert answer.stdout == b"through the pipe"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_device_is_said_to_be_full() -> None:
    with pytest.raises(EnvironmentFault, match="the disk is full"):
        durable.write_bytes(Path("/dev/full"), b"new")


def test_write_all_goes_on_after_a_short_write(monkeypatch: pytest.MonkeyPatch) -> None:
    written = bytearray()

    def write_at_most_three(_descriptor: int, content: memoryview) -> int:
        written.extend(content[:3])
        return len(content[:3])

    monkeypatch.setattr(os, "write", write_at_most_three)
    durable.write_all(9, b"0123456789")
    assert written == b"0123456789"


def test_a_new_file_never_replaces_one(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    with pytest.raises(FileExistsError):
        durable.write_new_file(tmp_path / "a", b"new")


@pytest.mark.parametrize("has_links", [True, False])
def test_a_new_text_never_replaces_anything_and_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_links: bool
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    if not has_links:
        monkeypatch.setattr(os, "link", refuse)
    durable.write_new_text(tmp_path / "a", "grüße\n")
    assert (tmp_path / "a").read_text(encoding="utf-8") == "grüße\n"
    (tmp_path / "loose").symlink_to("nowhere")
    for name in ("a", "loose"):
        with pytest.raises(EnvironmentFault, match="exists already"):
            durable.write_new_text(tmp_path / name, "other")
    assert (tmp_path / "a").read_text(encoding="utf-8") == "grüße\n"
    assert names(tmp_path) == ["a", "loose"]


def test_a_new_text_that_cannot_be_written_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(EnvironmentFault, match="the disk is full"):
        durable.write_new_text(tmp_path / "a", "text")
    assert names(tmp_path) == []


def test_leftovers_of_killed_writers_are_removed_and_nothing_else(tmp_path: Path) -> None:
    code = f"""
import os, signal
from pathlib import Path
from bmtrain import durable
with durable.replacing(Path({str(tmp_path / "a")!r})) as file:
    file.write(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", code], check=False)
    (tmp_path / ".mine.tmp").touch()
    assert len(names(tmp_path)) == 2
    durable.remove_leftovers(tmp_path)
    assert names(tmp_path) == [".mine.tmp"]


def test_a_file_system_that_cannot_flush_directories_is_written_to_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(number: int) -> None:
        def fsync(descriptor: int) -> None:
            if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, "fsync", fsync)

    refuse(errno.EINVAL)
    durable.write_bytes(tmp_path / "a", b"new")
    refuse(errno.EIO)
    with pytest.raises(EnvironmentFault, match="input/output error"):
        durable.write_bytes(tmp_path / "a", b"newer")


def test_a_directory_is_made_with_those_above_it_and_may_be_there(tmp_path: Path) -> None:
    for _ in range(2):
        durable.make_directory(tmp_path / "a" / "b" / "c")
        assert (tmp_path / "a" / "b" / "c").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError):
        durable.make_directory(tmp_path / "file")


def test_a_directory_is_made_in_one_that_may_not_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_open = os.open

    def refuse(path: Path, *rest: int) -> int:
        if Path(path) == tmp_path:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real_open(path, *rest)

    monkeypatch.setattr(os, "open", refuse)
    durable.make_directory(tmp_path / "a")
    assert (tmp_path / "a").is_dir()


def test_a_directory_that_is_not_there_cannot_be_flushed(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        durable.flush_directory(tmp_path / "absent")
