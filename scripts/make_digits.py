"""MNIST's digits as a folder of pictures, a directory for each class: what the bundled set is.

    .venv/bin/python scripts/make_digits.py FOLDER [--train 80] [--test 20]

Of each digit the first so many of each published split, as grey PNGs called by their number there.
"""

from __future__ import annotations

import argparse
import gzip
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

MNIST = Path(__file__).resolve().parents[1] / "bmtrain" / "data" / "bundled" / "mnist"
#: Bytes before the values of an IDX file of three dimensions and of one.
IMAGES_START, LABELS_START = 16, 8


def write_folder(folder: Path, num_each: dict[str, int]) -> None:
    """``folder/train/7/00015.png`` and so on; ``num_each``: split → pictures of each digit."""
    for split, prefix in (("train", "train"), ("test", "t10k")):
        images = _values(f"{prefix}-images-idx3-ubyte.gz", IMAGES_START).reshape(-1, 28, 28)
        labels = _values(f"{prefix}-labels-idx1-ubyte.gz", LABELS_START)
        for digit in range(10):
            directory = folder / split / str(digit)
            directory.mkdir(parents=True)
            for number in np.flatnonzero(labels == digit)[: num_each[split]].tolist():
                picture = Image.fromarray(images[number])
                picture.save(directory / f"{number:05}.png", optimize=True)


def _values(name: str, start: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.frombuffer(gzip.decompress((MNIST / name).read_bytes()), np.uint8, offset=start)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--train", type=int, default=80, help="of each digit")
    parser.add_argument("--test", type=int, default=20, help="of each digit")
    asked = parser.parse_args()
    write_folder(asked.folder, {"train": asked.train, "test": asked.test})


if __name__ == "__main__":
    main()
