"""Labels, weights and groups of blocks, gathered in little memory until their number is known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from bmtrain.data.examples.labels import MAX_CLASSES
from bmtrain.data.examples.targets import as_targets
from bmtrain.data.raw.coded_texts import TextCoder
from bmtrain.data.raw.source import Place, RawArray, RawPart
from bmtrain.data.wording.number_texts import is_number
from bmtrain.errors import DataError

_NUM_ROWS: Final = 1 << 18


class BesideRecords:
    """What is beside the features: ``y``, ``w`` and ``group``, of those that there are."""

    def __init__(self) -> None:
        self._texts: dict[str, TextCoder] = {}
        self._arrays: dict[str, list[RawArray]] = {}

    def add(self, block: RawPart) -> None:
        """What the next rows have.

        Raises:
            DataError: labels are too many different texts to be classes, and are no numbers.
        """
        for kind, values in (("y", block.labels), ("w", block.weights), ("group", block.groups)):
            if isinstance(values, np.ndarray):
                self._arrays.setdefault(kind, []).append(values)
            elif kind in self._arrays and values is not None:  # what began as texts are numbers
                self._arrays[kind].append(as_targets(list(values), block.labels_at)[:, 0])
            elif values is not None:
                self._texts.setdefault(kind, TextCoder()).add(list(values))
        labels = self._texts.get("y")
        if labels is not None and labels.num_texts > MAX_CLASSES:
            self._arrays["y"] = [_as_numbers(self._texts.pop("y"), block.labels_at)]

    def arrays(self) -> Iterator[tuple[str, Iterator[RawArray]]]:
        """Each with its rows, some at a time; texts as NumPy has them."""
        for kind, blocks in self._arrays.items():
            yield kind, iter([np.concatenate(blocks)])
        for kind, coder in self._texts.items():
            yield kind, _written(coder)


def _written(coder: TextCoder) -> Iterator[RawArray]:
    coded = coder.coded()
    texts = np.array(coded.texts)
    for start in range(0, len(coded), _NUM_ROWS):
        yield texts[coded.codes[start : start + _NUM_ROWS]]


def _as_numbers(coder: TextCoder, place: Place) -> RawArray:
    """Float32 targets: there cannot be so many classes."""
    coded = coder.coded()
    wrong = next((text for text in coded.texts if not is_number(text)), None)
    if wrong is not None:
        raise DataError(
            f"there are more than {MAX_CLASSES:,} different labels, too many to be classes, and "
            f"some are no numbers: {wrong[:40]!r}",
            where=place.name,
        )
    return as_targets(list(coded.texts), Place(place.name))[:, 0][coded.codes]
