"""An augmentation that the examples cannot have is refused before TensorFlow starts."""

import dataclasses

import pytest

from bmtrain.config.sections import augmentation as sections
from bmtrain.data.examples.dataset import DataFacts
from bmtrain.errors import DataError
from bmtrain.models.augmentation_checks import require_fitting_augmentation

TABLE = DataFacts("regression", (4,), "float32", None, 1, ("a", "b", "c", "d"), "y", 9, "")
PICTURES = dataclasses.replace(TABLE, input_shape=(28, 28), feature_names=None)
SHIFT, MASK = sections.Shift(type="shift"), sections.MaskTokens(type="mask_tokens", rate=0.1)
NOISE = sections.Noise(type="noise", stddev=1.0)


@pytest.mark.parametrize(
    ("items", "facts", "message"),
    [
        ((NOISE, SHIFT), TABLE, "shift is for pictures, (height, width[, channels]); the data has"),
        ((NOISE, MASK), PICTURES, "mask_tokens is for texts; the data has examples of shape"),
    ],
)
def test_the_first_that_does_not_fit_is_named(items, facts, message):
    with pytest.raises(DataError) as caught:
        require_fitting_augmentation(items, facts)
    assert caught.value.message.startswith(message)
    assert caught.value.key == ("training", "augmentation", 1)


def test_what_fits_passes():
    require_fitting_augmentation((SHIFT, NOISE), PICTURES)
    require_fitting_augmentation((NOISE,), TABLE)
