"""The directory of a cross-validation: a run directory for each fold, and what they give together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class FoldDirectory:
    """Paths in a cross-validation's directory; nothing is made or read here."""

    path: Path

    @property
    def config(self) -> Path:
        """The resolved config, of the first fold: what all folds have in common."""
        return self.path / "folds.yaml"

    @property
    def summary(self) -> Path:
        """What ``train --folds K --json`` prints."""
        return self.path / "folds.json"

    @property
    def holds_folds(self) -> bool:
        """Whether a cross-validation began here."""
        return self.config.is_file() and not self.config.is_symlink()

    def fold(self, number: int) -> Path:
        """The run directory of one fold, from 1."""
        return self.path / f"fold-{number}"

    def runs(self) -> list[Path]:
        """The run directories that there are, in the order of the folds."""
        found: list[Path] = []
        while (path := self.fold(len(found) + 1)).is_dir() and not path.is_symlink():
            found.append(path)
        return found
