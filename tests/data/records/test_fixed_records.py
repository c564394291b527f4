"""What was converted is what the source was, to the bit; what is damaged is refused."""

import hashlib
import json

import numpy as np
import pytest

from bmtrain.data.load import load_dataset
from bmtrain.data.raw import storage
from bmtrain.data.records import conversion, fixed_records
from bmtrain.data.records.conversion import written_whole
from bmtrain.data.sources import convert_into
from bmtrain.data.tables import csv_blocks, jsonl_table, parquet_table
from bmtrain.errors import ConfigError, DataError

SIDES = ("left", '"ri,ght"', "ü")
KEYS = {"label": "side", "sample_weight": "w", "splits": {"validation": 0.25, "group": "g"}}


@pytest.fixture
def table(tmp_path, numbers):
    """60 rows of numbers, a label of texts with a comma in one, weights and groups."""
    path = tmp_path / "points.csv"
    rows = [
        f"{a!r},{b!r},{SIDES[n % 3]},{1 + n % 4},g{n // 2}"
        for n, (a, b) in enumerate(numbers.normal(size=(60, 2)).tolist())
    ]
    path.write_text("\n".join(["a,b,side,w,g", *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch, tmp_path):
    """Several blocks; and a cache of the test's own."""
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 500)
    monkeypatch.setattr(parquet_table, "BLOCK_ROWS", 7)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def converted(section, path):
    directory = path.parent / f"{path.name}.set"
    with written_whole(directory) as empty:
        convert_into(empty, section)
    return directory


def same(one, other):
    """Facts with the fingerprint, and each split's bytes."""
    assert one.facts == other.facts
    assert one.fingerprints == other.fingerprints
    for name, split in one.splits.items():
        assert split.features[:].tobytes() == other.splits[name].features[:].tobytes()
        assert split.labels.tobytes() == other.splits[name].labels.tobytes()
    return True


@pytest.mark.parametrize("wanted", ["resident", "stream"])
def test_a_converted_table_is_the_table(section, table, wanted):
    whole = load_dataset(section(table, storage="resident", **KEYS), task="classification", seed=1)
    directory = converted(section(table, **KEYS), table)
    again = section(directory, storage=wanted, **KEYS)
    read = load_dataset(again, task="classification", seed=1)
    assert same(whole, read)
    assert read.splits["train"].is_streamed == (wanted == "stream")
    alone = load_dataset(section(directory), task="classification", seed=1)
    assert (alone.facts.label_name, alone.facts.feature_names) == ("side", ("a", "b"))


def test_anyone_reads_the_files(section, table):
    directory = converted(section(table, **KEYS), table)
    x, y = (np.load(directory / f"{name}_train.npy", allow_pickle=False) for name in "xy")
    expected = np.array([float(line.split(",")[0]) for line in table.read_text().splitlines()[1:]])
    assert x[:, 0].tolist() == expected.astype(np.float32).tolist()
    assert (x.shape, y[:3].tolist()) == ((60, 2), ["left", "ri,ght", "ü"])


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_other_tables_are_converted_like_csv(section, table, form, monkeypatch):
    import polars as pl

    monkeypatch.setattr(jsonl_table, "_BLOCK_BYTES", 500)
    other, read = table.with_suffix(f".{form}"), pl.read_csv(table)
    read.write_parquet(other) if form == "parquet" else read.write_ndjson(other)
    made = [converted(section(path, **KEYS), path) for path in (table, other)]
    for name in ("x", "y", "w", "group"):
        arrays = [(directory / f"{name}_train.npy").read_bytes() for directory in made]
        assert arrays[0] == arrays[1], name


def test_a_table_that_is_to_be_streamed_is_converted_into_the_cache_once(
    section, table, tmp_path, monkeypatch
):
    whole = load_dataset(section(table, storage="resident", **KEYS), task="classification", seed=1)
    wanted = section(table, storage="stream", **KEYS)
    assert same(whole, load_dataset(wanted, task="classification", seed=1))
    (made,) = (tmp_path / "cache" / "bmtrain" / "data").glob("*.set")
    written = []
    monkeypatch.setattr(conversion, "write_table", lambda *_: written.append(1))
    streamed = load_dataset(wanted, task="classification", seed=1)
    assert streamed.splits["train"].is_streamed
    assert not written
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    content = bytearray((made / "x_train.npy").read_bytes())
    content[300] ^= 1
    (made / "x_train.npy").write_bytes(content)  # it is made again
    assert same(whole, load_dataset(wanted, task="classification", seed=1))


def test_auto_converts_what_is_beyond_its_share_of_the_memory(section, table, monkeypatch):
    wanted = section(table, **KEYS)
    monkeypatch.setattr(storage, "available_memory", lambda: 4 * table.stat().st_size)
    assert not load_dataset(wanted, task="classification", seed=1).splits["train"].is_streamed
    monkeypatch.setattr(storage, "available_memory", lambda: 4 * 60 * 2 * 4 - 4)
    assert load_dataset(wanted, task="classification", seed=1).splits["train"].is_streamed


def test_another_table_of_the_same_name_is_converted_anew(section, table):
    wanted = section(table, storage="stream", **KEYS)
    before = load_dataset(wanted, task="classification", seed=1).facts.fingerprint
    table.write_text(table.read_text().replace("left", "lost"))
    assert load_dataset(wanted, task="classification", seed=1).facts.fingerprint != before


def test_arrays_are_converted_too(section, tmp_path, numbers):
    x, y = numbers.integers(0, 255, (30, 4, 4)).astype(np.uint8), np.arange(30) % 3
    np.savez(tmp_path / "a.npz", x_train=x, y_train=y, x_test=x[:6], y_test=y[:6])
    source = section(tmp_path / "a.npz")
    directory = converted(source, tmp_path / "a.npz")
    whole = load_dataset(source, task="classification", seed=0)
    streamed = section(directory, storage="stream")
    assert same(whole, load_dataset(streamed, task="classification", seed=0))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda d: (d / "x_train.npy").write_bytes((d / "x_train.npy").read_bytes()[:-1]), "trunc"),
        (lambda d: (d / "x_train.npy").write_bytes(b"\0" * (256 + 480)), "damaged"),
        (lambda d: (d / "y_train.npy").unlink(), "no such file"),
        (lambda d: (d / "dataset.json").write_text("{"), "damaged"),
        (lambda d: (d / "dataset.json").write_text('{"version": 1}'), "damaged"),
    ],
)
def test_what_is_damaged_is_refused(section, table, damage, message):
    directory = converted(section(table, **KEYS), table)
    damage(directory)
    with pytest.raises(DataError, match=message):
        load_dataset(section(directory), task="classification", seed=1)


@pytest.mark.parametrize(
    "groups", [np.zeros((60, 2)), np.array(["g0"] * 59), np.arange(60)], ids=["2d", "few", "int"]
)
def test_groups_are_one_text_for_each_example_even_where_checksums_fit(section, table, groups):
    directory = converted(section(table, **KEYS), table)
    np.save(directory / "group_train.npy", groups)
    content = (directory / "group_train.npy").read_bytes()
    path = directory / "dataset.json"
    document = json.loads(path.read_text())
    facts = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    document["files"]["group_train.npy"] = facts
    path.write_text(json.dumps(document))
    with pytest.raises(DataError, match="one text per example") as caught:
        load_dataset(section(directory, **KEYS), task="classification", seed=1)
    assert caught.value.where == str(directory / "group_train.npy")


def test_a_name_in_the_description_leads_nowhere_else(section, table):
    directory = converted(section(table, **KEYS), table)
    path = directory / "dataset.json"
    document = json.loads(path.read_text())
    document["files"]["../points.csv"] = {"bytes": 1, "sha256": ""}
    path.write_text(json.dumps(document))
    with pytest.raises(DataError, match="damaged"):
        load_dataset(section(directory), task="classification", seed=1)


@pytest.mark.parametrize(
    "keys", [{"label": "a"}, {"features": ("a",)}, {"sample_weight": "b"}], ids=str
)
def test_other_columns_than_were_converted_are_refused(section, table, keys):
    directory = converted(section(table, label="side", features=("a", "b")), table)
    with pytest.raises(ConfigError, match="was converted with"):
        load_dataset(section(directory, **keys), task="classification", seed=1)


def test_a_bad_cell_is_told_with_its_line_and_leaves_nothing(section, table):
    lines = table.read_text().splitlines()
    lines[51] = lines[51].replace(lines[51].split(",")[0], "x", 1)
    table.write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError) as caught:
        converted(section(table, **KEYS), table)
    assert caught.value.where == f"{table}, line 52"
    assert [path.name for path in table.parent.iterdir()] == ["points.csv"]


def test_what_a_killed_process_left_is_removed(section, table):
    left = table.parent / ".bmtrain-converting-999999999-abcd"
    left.mkdir()
    converted(section(table, **KEYS), table)
    assert not left.exists()


@pytest.mark.parametrize("shape", [(40, 5), (40, 3, 4)])
def test_arrays_in_fortrans_order_are_converted_and_streamed(
    section, tmp_path, numbers, monkeypatch, shape
):
    """What streaming refuses, with the hint that names convert; block by block from the file."""
    monkeypatch.setattr(fixed_records, "_BLOCK_BYTES", 500)
    x, source = numbers.normal(size=shape), tmp_path / "arrays"
    source.mkdir()
    np.save(source / "x_train.npy", np.asfortranarray(x))
    np.save(source / "y_train.npy", np.arange(40) % 3)
    with pytest.raises(DataError) as caught:
        load_dataset(section(source, storage="stream"), task="classification", seed=1)
    assert "bmtrain convert" in str(caught.value.hint)
    directory = converted(section(source), source)
    written = np.load(directory / "x_train.npy", mmap_mode="r")
    assert written.flags.c_contiguous
    assert np.array_equal(written, x)
    whole = load_dataset(section(source, storage="resident"), task="classification", seed=1)
    streamed = load_dataset(section(directory, storage="stream"), task="classification", seed=1)
    assert streamed.splits["train"].is_streamed
    assert same(whole, streamed)
