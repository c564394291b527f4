"""What exports are compared on: real examples where there are any, else drawn ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.examples.preprocessing import Preprocessing
from bmtrain.data.load import load_examples
from bmtrain.data.raw.streamed_rows import Features, held
from bmtrain.errors import BmtrainError, DataError, EnvironmentFault, UsageError
from bmtrain.figures import count
from bmtrain.workflows.recorded_examples import recorded_split
from bmtrain.workflows.restoring import Restored

MAX_EXAMPLES: Final = 1000
_NUM_DRAWN: Final = 257


@dataclass(frozen=True, slots=True)
class ChosenExamples:
    """Raw features (examples, *input_shape), where they are from, and that in words.

    ``source`` is a split, the path of the user's own data, or "random".
    """

    features: NDArray[np.generic]
    source: str
    words: str


def choose_examples(
    restored: Restored, data: Path | None, data_format: str, note: Callable[[str], None]
) -> ChosenExamples:
    """Of ``data`` if it is given, else of the recorded data as `eval` reads it, else random ones.

    Raises:
        DataError, EnvironmentFault: ``data`` cannot be read.
        CheckpointError: what is recorded does not fit the data that it names.
    """
    preprocessing = restored.checkpoint.preprocessing
    if data is not None:
        examples = load_examples(
            data,
            preprocessing.facts,
            format=data_format,
            labels="optional",
            ignore_unknown=True,
            formats=restored.checkpoint.experiment.plugins.formats,
        )
        return _some(examples.features, str(data), f"of {data}")
    try:
        name, split = recorded_split(restored, None, note)
    except (DataError, EnvironmentFault, UsageError) as error:
        features = random_inputs(preprocessing)
        why = f"{_without_data(error)}; --data PATH compares on real ones"
        return ChosenExamples(features, "random", f"{len(features)} random inputs: {why}")
    return _some(split.features, name, f"of the {name} split")


def _without_data(error: BmtrainError) -> str:
    if isinstance(error, UsageError):
        return "a checkpoint alone opens no other file"
    return f"{error.where}: {error.message}" if error.where else error.message


def _some(features: Features, source: str, of_what: str) -> ChosenExamples:
    """Evenly over all of them: a split may be sorted by class."""
    number = len(features)
    if number > MAX_EXAMPLES:
        chosen = features[np.linspace(0, number - 1, MAX_EXAMPLES).astype(np.int64)]
        words = f"{MAX_EXAMPLES:,} of the {count(number, 'example')} {of_what}"
    else:
        chosen = held(features)
        words = f"the {count(number, 'example')} {of_what}"
    return ChosenExamples(chosen, source, words)


def random_inputs(preprocessing: Preprocessing) -> NDArray[np.generic]:
    """Seeded draws, (257, *input_shape), in the range that the statistics say was observed.

    Tokens are uniform over the vocabulary, followed by padding. Integers are uniform over 0 to 255 (uint8) or 0 to 100; floats uniform from the smallest to
    the largest training value (unit), else normal with the training data's mean and s.d.
    (standardize), or 0 and 1 (none).
    """
    facts = preprocessing.facts
    random = np.random.default_rng(0)
    shape = (_NUM_DRAWN, *facts.input_shape)
    dtype = np.dtype(facts.input_dtype)
    if facts.vocabulary_size is not None:
        tokens = random.integers(1, facts.vocabulary_size, size=shape)
        lengths = random.integers(1, facts.input_shape[0], size=_NUM_DRAWN, endpoint=True)
        return (tokens * (np.arange(shape[1]) < lengths[:, None])).astype(dtype)
    if dtype.kind != "f":
        largest = {"uint8": 255, "bool": 1}.get(facts.input_dtype, 100)
        return random.integers(0, largest, size=shape, endpoint=True).astype(dtype)
    spread = 1 / np.where(preprocessing.scale == 0, np.float32(1), preprocessing.scale)
    drawn = random.random(shape) if preprocessing.normalize == "unit" else random.normal(size=shape)
    return (drawn * spread + preprocessing.offset).astype(dtype)
