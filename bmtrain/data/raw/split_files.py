"""Which file each split of a table is: one alone, those of a directory, those that a config names."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from bmtrain.config.sections.data import SplitsSection
from bmtrain.data.raw.source import SplitName, names_in
from bmtrain.errors import ConfigError, DataError

SPLITS: Final[tuple[SplitName, ...]] = ("train", "validation", "test")


def split_files(
    path: Path, name: str, splits: SplitsSection | None = None
) -> dict[SplitName, Path]:
    """A file alone is train; of a directory train.csv and maybe validation.csv and test.csv.

    Args:
        name: of the format, which is the ending in a directory.
        splits: may name files beside these.

    Raises:
        DataError: a directory has no train.csv, or the like of the format ``name``.
        ConfigError: it has the split that ``splits`` names a file for.
    """
    files: dict[SplitName, Path] = {"train": path}
    if path.is_dir():
        present = names_in(path)
        files = {
            split: path / f"{split}.{name}" for split in SPLITS if f"{split}.{name}" in present
        }
        if "train" not in files:
            raise DataError(f"train.{name} is missing", where=str(path))
    named = {} if splits is None else splits.files
    for split, file in named.items():
        if split in files:
            raise ConfigError(
                f"the source has a {split} split of its own, {files[split].name}",
                key=("data", "splits", split),
                hint=f"leave splits.{split} out, or name the file train.{name} as data.source",
            )
        files[split] = file
    return {split: files[split] for split in SPLITS if split in files}
