"""Texts of which each different one is held once say what a list of them says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmtrain.data.examples.groups import group_numbers
from bmtrain.data.examples.labels import as_classes, fit_class_names
from bmtrain.data.examples.targets import as_targets
from bmtrain.data.raw.coded_texts import coded_texts
from bmtrain.data.raw.source import Place, RawPart
from bmtrain.data.records import beside_records
from bmtrain.data.records.beside_records import BesideRecords
from bmtrain.errors import DataError

PLACE = Place("t.csv", lambda row: row + 2)
TEXTS = st.lists(st.sampled_from(["a", "B", "3", "3.0", "10", "-1", "nan", "1e3", "ü", "0.5"]))


def ending(read, texts):
    """What ``read`` makes of it, or says."""
    try:
        return np.array(read(texts)).tolist()
    except DataError as error:
        return str(error)


def part(labels):
    return RawPart(np.zeros((len(labels), 1)), labels, PLACE, PLACE)


@given(blocks=st.lists(TEXTS, min_size=1), rows=st.slices(8))
def test_they_are_the_texts_that_were_added(blocks, rows):
    texts = [text for block in blocks for text in block]
    coded = coded_texts(blocks)
    assert list(coded) == texts
    assert coded[rows] == texts[rows]
    assert [texts.index(text) for text in coded.texts] == coded.first_rows().tolist()
    assert all(coded[row] == text for row, text in enumerate(texts))


@given(texts=TEXTS.filter(len))
def test_classes_targets_and_groups_are_those_of_the_list_and_so_is_what_is_wrong(texts):
    coded = coded_texts([texts[:3], texts[3:]])
    for read in (
        lambda labels: fit_class_names(part(labels)),
        lambda labels: as_classes(labels, ("10", "3", "a", "B"), PLACE),
        lambda labels: as_targets(labels, PLACE),
        group_numbers,
    ):
        assert ending(read, coded) == ending(read, texts)


def arrays(*blocks):
    beside = BesideRecords()
    for labels in blocks:
        beside.add(part(labels))
    return {kind: np.concatenate(list(found)) for kind, found in beside.arrays()}


def test_few_different_labels_are_written_as_the_texts_that_they_are():
    found = arrays(["1.50", "x"], ["x"])["y"]
    assert found.tolist() == ["1.50", "x", "x"]
    assert found.dtype == np.array(["1.50", "x"]).dtype


def test_more_numbers_than_there_can_be_classes_are_targets(monkeypatch):
    monkeypatch.setattr(beside_records, "MAX_CLASSES", 3)
    found = arrays(["1.5", "2", "2"], ["0.1", "-7"], ["2", "1e2"])["y"]
    assert found.dtype == np.float32
    assert found.tolist() == np.array([1.5, 2, 2, 0.1, -7, 2, 100], np.float32).tolist()


@pytest.mark.parametrize("blocks", [(["1", "2", "3", "x"],), (["1", "2", "3", "4"], ["5", "x"])])
def test_more_texts_than_there_can_be_classes_are_told_early(monkeypatch, blocks):
    monkeypatch.setattr(beside_records, "MAX_CLASSES", 3)
    with pytest.raises(
        DataError, match=r"are no numbers: 'x'|expected a number as target, got 'x'"
    ):
        arrays(*blocks)
