"""Tables with categories, gaps and texts, streamed or converted, are what they are when held."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from bmtrain.data.checks.inspection import inspect_dataset
from bmtrain.data.encodings import recoding
from bmtrain.data.examples.normalization import fit_preprocessing
from bmtrain.data.load import load_dataset
from bmtrain.data.raw import coded_rows, storage, streamed_rows
from bmtrain.data.raw.streamed_rows import OrderedReader
from bmtrain.data.records import conversion, table_records
from bmtrain.data.records.conversion import written_whole
from bmtrain.data.sources import convert_into
from bmtrain.data.tables import csv_blocks, jsonl_table, parquet_table
from bmtrain.errors import ConfigError, DataError, EnvironmentFault

ISLANDS = ("Dream", "Biscoe, East", "ü", "Torgersen")
KEYS = {
    "label": "side",
    "sample_weight": "w",
    "categorical": ("island", "*"),
    "splits": {"validation": 0.25, "group": "g"},
}
WORDS = ["the", "a", "don't", "Ünder", "code", "naïve", "7", "!", "…", "zebra"]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch, tmp_path):
    """Several blocks of everything; and a cache of the test's own."""
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 500)
    monkeypatch.setattr(jsonl_table, "_BLOCK_BYTES", 500)
    monkeypatch.setattr(parquet_table, "BLOCK_ROWS", 7)
    monkeypatch.setattr(coded_rows, "_BLOCK_BYTES", 300)
    monkeypatch.setattr(coded_rows, "_COLUMN_BYTES", 300)
    monkeypatch.setattr(streamed_rows, "_CONVERTED_BYTES", 200)
    monkeypatch.setattr(recoding, "_NUM_ROWS", 3)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def table(tmp_path, numbers):
    """80 rows: numbers with and without gaps, two columns of texts, one of them with gaps."""

    def write(form="csv"):
        import polars as pl

        values = numbers.normal(size=(80, 3))
        gaps = numbers.random(80) < 0.3
        frame = pl.DataFrame(
            {
                "b": [
                    None if gap else value for gap, value in zip(gaps, values[:, 1], strict=True)
                ],
                "island": [ISLANDS[at * at % 4] for at in range(80)],
                "a": values[:, 0],
                "*": ["NA" if gap else str(at % 5) for at, gap in enumerate(gaps[::-1])],
                "side": ["left" if value > 0 else "right" for value in values[:, 2]],
                "w": [1 + at % 4 for at in range(80)],
                "g": [f"g{at // 2}" for at in range(80)],
            }
        )
        path = tmp_path / f"islands.{form}"
        match form:
            case "csv":
                frame.write_csv(path)
            case "jsonl":
                frame.write_ndjson(path)
            case "parquet":
                frame.write_parquet(path)
        return path

    return write


@pytest.fixture
def texts(tmp_path, numbers):
    """70 texts, one longer than 100 letters without a blank."""
    lines = [" ".join(numbers.choice(WORDS, numbers.integers(1, 9))) for _ in range(69)]
    path = tmp_path / "texts.jsonl"
    rows = [{"text": text, "kind": "ab"[at % 2]} for at, text in enumerate([*lines, "x" * 120])]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def load(section):
    def read(path, wanted, seed=1, **keys):
        return load_dataset(section(path, storage=wanted, **keys), task="classification", seed=seed)

    return read


def same(one, other):
    """Facts, the encoding and the fingerprint among them, and each split's bytes."""
    assert one.facts == other.facts
    assert one.fingerprints == other.fingerprints
    for name, split in one.splits.items():
        twin = other.splits[name]
        assert split.features[:].tobytes() == twin.features[:].tobytes()
        assert (split.features.shape, split.features.dtype) == (
            twin.features.shape,
            twin.features.dtype,
        )
        assert split.labels.tobytes() == twin.labels.tobytes()
        assert (split.weights is None) == (twin.weights is None)
        assert split.weights is None or split.weights.tobytes() == twin.weights.tobytes()
    return True


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("missing", ["mean", "median", "indicator"])
def test_a_streamed_table_is_the_held_one(table, load, form, missing):
    path = table(form)
    held = load(path, "resident", missing=missing, **KEYS)
    streamed = load(path, "stream", missing=missing, **KEYS)
    assert same(held, streamed)
    split = streamed.splits["train"]
    assert split.is_streamed
    rows = np.array([5, 0, 5, 17])
    block = np.zeros((6, *split.features.shape[1:]), np.float32)
    split.features.read_into(block, rows)
    np.testing.assert_array_equal(block[:4], held.splits["train"].array[rows])
    assert not block[4:].any()
    np.testing.assert_array_equal(split.features[3], held.splits["train"].array[3])


def test_blocks_of_any_order_are_its_examples(table, load, monkeypatch):
    """One after the other, some left out, and again from the start; more is read than is wanted."""
    path = table()
    held = load(path, "resident", missing="mean", **KEYS).splits["train"].array
    features = load(path, "stream", missing="mean", **KEYS).splits["train"].features
    monkeypatch.setattr(streamed_rows, "STREAM_BYTES", 13 * 16)  # of 13 rows
    reader = OrderedReader(features)
    orders = [np.random.default_rng(at).permutation(len(held)).astype(np.int32) for at in (0, 1)]
    block = np.zeros((5, *held.shape[1:]), np.float32)
    for order, start in ((0, 0), (0, 5), (0, 10), (0, 30), (1, 30), (1, 0), (0, len(held) - 2)):
        reader.read_into(block, orders[order], start)
        wanted = held[orders[order][start : start + 5]]
        np.testing.assert_array_equal(block[: len(wanted)], wanted)


def test_other_seeds_and_fills_share_one_conversion(table, load, tmp_path):
    path = table()
    for seed, missing in ((1, "mean"), (2, "median")):
        held = load(path, "resident", seed, missing=missing, **KEYS)
        assert same(held, load(path, "stream", seed, missing=missing, **KEYS))
    assert len(list((tmp_path / "cache" / "bmtrain" / "data").glob("*.set"))) == 1


def test_texts_that_may_not_be_missing_are_categories_whatever_they_say(table, load):
    keys = {"label": "side", "features": ("*", "a"), "categorical": ("*",)}
    path = table()
    held = load(path, "resident", **keys)
    assert "*=NA" in held.facts.feature_names
    assert same(held, load(path, "stream", **keys))


@pytest.mark.parametrize("level", ["word", "character", "byte"])
@pytest.mark.parametrize("vocabulary", [6, 1000])
def test_streamed_texts_are_the_held_ones(texts, load, level, vocabulary):
    tokens = {"level": level, "vocabulary": vocabulary, "length": 5}
    keys = {"label": "kind", "text": "text", "tokens": tokens, "splits": {"validation": 0.3}}
    held, streamed = load(texts, "resident", **keys), load(texts, "stream", **keys)
    assert streamed.splits["train"].is_streamed
    assert same(held, streamed)


def test_other_files_of_a_table_have_categories_that_training_has_not(tmp_path, load):
    (tmp_path / "train.csv").write_text("k,y\n" + "a,1\nb,0\n" * 4)
    (tmp_path / "test.csv").write_text("y,k\n1,zz\n0,a\n")
    keys = {"label": "y", "categorical": ("k",)}
    held, streamed = load(tmp_path, "resident", **keys), load(tmp_path, "stream", **keys)
    assert held.facts.feature_names == ("k=a", "k=b", "k=(unseen)")
    assert held.splits["test"].array[0].tolist() == [0, 0, 1]
    assert same(held, streamed)


@pytest.mark.parametrize("wanted", ["resident", "stream"])
def test_a_converted_table_trains_to_what_the_table_does(table, load, section, tmp_path, wanted):
    path = table()
    for missing in ("mean", "indicator"):
        directory = tmp_path / f"{missing}.set"
        with written_whole(directory) as empty:
            convert_into(empty, section(path, missing=missing, **KEYS))
        read = load(directory, wanted, missing=missing, **KEYS)
        assert read.splits["train"].is_streamed == (wanted == "stream")
        assert same(load(path, "resident", missing=missing, **KEYS), read)


def test_converted_texts_train_to_what_the_texts_do(texts, load, section, tmp_path):
    keys = {"label": "kind", "text": "text", "tokens": {"length": 5}}
    with written_whole(tmp_path / "texts.set") as empty:
        convert_into(empty, section(texts, **keys))
    assert same(load(texts, "resident", **keys), load(tmp_path / "texts.set", "auto", **keys))


def test_a_converted_table_of_numbers_may_be_asked_to_fill_gaps(tmp_path, load, section, numbers):
    rows = "".join(
        f"{a:.3f},{b:.3f},{at % 2}\n" for at, (a, b) in enumerate(numbers.random((9, 2)))
    )
    (tmp_path / "n.csv").write_text("a,b,y\n" + rows)
    with written_whole(tmp_path / "n.set") as empty:
        convert_into(empty, section(tmp_path / "n.csv", label="y"))
    keys = {"label": "y", "missing": "mean"}
    held = load(tmp_path / "n.csv", "resident", **keys)
    for wanted in ("resident", "stream"):
        assert same(held, load(tmp_path / "n.set", wanted, **keys))


@pytest.mark.parametrize(
    ("keys", "key"),
    [
        ({"categorical": ("island",)}, ("data", "categorical")),
        ({"missing": "error"}, ("data", "missing")),
        ({"categorical": (), "text": "island"}, ("data", "text")),
    ],
)
def test_a_table_that_was_converted_otherwise_is_refused(table, load, section, tmp_path, keys, key):
    with written_whole(tmp_path / "t.set") as empty:
        convert_into(empty, section(table(), missing="mean", **KEYS))
    with pytest.raises(ConfigError, match=r"t\.set was converted with") as caught:
        load(tmp_path / "t.set", "auto", **{**KEYS, "missing": "mean", **keys})
    assert caught.value.key == key


@pytest.mark.parametrize(
    ("keys", "key"),
    [({"tokens": {"length": 6}}, ("data", "tokens", "length")), ({"text": None}, ("data",))],
)
def test_texts_that_were_converted_otherwise_are_refused(texts, load, section, tmp_path, keys, key):
    with written_whole(tmp_path / "t.set") as empty:
        convert_into(empty, section(texts, label="kind", text="text", tokens={"length": 5}))
    with pytest.raises(ConfigError, match=r"t\.set was converted with") as caught:
        load(tmp_path / "t.set", "auto", **{"label": "kind", "text": "text", **keys})
    assert caught.value.key == key


def test_auto_streams_such_a_table_when_its_inputs_are_beyond_their_share(table, load, monkeypatch):
    path = table()
    keys = {"missing": "mean", **KEYS}
    width = load(path, "resident", **keys).splits["train"].features.shape[1]
    monkeypatch.setattr(storage, "available_memory", lambda: 4 * path.stat().st_size)
    assert not load(path, "auto", **keys).splits["train"].is_streamed
    monkeypatch.setattr(storage, "available_memory", lambda: 4 * 50 * width * 4)
    assert load(path, "auto", **keys).splits["train"].is_streamed


def test_check_finds_in_streamed_columns_and_texts_what_it_finds_in_held_ones(table, texts, load):
    for path, keys in (
        (table(), {"missing": "indicator", **KEYS}),
        (texts, {"label": "kind", "text": "text", "tokens": {"length": 5}}),
    ):
        held, streamed = (load(path, wanted, **keys) for wanted in ("resident", "stream"))
        one, other = (fit_preprocessing(dataset, "auto") for dataset in (held, streamed))
        assert one.offset.tobytes() == other.offset.tobytes()
        assert one.scale.tobytes() == other.scale.tobytes()
        told = [finding.message for finding in inspect_dataset(streamed, other)]
        assert set(told) >= {finding.message for finding in inspect_dataset(held, one)}


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_disk_without_room_is_told_before_anything_is_written(table, load, monkeypatch, form):
    path = table(form)
    asked = []
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2**30))
    monkeypatch.setattr(table_records, "write_split", lambda *_: asked.append(1))
    with pytest.raises(EnvironmentFault, match=r"needs about .* of which 1,074 MB are to be left"):
        load(path, "stream", missing="mean", **KEYS)
    assert not asked
    assert list((path.parent / "cache" / "bmtrain" / "data").iterdir()) == []


def test_a_disk_that_fills_up_meanwhile_is_told_and_nothing_is_left(table, load, monkeypatch):
    path = table()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(conversion, "write_table", full)
    with pytest.raises(EnvironmentFault, match="the disk is full"):
        load(path, "stream", missing="mean", **KEYS)
    assert list((path.parent / "cache" / "bmtrain" / "data").iterdir()) == []


def test_how_far_a_conversion_is_is_told(table, load):
    from bmtrain.progress import progress_told_to

    told = []
    with progress_told_to(lambda *how_far: told.append(how_far)):
        load(table("parquet"), "stream", missing="mean", **KEYS)
    converted = [(done, total) for what, done, total in told if what == "examples converted"]
    assert converted == [(done, 80) for done in (*range(7, 80, 7), 80)]


def test_a_column_of_ever_other_texts_is_told_early(table, load, monkeypatch):
    monkeypatch.setattr(table_records, "_MAX_TEXTS", 3)
    with pytest.raises(DataError, match=r"column '\*' has more than 3 different values"):
        load(table(), "stream", missing="mean", **KEYS)


def test_an_empty_text_is_told_with_its_line(tmp_path, load):
    lines = [f'{{"text": "one {at}", "kind": "{"ab"[at % 2]}"}}' for at in range(60)]
    lines[41] = '{"text": " \\t", "kind": "a"}'
    path = tmp_path / "t.jsonl"
    path.write_text("\n".join(lines) + "\n")
    errors = []
    for wanted in ("resident", "stream"):
        with pytest.raises(DataError) as caught:
            load(path, wanted, label="kind", text="text")
        errors.append(str(caught.value))
    assert errors[0] == errors[1]
    assert "line 42" in errors[0]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("texts.json", b"{"),
        ("texts.json", b'[["a"]]'),
        ("texts.json", b'[null, ["Dream"], null, null]'),
        ("texts.json", b'[null, ["Dream"], null, ["0", 7]]'),
        ("texts.json", b'[null, ["Dream"], null, ["0"]]'),
        ("x_train.npy", np.full((80, 4), 0.5, np.float32)),
        ("x_train.npy", np.full((80, 4), np.inf, np.float32)),
        ("x_train.npy", np.full((80, 4), -1, np.float32)),
        ("x_train.npy", np.zeros((80, 3), np.float32)),
        ("x_train.npy", np.zeros((80, 4), np.int32)),
        ("x_train.npy", np.array(["x"] * 80)),
    ],
)
def test_what_no_conversion_writes_is_refused_though_checksums_fit(
    table, load, section, tmp_path, name, content
):
    import hashlib

    directory = tmp_path / "t.set"
    with written_whole(directory) as empty:
        convert_into(empty, section(table(), missing="mean", **KEYS))
    if isinstance(content, bytes):
        (directory / name).write_bytes(content)
    else:
        np.save(directory / name, content)
    document = json.loads((directory / "dataset.json").read_text())
    written = (directory / name).read_bytes()
    facts = {"bytes": len(written), "sha256": hashlib.sha256(written).hexdigest()}
    document["files"][name] = facts
    (directory / "dataset.json").write_text(json.dumps(document))
    with pytest.raises(DataError) as caught:
        load(directory, "auto", missing="mean", **KEYS)
    assert str(directory) in str(caught.value.where)
    assert caught.value.hint == "convert the source again"


@pytest.mark.parametrize(
    "coding",
    [
        {},
        {"texts": ["zz"], "gaps": True, "tokens": None},
        {"texts": ["island"], "gaps": 1, "tokens": None},
        {"texts": ["island"], "gaps": True, "tokens": {"level": "word"}},
        {"texts": [], "gaps": True, "tokens": None, "more": 1},
    ],
)
def test_a_description_that_says_something_else_is_damaged(table, load, section, tmp_path, coding):
    directory = tmp_path / "t.set"
    with written_whole(directory) as empty:
        convert_into(empty, section(table(), missing="mean", **KEYS))
    document = json.loads((directory / "dataset.json").read_text())
    (directory / "dataset.json").write_text(json.dumps({**document, "coding": coding}))
    with pytest.raises(DataError, match="it is damaged"):
        load(directory, "auto", missing="mean", **KEYS)
