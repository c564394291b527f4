"""Which augmentations suit which data. No TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from bmtrain.config.plugin_tables import AugmentationEntry
from bmtrain.config.sections.augmentation import Augmentation
from bmtrain.data.examples.dataset import DataFacts
from bmtrain.errors import DataError

#: For pictures: examples of shape (height, width) or (height, width, channels).
OF_PICTURES: Final = frozenset({"shift", "rotate", "zoom", "flip", "cutout"})
OF_TEXTS: Final = frozenset({"mask_tokens"})


def require_fitting_augmentation(
    augmentation: Sequence[Augmentation],
    facts: DataFacts,
    added: Mapping[str, AugmentationEntry] | None = None,
) -> None:
    """DataError at the first augmentation that the examples cannot have; ``added``: by plugins."""
    of = {name: entry.of for name, entry in (added or {}).items()}
    shape = list(facts.input_shape)
    is_text = facts.encoding is not None and facts.encoding.kind == "text"
    for index, item in enumerate(augmentation):
        if item.type in OF_PICTURES or of.get(item.type) == "pictures":
            fits, wanted = (
                len(shape) in (2, 3) and not is_text,
                "pictures, (height, width[, channels])",
            )
        elif item.type in OF_TEXTS or of.get(item.type) == "texts":
            fits, wanted = is_text, "texts"
        else:
            fits, wanted = not is_text, "numbers"
        if not fits:
            got = "texts" if is_text else f"examples of shape {shape}"
            raise DataError(
                f"{item.type} is for {wanted}; the data has {got}",
                key=("training", "augmentation", index),
            )
