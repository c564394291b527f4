"""Folders of pictures: which files are of which split and class, and nothing from outside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from bmtrain.config.sections.image import DEFAULT_IGNORE
from bmtrain.data.raw.source import SplitName, names_in, reading
from bmtrain.data.wording.picture_names import is_picture_name
from bmtrain.data.wording.quoting import listed, quoted
from bmtrain.errors import DataError

#: Names of directories of class directories.
SPLIT_DIRECTORIES: Final[dict[str, SplitName]] = {
    "train": "train",
    "validation": "validation",
    "val": "validation",
    "valid": "validation",
    "test": "test",
}


@dataclass(frozen=True, slots=True)
class LabelledPictures:
    """Pictures of one split, in the order of their classes and names.

    Attributes:
        labels: the name of each one's directory.
    """

    directory: Path
    files: tuple[Path, ...]
    labels: list[str]


def holds_pictures(directory: Path, depth: int = 2) -> bool:
    """Whether there is a picture in ``directory`` or up to ``depth`` levels below it."""
    names = [name for name in names_in(directory) if not name.startswith(".")]
    if any(map(is_picture_name, names)):
        return True
    below = (directory / name for name in names)
    return depth > 0 and any(
        holds_pictures(path, depth - 1) for path in below if path.is_dir() and not path.is_symlink()
    )


def read_folder(root: Path, ignore: Sequence[str]) -> dict[SplitName, LabelledPictures]:
    """The pictures of a folder: of class directories, or of splits with class directories.

    It has splits if its ``train`` holds directories: ``train`` with pictures is a class.

    Raises:
        DataError: a file that is no picture by its name and not to be ignored, a picture
            beside the class directories, a link out of the folder, a class without pictures.
    """
    folder = _Folder(root, tuple(ignore))
    if not folder.has_splits():
        return {"train": folder.classes_in(root)}
    found: dict[SplitName, LabelledPictures] = {}
    for path in folder.entries(root):
        split = SPLIT_DIRECTORIES.get(path.name)
        if split is None or not path.is_dir():
            raise DataError(
                f"expected the directories {listed(list(SPLIT_DIRECTORIES))}, got "
                f"{quoted(path.name)}",
                where=str(root),
                hint=f"move it away, or data.image.ignore: ['{path.name}']",
            )
        if split in found:
            raise DataError(f"there are two directories of the {split} split", where=str(root))
        found[split] = folder.classes_in(path)
    return {name: found[name] for name in ("train", "validation", "test") if name in found}


def pictures_below(root: Path) -> Iterator[Path]:
    """Every picture in ``root`` and its directories, by their names; all else is passed over."""
    folder = _Folder(root, (".*",))
    for path in folder.entries(root):
        yield from _below(folder, path)


def _below(folder: _Folder, path: Path) -> Iterator[Path]:
    if not path.is_dir():
        if is_picture_name(path.name):
            yield path
    elif not path.is_symlink():  # which could lead back to where it is
        for entry in folder.entries(path):
            yield from _below(folder, entry)


class _Folder:
    """Looks into a folder that may be a stranger's."""

    def __init__(self, root: Path, ignore: tuple[str, ...]) -> None:
        self._root = root
        self._ignore = (*DEFAULT_IGNORE, *ignore)
        with reading(root):
            self._real_root = root.resolve(strict=True)

    def entries(self, directory: Path) -> Iterator[Path]:
        """What is not to be ignored, by name. DataError for a link that leads out, or nowhere."""
        for name in names_in(directory):
            path = directory / name
            if any(fnmatchcase(name, pattern) for pattern in self._ignore):
                continue
            if path.is_symlink():
                require_within(self._real_root, path, str(path))
            yield path

    def has_splits(self) -> bool:
        train = self._root / "train"
        return train.is_dir() and any(path.is_dir() for path in self.entries(train))

    def classes_in(self, directory: Path) -> LabelledPictures:
        files: list[Path] = []
        labels: list[str] = []
        strays: list[Path] = []
        for path in self.entries(directory):
            if not path.is_dir():
                strays.append(path)
                continue
            pictures = [entry for entry in self.entries(path) if self._is_picture(entry, strays)]
            if not pictures and not strays:
                raise DataError(
                    "the class directory holds no picture",
                    where=str(path),
                    hint=f"remove it, or pass over it: data.image.ignore: ['{path.name}']",
                )
            files += pictures
            labels += [path.name] * len(pictures)
        if strays:
            raise _stray(strays, directory)
        if not files:
            raise DataError(
                "expected a directory for each class, with its pictures in it",
                where=str(directory),
            )
        return LabelledPictures(directory, tuple(files), labels)

    @staticmethod
    def _is_picture(path: Path, strays: list[Path]) -> bool:
        if is_picture_name(path.name) and not path.is_dir():
            return True
        strays.append(path)
        return False


def require_within(real_root: Path, path: Path, where: str) -> Path:
    """Where ``path`` is, all links followed; DataError unless that is in ``real_root``."""
    try:
        with reading(path):
            found = path.resolve(strict=True)
    except DataError as error:
        error.where = where
        raise
    if not found.is_relative_to(real_root):
        raise DataError(
            f"the path leads out of {real_root}",
            where=where,
            hint="pictures are read from the folder that is named and from nowhere else: copy "
            "them into it, or name a directory above",
        )
    return found


def _stray(strays: list[Path], directory: Path) -> DataError:
    first = strays[0]
    many = "" if len(strays) == 1 else f", the first of {len(strays):,} such"
    if is_picture_name(first.name) and first.parent == directory:
        return DataError(
            f"a picture without a class{many}: expected a directory for each class, with its "
            "pictures in it",
            where=str(first),
        )
    if first.is_dir():
        return DataError(
            f"a directory inside a class{many}",
            where=str(first),
            hint=f"if the classes are the directories in {first.parent}, name that as the source; "
            f"else move it away, or data.image.ignore: ['{first.name}']",
        )
    pattern = f"*{first.suffix}" if first.suffix else first.name
    return DataError(
        f"this is no picture by its name{many}",
        where=str(first),
        hint=f"move it away, or pass over such names: data.image.ignore: ['{pattern}']",
    )
