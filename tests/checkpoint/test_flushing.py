"""What a save has flushed when a name appears, and a real SIGKILL in the middle of one."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bmtrain.checkpoint.content import Checkpoint
from bmtrain.checkpoint.store import CheckpointStore

MakeCheckpoint = Callable[..., Checkpoint]


def test_everything_is_flushed_before_its_name_appears(
    tmp_path: Path,
    make_checkpoint: MakeCheckpoint,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    events: list[str] = []
    real_fsync, real_rename = os.fsync, os.rename

    def fsync(descriptor: int) -> None:
        facts = os.fstat(descriptor)
        path = Path(f"/dev/fd/{descriptor}").resolve()
        kind = "directory" if stat.S_ISDIR(facts.st_mode) else "file"
        events.append(f"{kind} {path.name}")
        real_fsync(descriptor)

    def rename(source: Path, target: Path) -> None:
        written = {path.name for path in Path(source).iterdir()}
        assert {f"file {name}" for name in written} <= set(events)
        events.append(f"rename {Path(target).name}")
        real_rename(source, target)

    store = CheckpointStore(tmp_path / "checkpoints")
    store.prepare()
    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "rename", rename)
    store.save(make_checkpoint(10), best=False)
    assert events[:8] == [
        "file model.safetensors",
        "file optimizer.safetensors",
        "file preprocessing.json",
        "file preprocessing.safetensors",
        "file manifest.json",
        "directory .step-00000010.writing",
        "rename step-00000010",
        "directory checkpoints",
    ]


def test_a_save_killed_by_the_system_leaves_the_last_good_one(
    tmp_path: Path, make_checkpoint: MakeCheckpoint
) -> None:
    CheckpointStore(tmp_path / "checkpoints").save(make_checkpoint(20, best_step=20), best=True)
    code = f"""
import os, signal
from pathlib import Path
from bmtrain.checkpoint.read import read_checkpoint
from bmtrain.checkpoint.write import write_checkpoint
directory = Path({str(tmp_path / "checkpoints")!r})
checkpoint = read_checkpoint(directory / "step-00000020")
real = os.fsync
def fsync(descriptor):
    real(descriptor)
    if os.path.exists(directory / ".step-00000030.writing" / "manifest.json"):
        os.kill(os.getpid(), signal.SIGKILL)
os.fsync = fsync
write_checkpoint(directory / "step-00000030", checkpoint)
"""
    process = subprocess.run([sys.executable, "-c", code], check=False)
    assert process.returncode == -9
    store = CheckpointStore(tmp_path / "checkpoints")
    assert (store.directory / ".step-00000030.writing").is_dir()
    assert store.last() == store.directory / "step-00000020"
    path = store.save(make_checkpoint(30, best_step=20), best=False)
    assert store.last() == path
    assert not (store.directory / ".step-00000030.writing").exists()
