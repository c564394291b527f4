"""Reading a stranger's checkpoint opens its regular files, and runs nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bmtrain.checkpoint.content import Checkpoint
from bmtrain.checkpoint.find import find_checkpoint
from bmtrain.checkpoint.read import read_checkpoint, verify_checkpoint
from bmtrain.checkpoint.store import CheckpointStore
from bmtrain.checkpoint.write import write_checkpoint
from bmtrain.errors import CheckpointError, EnvironmentFault

MakeCheckpoint = Callable[..., Checkpoint]
FILES = ("manifest.json", "model.safetensors", "preprocessing.json", "preprocessing.safetensors")


def refused(directory: Path, words: str) -> None:
    with pytest.raises(CheckpointError, match=words) as caught:
        read_checkpoint(directory)
    assert caught.value.exit_code == 7


@pytest.mark.parametrize("name", FILES)
def test_links_are_refused_even_to_the_right_content(written: Path, name: str) -> None:
    (written / name).rename(written.parent / "content")
    (written / name).symlink_to(written.parent / "content")
    refused(written, f"{name}: not a regular file; links and devices are refused")


@pytest.mark.usefixtures("nothing_hangs")
@pytest.mark.parametrize("name", FILES)
def test_pipes_directories_and_devices_are_refused_and_nothing_hangs(
    written: Path, name: str
) -> None:
    (written / name).unlink()
    os.mkfifo(written / name)
    refused(written, "not a regular file")
    (written / name).unlink()
    (written / name).mkdir()
    refused(written, "not a regular file")
    (written / name).rmdir()
    (written / name).symlink_to("/dev/zero")
    refused(written, "not a regular file")


def test_a_link_put_there_between_the_look_and_the_opening_is_refused(
    written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    regular = os.lstat(written / "model.safetensors")
    (written / "manifest.json").unlink()
    (written / "manifest.json").symlink_to("/etc/hostname")
    monkeypatch.setattr(os, "lstat", lambda _path: regular)
    refused(written, "cannot be read: Too many levels of symbolic links")


def test_a_link_is_no_checkpoint_even_to_a_whole_one(
    tmp_path: Path, make_checkpoint: MakeCheckpoint
) -> None:
    """What is a stranger's leads nowhere else, and only what is in the store is ever dropped."""
    store = CheckpointStore(tmp_path / "checkpoints")
    whole = store.save(make_checkpoint(10), best=False)
    for step in (20, 30, 40):
        elsewhere = tmp_path / f"elsewhere-{step}"
        write_checkpoint(elsewhere, make_checkpoint(step))
        (store.directory / f"step-000000{step}").symlink_to(elsewhere)
    found = CheckpointStore(store.directory).find("last")
    assert found.path == whole
    assert [entry.path.name[-2:] for entry in found.skipped] == ["40", "30", "20"]
    assert "a link, not a directory; links are refused" in found.skipped[0].reason
    fresh = CheckpointStore(store.directory)
    for step in (50, 60, 70):
        fresh.save(make_checkpoint(step), best=False)
    for step in (20, 30, 40):
        assert read_checkpoint(tmp_path / f"elsewhere-{step}").state.step == step


def test_a_directory_of_checkpoints_that_is_a_link_is_refused(
    tmp_path: Path, make_checkpoint: MakeCheckpoint
) -> None:
    CheckpointStore(tmp_path / "mine").save(make_checkpoint(10), best=False)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "checkpoints").symlink_to(tmp_path / "mine")
    with pytest.raises(CheckpointError, match="checkpoints: a link, not a directory"):
        find_checkpoint(tmp_path / "run")


def test_an_index_that_is_a_link_is_replaced_and_not_followed(
    tmp_path: Path, make_checkpoint: MakeCheckpoint
) -> None:
    store = CheckpointStore(tmp_path / "checkpoints")
    store.prepare()
    (tmp_path / "mine").write_text("precious")
    (store.directory / "index.json").symlink_to(tmp_path / "mine")
    store.save(make_checkpoint(10), best=False)
    assert (tmp_path / "mine").read_text() == "precious"
    assert not (store.directory / "index.json").is_symlink()


def test_permissions_are_the_environments_fault(
    written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: object, *_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(EnvironmentFault, match="cannot read the checkpoint: permission denied"):
        verify_checkpoint(written)


def test_reading_a_checkpoint_opens_only_its_files_and_runs_nothing(written: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from bmtrain.checkpoint.read import read_checkpoint
directory = Path({str(written)!r})
read_checkpoint(directory)  # every module is imported now
seen = []
def hook(event, arguments):
    seen.append((event, str(arguments[0]) if arguments else ""))
sys.addaudithook(hook)
read_checkpoint(directory)
for event, argument in list(seen):
    if event == "open" and not argument.startswith((str(directory), "/proc/", "/sys/")):
        print(event, argument)
    if event in ("exec", "compile", "import", "subprocess.Popen", "os.system", "socket.connect"):
        print(event, argument)
"""
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout == ""


def test_more_memory_than_there_is_is_a_fault_and_not_a_crash(
    written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bmtrain.checkpoint.tensors.available_memory", lambda: 10)
    with pytest.raises(EnvironmentFault, match="needs 0 MB of memory; 0 MB are available"):
        read_checkpoint(written)
