"""Writing a checkpoint: the directory appears whole or not at all."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from bmtrain import tensor_files
from bmtrain.checkpoint import manifest as form
from bmtrain.checkpoint.content import Array, Checkpoint
from bmtrain.checkpoint.preprocessing import encode_facts, statistics
from bmtrain.checkpoint.state import state_document
from bmtrain.config.resolved import plain
from bmtrain.durable import environment_faults, flush_directory, write_new_file

WRITING_SUFFIX = ".writing"


def write_checkpoint(directory: Path, checkpoint: Checkpoint) -> None:
    """Writes ``checkpoint`` as ``directory``, which must not exist.

    The files go into a hidden directory beside it, each flushed to the disk, the
    manifest last; that directory is flushed, renamed into place, and the parent
    flushed. Killed at any instant, ``directory`` is whole or absent.

    Raises:
        EnvironmentFault: it cannot be written; nothing of it is left.
        ValueError: a figure is not finite, or a tensor has a name or dtype without a place
            in the format.
    """
    temporary = directory.parent / f".{directory.name}{WRITING_SUFFIX}"
    with environment_faults(directory, "save the checkpoint"):
        remove_tree(temporary)
        temporary.mkdir()
        try:
            _write_files(temporary, checkpoint)
            flush_directory(temporary)
            temporary.rename(directory)
        except BaseException:
            with suppress(OSError):
                remove_tree(temporary)
            raise
        flush_directory(directory.parent)


def remove_tree(path: Path) -> None:
    """Removes a directory, or a link to one and not what it points to, if it is there."""
    if path.is_symlink():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def _write_files(directory: Path, checkpoint: Checkpoint) -> None:
    """One file's content at a time: no more of them is in memory."""
    facts = encode_facts(checkpoint.preprocessing)
    tensors = {
        form.MODEL: checkpoint.model,
        form.OPTIMIZER: checkpoint.optimizer,
        form.STATISTICS: statistics(checkpoint.preprocessing),
    }
    records = {}
    for name in form.FILES:
        content = tensor_files.encode(tensors[name]) if name in tensors else facts
        write_new_file(directory / name, content)
        records[name] = _record(content, tensors.get(name, {}))
    manifest = form.Manifest(
        experiment=plain(checkpoint.experiment),
        engine=checkpoint.engine,
        state=state_document(checkpoint.state, checkpoint.log_bytes),
        files=records,
        plugins=checkpoint.plugins,
    )
    write_new_file(directory / form.MANIFEST, form.encode_manifest(manifest))


def _record(content: bytes, tensors: Mapping[str, Array]) -> form.FileRecord:
    """Sizes and sha256 of a file and of the tensors in it, in their order."""
    view = memoryview(content)
    places = tensor_files.places_in(content) if tensors else {}
    records = {}
    for name in tensors:
        place = places[name]
        sha256 = hashlib.sha256(view[place.begin : place.end]).hexdigest()
        records[name] = form.TensorRecord(place.dtype, place.shape, sha256)
    return form.FileRecord(len(content), hashlib.sha256(content).hexdigest(), records)
