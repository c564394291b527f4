"""Reading a checkpoint's arrays: compared with the manifest before and after."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from bmtrain import tensor_files
from bmtrain.checkpoint.content import Array
from bmtrain.checkpoint.files import opened
from bmtrain.checkpoint.manifest import FileRecord
from bmtrain.errors import CheckpointError, EnvironmentFault
from bmtrain.machine import available_memory

Shapes = Mapping[str, tuple[int, ...]]
_Places = Mapping[str, tensor_files.TensorPlace]


def check_shapes(path: Path, record: FileRecord, expected: Shapes) -> None:
    """CheckpointError naming the first tensor that is missing, unexpected or of another shape."""
    recorded = {name: tensor.shape for name, tensor in record.tensors.items()}
    for name in sorted(expected.keys() | recorded.keys()):
        if name not in recorded:
            message = f"tensor {name} is missing; the recorded config implies it"
        elif name not in expected:
            message = f"tensor {name!a:.80} does not belong to the recorded config's model"
        elif tuple(expected[name]) != recorded[name]:
            message = (
                f"tensor {name} has shape {recorded[name]}; "
                f"the recorded config implies {tuple(expected[name])}"
            )
        else:
            continue
        raise CheckpointError(message, where=str(path))


def read_tensors(path: Path, record: FileRecord) -> dict[str, Array]:
    """The arrays of one file, in the manifest's order; their memory is the file's size.

    Raises:
        CheckpointError: the file is not the recorded one; the tensor is named.
        EnvironmentFault: permissions, or it needs more memory than there is.
    """
    with opened(path) as (descriptor, size):
        if size != record.num_bytes:
            raise ValueError(_size_message(descriptor, size, record))
        places = tensor_files.read_places(descriptor, size)
        _check_places(places, record)
        _check_memory(path, descriptor, size)
        content = tensor_files.read_content(descriptor, size)
        file = tensor_files.TensorFile(content, places)
        if hashlib.sha256(content.data).hexdigest() != record.sha256:
            raise ValueError(_damage(file, record))
    return {name: file.tensor(name) for name in record.tensors}


def _size_message(descriptor: int, size: int, record: FileRecord) -> str:
    message = f"{size} bytes, expected {record.num_bytes}"
    if size > record.num_bytes:
        return message
    try:
        places = tensor_files.read_places(descriptor, size, record.num_bytes)
    except ValueError:
        return message
    cut = min((place for place in places.items() if place[1].end > size), key=_begin)
    return f"{message}; it is cut off in tensor {cut[0]}"


def _begin(place: tuple[str, tensor_files.TensorPlace]) -> int:
    return place[1].begin


def _check_places(places: _Places, record: FileRecord) -> None:
    for name in sorted(places.keys() | record.tensors.keys()):
        place, tensor = places.get(name), record.tensors.get(name)
        if place is None or tensor is None:
            raise ValueError(f"tensor {name!a:.80} is not in both the file and the manifest")
        if (place.dtype, place.shape) != (tensor.dtype, tensor.shape):
            raise ValueError(
                f"tensor {name}: {place.dtype} {place.shape} in the file, "
                f"{tensor.dtype} {tensor.shape} in the manifest"
            )


def _check_memory(path: Path, descriptor: int, num_bytes: int) -> None:
    available = available_memory()
    if num_bytes <= available:
        return
    # A file of holes promises terabytes and holds next to nothing.
    on_disk = os.fstat(descriptor).st_blocks * 512
    if on_disk < num_bytes // 2:
        raise ValueError(f"it promises {num_bytes:,} bytes, and has {on_disk:,} on the disk")
    raise EnvironmentFault(
        f"needs {num_bytes / 1e6:,.0f} MB of memory; {available / 1e6:,.0f} MB are available",
        where=str(path),
    )


def _damage(file: tensor_files.TensorFile, record: FileRecord) -> str:
    for name, tensor in record.tensors.items():
        place = file.places[name]
        if hashlib.sha256(file.content.data[place.begin : place.end]).hexdigest() != tensor.sha256:
            return f"tensor {name} does not match its sha256"
    return "its header does not match its sha256"
