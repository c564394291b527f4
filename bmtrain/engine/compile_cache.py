"""The on-disk cache of compiled steps, guarded. No TensorFlow.

What XLA caches is machine code without a checksum: a flipped bit can crash
the process or change the weights. So TensorFlow never sees the shared store.
Each process gets a private directory with hard links to those files of the
store whose sha256 is right; what it compiled itself is published afterwards.
A process that finds, damages or deletes anything there can therefore never
disturb another.

A file of the store is called by XLA's name for it and the sha256 of its content,
so that it appears whole and with its checksum, in one rename.
"""

from __future__ import annotations

import hashlib
import os
import platform
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bmtrain.errors import BmtrainError
from bmtrain.machine import gpu_facts, is_alive

MAX_BYTES = 500 * 2**20
MIN_FREE_BYTES = 200 * 2**20
#: Where XLA writes when it cannot write into the cache; the compiled steps of a run are smaller.
_MIN_FREE_BYTES_ELSEWHERE = 64 * 2**20
_ELSEWHERE_PREFIX = "bmtrain-xla-"
#: Of what XLA has written to the end.
_SUFFIX = ".pb"

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class CompileCache:
    """A private cache directory for this process, and the store it came from.

    ``note`` is told what is done, one sentence each.
    """

    private: Path
    _store: Path
    _known: frozenset[str]
    _note: Note

    def publish(self) -> None:
        """Put what this process compiled into the store; a failure costs speed only."""
        try:
            present = {_split(file.name)[0] for file in self._store.iterdir()} | self._known
            for file in self.private.iterdir():
                if file.suffix == _SUFFIX and file.name not in present:
                    _publish(file, self._store)
            _prune(self._store)
        except OSError as error:
            with suppress(BmtrainError):  # it costs speed only, also where the log is full
                self._note(f"compilation cache: nothing is stored, {error}")

    def move_elsewhere(self, reason: str) -> bool:
        """Have XLA write into memory or a temporary directory from now on, if it can be made.

        XLA was told a path when it started and cannot be told another: a link takes its place.
        """
        for base in (Path("/dev/shm"), Path(tempfile.gettempdir())):  # noqa: S108  # mkdtemp below
            try:
                if shutil.disk_usage(base).free < _MIN_FREE_BYTES_ELSEWHERE:
                    continue
                elsewhere = tempfile.mkdtemp(prefix=_ELSEWHERE_PREFIX, dir=base)
                _remove_private(self.private)
                self.private.symlink_to(elsewhere)
            except OSError:
                continue
            self._note(f"compilation cache: moved to {elsewhere}, {reason}")
            return True
        return False

    def close(self) -> None:
        """Remove the private directory."""
        with suppress(OSError):
            _remove_private(self.private)


def open_compile_cache(note: Note) -> CompileCache | None:
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
    return CompileCache(private, store, known, note)


def _cache_root() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "bmtrain" / "xla"


def _machine_hash() -> str:
    """Of all that decides whether compiled code may run here: processor, GPUs and their driver."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        wanted = ("model name", "flags", "Features")
        facts = sorted({line for line in lines if line.startswith(wanted)})
    except OSError:
        facts = [platform.processor()]
    text = "\n".join([platform.machine(), *facts, *gpu_facts()])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _split(stored: str) -> tuple[str, str]:
    """XLA's name for a file of the store, and the sha256 that its content should have."""
    name, _, digest = stored.rpartition(".")
    return name, digest


def _link_verified(store: Path, private: Path, note: Note) -> frozenset[str]:
    """Link every file whose sha256 is right; delete the others."""
    linked = set()
    for file in sorted(store.iterdir()):
        name, digest = _split(file.name)
        with suppress(FileNotFoundError):  # another process has just deleted it
            if _digest(file) != digest:
                note(f"compilation cache: {file.name} is damaged or unknown; deleted")
                file.unlink()
            elif name not in linked:  # two processes may have published it at once
                (private / name).hardlink_to(file)
                linked.add(name)
    return frozenset(linked)


def _publish(file: Path, store: Path) -> None:
    content = file.read_bytes()
    temporary = store.parent / f"publish-{os.getpid()}-{secrets.token_hex(4)}"
    try:
        temporary.write_bytes(content)
        temporary.replace(store / f"{file.name}.{hashlib.sha256(content).hexdigest()}")
    finally:
        temporary.unlink(missing_ok=True)


def _prune(store: Path) -> None:
    """Oldest first, down to MAX_BYTES."""
    files = []
    for file in store.iterdir():
        with suppress(FileNotFoundError):  # another process has just deleted it
            files.append((file.stat().st_mtime, file.stat().st_size, file))
    excess = sum(size for _, size, _ in files) - MAX_BYTES
    for _, size, file in sorted(files):
        if excess <= 0:
            return
        file.unlink(missing_ok=True)
        excess -= size


def _remove_abandoned(root: Path) -> None:
    """What processes that are gone have left: private directories, half-published files."""
    for path in _made_by_processes(root):
        process = path.name.split("-")[1]
        if process.isdigit() and not is_alive(int(process)):
            with suppress(OSError):
                _remove_private(path)


def _made_by_processes(root: Path) -> Iterator[Path]:
    yield from root.glob("process-*-*")
    yield from root.glob("publish-*-*")


def _remove_private(path: Path) -> None:
    """Remove what is there, and where it is a link that ``move_elsewhere`` made, its target."""
    if path.is_symlink():
        target = path.readlink()
        if target.name.startswith(_ELSEWHERE_PREFIX):
            shutil.rmtree(target, ignore_errors=True)
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def describe_compile_cache() -> tuple[str, bool]:
    """In what state a run will find the cache, in words, and whether it will use it.

    Only names and sizes are read, and nothing is made.
    """
    if os.environ.get("BMTRAIN_XLA_CACHE") == "0":
        return "off (BMTRAIN_XLA_CACHE=0)", False
    try:
        root = _cache_root() / f"{version('tensorflow')}-{_machine_hash()}"
        existing = next(path for path in (root, *root.parents) if path.exists())
        if not os.access(existing, os.W_OK | os.X_OK):
            return f"off, {existing} is not writable", False
        if (free := shutil.disk_usage(existing).free) < MIN_FREE_BYTES:
            return f"off, {free // 2**20} MB free at {existing}", False
        store = root / "store"
        sizes = [file.stat().st_size for file in store.iterdir()] if store.is_dir() else []
    except (OSError, RuntimeError, PackageNotFoundError) as error:
        return f"off, {error}", False
    if not sizes:
        return f"empty, at {root}: the first run compiles its steps", True
    return f"{len(sizes):,} entries, {sum(sizes) / 2**20:,.1f} MB, at {root}", True
