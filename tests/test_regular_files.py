"""What is opened is a regular file, whatever lies there; nothing waits for a pipe's other end."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bmtrain import regular_files
from bmtrain.regular_files import NotRegular, open_regular, opened_regular

pytestmark = pytest.mark.usefixtures("nothing_hangs")


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_directory(path: Path) -> None:
    path.mkdir()


def make_link_to_a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def make_link_to_a_pipe(path: Path) -> None:
    os.mkfifo(path.with_suffix(".pipe"))
    path.symlink_to(path.with_suffix(".pipe"))


WRONG = (make_pipe, make_directory, make_link_to_a_device, make_link_to_a_pipe)


@pytest.mark.parametrize("links", [False, True])
@pytest.mark.parametrize("make", WRONG)
@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_WRONLY | os.O_APPEND | os.O_CREAT])
def test_what_is_no_regular_file_is_not_opened(
    tmp_path: Path,
    make: Callable[[Path], None],
    flags: int,
    links: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make(tmp_path / "f")
    monkeypatch.setattr(os, "open", lambda *_: pytest.fail("it was opened"))
    with pytest.raises(NotRegular):
        open_regular(tmp_path / "f", flags, links=links)


@pytest.mark.parametrize("make", [make_pipe, make_link_to_a_pipe])
@pytest.mark.parametrize("links", [False, True])
def test_a_pipe_put_there_between_the_look_and_the_opening_is_refused_and_nothing_hangs(
    tmp_path: Path,
    make: Callable[[Path], None],
    links: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make(tmp_path / "f")
    real, looks = regular_files._require_regular, iter([False])
    monkeypatch.setattr(
        regular_files, "_require_regular", lambda facts: next(looks, True) and real(facts)
    )
    before = len([*Path("/dev/fd").iterdir()])
    error = OSError if make is make_link_to_a_pipe and not links else NotRegular
    with pytest.raises(error, match=r"not a regular file|symbolic links"):
        open_regular(tmp_path / "f", links=links)
    assert len([*Path("/dev/fd").iterdir()]) == before


def test_a_link_is_followed_only_where_that_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "content").write_bytes(b"abc")
    (tmp_path / "link").symlink_to(tmp_path / "content")
    with opened_regular(tmp_path / "link", links=True) as (descriptor, size):
        assert (os.read(descriptor, 10), size) == (b"abc", 3)
    with pytest.raises(NotRegular), opened_regular(tmp_path / "link"):
        pass


def test_a_missing_file_is_made_where_that_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "f", os.O_WRONLY | os.O_APPEND)
    os.close(open_regular(tmp_path / "f", os.O_WRONLY | os.O_APPEND | os.O_CREAT))
    assert (tmp_path / "f").read_bytes() == b""


def test_a_link_to_nothing_makes_nothing(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotRegular):
        open_regular(tmp_path / "link", os.O_WRONLY | os.O_CREAT)
    assert not (tmp_path / "elsewhere").exists()
