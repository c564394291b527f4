"""How pictures are made travels with the model, and nothing else passes for it."""

import pytest

from bmtrain.config.sections.image import ImageSection
from bmtrain.data.encodings.encoding import encoding_as_json, encoding_from_json
from bmtrain.data.encodings.image_encoding import ImageEncoding
from bmtrain.data.raw.source import Place
from bmtrain.errors import DataError

ENCODING = ImageEncoding(20, 30, 3, "pad", "file")


def test_it_comes_back_as_it_was():
    assert encoding_from_json(encoding_as_json(ENCODING)) == ENCODING


def test_it_is_what_the_config_says():
    section = ImageSection(size=(20, 30), fit="pad", column="file")
    assert ImageEncoding.of(section) == ENCODING
    assert ENCODING.input_shape == (20, 30, 3)


@pytest.mark.parametrize(
    "change",
    [
        {"height": 0},
        {"height": 5000},
        {"width": True},
        {"width": "30"},
        {"channels": 2},
        {"channels": True},
        {"fit": "squeeze"},
        {"fit": ["pad"]},
        {"column": 3},
        {"more": 1},
    ],
)
def test_what_it_never_says_is_refused(change):
    document = encoding_as_json(ENCODING)
    assert document is not None
    with pytest.raises(ValueError, match="encoding"):
        encoding_from_json(document | change)


def test_columns_are_no_pictures():
    with pytest.raises(DataError, match="expected pictures"):
        ENCODING.encode(None, Place("table.csv"))  # type: ignore[arg-type]
