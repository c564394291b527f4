"""The on-disk cache of compiled steps, guarded. No TensorFlow.

What XLA caches is machine code without a checksum: a flipped bit can crash
the process or change the weights. So TensorFlow never sees the shared store.
Each process gets a private directory with hard links to those files of the
store whose sha256 is right; what it compiled itself is published afterwards.
A process that finds, damages or deletes anything there can therefore never
disturb another.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from bmtrain.machine import is_alive

MAX_BYTES = 500 * 2**20
MIN_FREE_BYTES = 200 * 2**20


@dataclass(frozen=True, slots=True)
class CompileCache:
    """A private cache directory for this process, and the store it came from."""

    private: Path
    _store: Path
    _known: frozenset[str]

    def publish(self) -> None:
        """Put what this process compiled into the store; a failure costs speed only."""
        try:
            for file in self.private.iterdir():
                if file.name not in self._known and not (self._store / file.name).exists():
                    _publish(file, self._store)
            _prune(self._store)
        except OSError:
            return

    def close(self) -> None:
        """Remove the private directory."""
        shutil.rmtree(self.private, ignore_errors=True)


def open_compile_cache(note: Callable[[str], None]) -> CompileCache | None:
    """The cache for this TensorFlow and processor, or None: the run goes without.

    ``note`` is told what was found and done, one sentence each.
    """
    if os.environ.get("BMTRAIN_XLA_CACHE") == "0":
        note("compilation cache: off (BMTRAIN_XLA_CACHE=0)")
        return None
    root = _cache_root() / f"{version('tensorflow')}-{_machine_hash()}"
    try:
        store = root / "store"
        store.mkdir(mode=0o700, parents=True, exist_ok=True)
        root.chmod(0o700)
        free = shutil.disk_usage(root).free
        if free < MIN_FREE_BYTES:
            note(f"compilation cache: off, {free // 2**20} MB free at {root}")
            return None
        _remove_abandoned(root)
        private = Path(tempfile.mkdtemp(prefix=f"process-{os.getpid()}-", dir=root))
        known = _link_verified(store, private, note)
    except OSError as error:
        note(f"compilation cache: off, {error}")
        return None
    note(f"compilation cache: {len(known)} entries from {root}")
    return CompileCache(private, store, known)


def _cache_root() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "bmtrain" / "xla"


def _machine_hash() -> str:
    """Of all that decides whether compiled code may run here."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        wanted = ("model name", "flags", "Features")
        facts = sorted({line for line in lines if line.startswith(wanted)})
    except OSError:
        facts = [platform.processor()]
    text = "\n".join([platform.machine(), *facts])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _link_verified(store: Path, private: Path, note: Callable[[str], None]) -> frozenset[str]:
    """Link every file whose recorded sha256 is right; delete the others."""
    linked = set()
    for file in sorted(store.iterdir()):
        if file.suffix == ".json":
            continue
        if _recorded_digest(file) == _digest(file):
            (private / file.name).hardlink_to(file)
            linked.add(file.name)
        else:
            note(f"compilation cache: {file.name} is damaged or unknown; deleted")
            file.unlink(missing_ok=True)
            _record_of(file).unlink(missing_ok=True)
    return frozenset(linked)


def _record_of(file: Path) -> Path:
    return file.with_name(file.name + ".json")


def _recorded_digest(file: Path) -> str | None:
    try:
        record = json.loads(_record_of(file).read_bytes())
        digest = record["sha256"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return digest if isinstance(digest, str) else None


def _publish(file: Path, store: Path) -> None:
    """File first, record last: a file without its record is unknown and deleted."""
    digest = _digest(file)
    for target, content in (
        (store / file.name, file.read_bytes()),
        (_record_of(store / file.name), json.dumps({"sha256": digest}).encode()),
    ):
        descriptor, temporary = tempfile.mkstemp(dir=store.parent, prefix="publish-")
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        Path(temporary).replace(target)


def _prune(store: Path) -> None:
    """Oldest first, down to MAX_BYTES."""
    files = [(f.stat().st_mtime, f.stat().st_size, f) for f in store.iterdir()]
    excess = sum(size for _, size, _ in files) - MAX_BYTES
    for _, size, file in sorted(files):
        if excess <= 0:
            return
        file.unlink(missing_ok=True)
        excess -= size


def _remove_abandoned(root: Path) -> None:
    """Private directories of processes that are gone."""
    for path in root.glob("process-*-*"):
        process = path.name.split("-")[1]
        if process.isdigit() and not is_alive(int(process)):
            shutil.rmtree(path, ignore_errors=True)
