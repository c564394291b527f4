"""Predictions as an .npz archive, whose arrays grow on the disk until their length is known."""

from __future__ import annotations

import tempfile
import zipfile
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, Any, Final

import numpy as np
from numpy.lib import format as npy

from bmtrain.cli.rendering.prediction_stream import PredictionStream

if TYPE_CHECKING:
    from numpy.typing import NDArray

_COPY_BYTES: Final = 1 << 22


class _GrowingArray:
    """Rows of one dtype, kept in a temporary file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._dtype: np.dtype[Any] | None = None
        self._shape: tuple[int, ...] = ()
        self.num_rows = 0

    def append(self, rows: NDArray[Any]) -> None:
        self._dtype, self._shape = rows.dtype, rows.shape[1:]
        self._file.write(np.ascontiguousarray(rows).tobytes())
        self.num_rows += len(rows)

    def write_to(self, archive: zipfile.ZipFile, name: str) -> None:
        """As an .npy member, version 1.0."""
        assert self._dtype is not None
        header = {
            "descr": npy.dtype_to_descr(self._dtype),
            "fortran_order": False,
            "shape": (self.num_rows, *self._shape),
        }
        self._file.seek(0)
        with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
            npy.write_array_header_1_0(member, header)
            while chunk := self._file.read(_COPY_BYTES):
                member.write(chunk)


def write_npz(stream: PredictionStream, file: IO[bytes]) -> int:
    """``outputs`` and, of classes, ``predicted`` and ``class_names``; the number of examples."""
    with ExitStack() as temporary:
        outputs, predicted = (
            _GrowingArray(temporary.enter_context(tempfile.TemporaryFile())) for _ in range(2)
        )
        files: list[str] = []
        for source, block in stream.blocks:
            outputs.append(block.outputs)
            predicted.append(block.predicted)
            if block.files is not None:
                files += map(str, block.files)
            elif stream.tells_files or len(stream.sources) > 1:
                files += [str(source)] * len(block.outputs)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            outputs.write_to(archive, "outputs")
            if stream.class_names is not None:
                predicted.write_to(archive, "predicted")
                _write(archive, "class_names", np.array(list(stream.class_names), np.str_))
            if files:
                _write(archive, "file", np.array(files, np.str_))
    return outputs.num_rows


def _write(archive: zipfile.ZipFile, name: str, array: NDArray[Any]) -> None:
    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
        npy.write_array(member, array, allow_pickle=False)
