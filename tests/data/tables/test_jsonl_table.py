"""JSON Lines: what is read, in which words it is refused, and that blocks read the same."""

import io
import json

import numpy as np
import pytest

from bmtrain.config.sections.data import DataSection
from bmtrain.data.load import load_dataset
from bmtrain.data.raw.columns import Beside, Column, number_columns
from bmtrain.data.tables import jsonl_table
from bmtrain.errors import DataError

NUMBERS = number_columns(("x", "y"))


@pytest.fixture
def file(tmp_path):
    """(lines) -> a path."""

    def write(*lines):
        path = tmp_path / "rows.jsonl"
        path.write_bytes(b"\n".join(x if isinstance(x, bytes) else x.encode() for x in lines))
        return path

    return write


def read(path, columns=NUMBERS, label="label"):
    return jsonl_table.read_part(path, columns, Beside(label), may_leave_out=True)


def test_numbers_are_read_by_key_in_any_order(file):
    path = file('{"x": 1, "y": -2.5e1, "label": "a"}', "", '{"label": 3, "y": "4", "x": 1e-3}')
    part = read(path)
    np.testing.assert_array_equal(part.features, np.array([[1, -25], [0.001, 4]], np.float32))
    assert part.labels == ["a", "3"]
    assert part.features_at.row(1) == f"{path}, line 3"


def test_texts_are_without_spaces_and_other_keys_are_not_looked_at(file):
    path = file('{"x": " hé \\u00e9 ", "deep": [[1]], "label": true}')
    part = read(path, (Column("x", "texts"),))
    assert part.features.texts["x"].to_list() == ["hé é"]
    assert part.labels == ["true"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"x": 1, "x": 2, "y": 3, "label": 4}', "the key 'x' is there twice"),
        ('{"x": NaN, "y": 3, "label": 4}', "NaN is not a number of JSON"),
        ('{"x": -Infinity, "y": 3, "label": 4}', "-Infinity is not a number of JSON"),
        ('{"x": [1], "y": 3, "label": 4}', "key 'x': expected a number or a text, got a list"),
        ('{"x": 1, "y": {"a": 1}, "label": 4}', "key 'y': .* got an object"),
        ('{"x": 1, "label": 4}', "the key 'y' is missing; the keys are: 'x', 'label'"),
        ('{"x": 1, "y": 2, "label": 4', "this is not JSON"),
        ('{"x": 1, "y": 2, "label": 4} {}', "this is not JSON: Extra data"),
        ("[1, 2]", "expected an object, got a list"),
        ('{"x": 1, "y": 2, "label": "\\ud800"}', "half a surrogate pair"),
        (b'{"x": 1, "y": 2, "label": "\xff"}', "expected UTF-8 text, got the byte ff"),
        ('{"x": 1, "y": "two", "label": 4}', "column 'y': expected a number, got 'two'"),
        ('{"x": 1, "y": null, "label": 4}', "column 'y': the cell is empty"),
        ('{"x": 1, "y": 1e999, "label": 4}', "column 'y': expected a finite number, got '1e999'"),
        ('{"x": 1, "y": 2, "label": ""}', "column 'label': the cell is empty"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(file, line, message):
    sound = '{"x": 1, "y": 2, "label": 3}'
    path = file(sound, sound, sound, line)
    with pytest.raises(DataError, match=message) as caught:
        read(path)
    assert caught.value.where == f"{path}, line 4"


def test_a_column_that_is_not_there_is_told_with_those_that_are(file):
    with pytest.raises(DataError, match="there is no column 'y'; the columns are: x, label"):
        read(file('{"x": 1, "label": 2}'))


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_a_file_without_an_object_is_told(file, content):
    with pytest.raises(DataError, match=r"the file is empty|no line with an object"):
        read(file(content))


def test_blocks_read_what_the_whole_reads_and_count_lines_on(file, monkeypatch):
    lines = [json.dumps({"x": n, "y": -n, "label": n % 2}) for n in range(50)]
    path = file(*lines)
    monkeypatch.setattr(jsonl_table, "_BLOCK_BYTES", 200)
    blocks = list(jsonl_table.jsonl_file_blocks(path, NUMBERS))
    assert len(blocks) > 5
    whole = read(path)
    np.testing.assert_array_equal(np.concatenate([b.features for b in blocks]), whole.features)
    assert whole.features_at.row(44) == f"{path}, line 45"
    lines[40] = '{"x": 1, "y": "?"}'
    with pytest.raises(DataError, match="expected a number") as caught:
        list(jsonl_table.jsonl_blocks(io.BytesIO("\n".join(lines).encode()), "a pipe", NUMBERS))
    assert caught.value.where == "a pipe, line 41"


def test_a_key_that_a_model_does_not_know_is_told_with_its_line():
    content = b'{"x": 1, "y": 2}\n{"x": 1, "y": 2, "z": 3}'
    known = ("x", "y", "label")
    with pytest.raises(DataError, match="does not know the column 'z'") as caught:
        list(jsonl_table.jsonl_blocks(io.BytesIO(content), "a pipe", NUMBERS, known))
    assert caught.value.where == "a pipe, line 2"
    (part,) = jsonl_table.jsonl_blocks(io.BytesIO(content), "a pipe", NUMBERS)
    assert len(part.features) == 2


def test_a_directory_of_splits_is_a_source(tmp_path):
    for name, count in (("train", 6), ("validation", 2), ("test", 4)):
        rows = [json.dumps({"x": n, "kind": "ab"[n % 2], "label": n % 2}) for n in range(count)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(rows))
    section = DataSection(source=str(tmp_path), label="label", categorical=("kind",))
    made = load_dataset(section, task="classification", seed=0)
    assert {name: split.num_examples for name, split in made.splits.items()} == {
        "train": 6,
        "validation": 2,
        "test": 4,
    }
    assert made.facts.feature_names == ("x", "kind=a", "kind=b", "kind=(unseen)")
