"""Arrays that stay in their file, for tests."""

import numpy as np

from bmtrain.data.raw.file_rows import FileRows


def saved_rows(path, values):
    """``values`` saved as ``path``, a .npy file, and its rows there."""
    np.save(path, values)
    mapped = np.load(path, mmap_mode="r")
    with path.open("rb") as file:
        return FileRows.of(file.fileno(), str(path), mapped.dtype, mapped.shape, mapped.offset)
