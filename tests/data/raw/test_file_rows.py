"""Rows that are read from their file are the array's; what is no more there is an error."""

import gc
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmtrain.data.raw import file_rows
from bmtrain.data.raw.file_rows import FileRows
from bmtrain.errors import DataError
from tests.file_rows import saved_rows


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Two-byte values that tell their row and place, big-endian: (500, 3, 5)."""
    values = np.arange(500 * 15, dtype=">u2").reshape(500, 3, 5)
    return values, saved_rows(tmp_path_factory.mktemp("rows") / "x.npy", values)


@given(
    rows=st.lists(st.integers(0, 499), max_size=60),
    gap=st.sampled_from([0, 60, 1 << 12]),
    stage=st.sampled_from([1, 90, 1 << 20]),
)
def test_gathered_rows_are_those_of_the_array(saved, rows, gap, stage):
    """In any order, twice, near each other and not; read one by one or many at once."""
    values, file = saved
    wanted = np.array(rows, np.int64)
    out = np.zeros((len(rows) + 1, 3, 5), ">u2")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(file_rows, "_GAP_BYTES", gap)
        patch.setattr(file_rows, "_STAGE_BYTES", stage)
        file.gather(wanted, out)
    np.testing.assert_array_equal(out[:-1], values[wanted])
    assert not out[-1].any()


@given(bounds=st.tuples(st.integers(0, 500), st.integers(0, 500)))
def test_slices_and_parts_are_those_of_the_array(saved, bounds):
    values, file = saved
    start, stop = sorted(bounds)
    np.testing.assert_array_equal(file[start:stop], values[start:stop])
    part = file.part(start, stop)
    assert (len(part), part.nbytes) == (stop - start, 30 * (stop - start))
    np.testing.assert_array_equal(part[1:4], values[start:stop][1:4])


@pytest.mark.parametrize("shape", [(7, 2), (7, 2, 3), (1, 4)])
def test_fortrans_order_is_read_row_by_row(tmp_path, shape):
    values = np.asfortranarray(np.arange(np.prod(shape), dtype=np.float32).reshape(shape))
    path = tmp_path / "x.npy"
    np.save(path, values)
    start = path.stat().st_size - values.nbytes
    with path.open("rb") as file:
        rows = FileRows.of(file.fileno(), "x", values.dtype, shape, start, is_fortran=True)
    np.testing.assert_array_equal(rows[:], values)
    np.testing.assert_array_equal(rows[1:3], values[1:3])
    assert rows[:].flags.c_contiguous


def test_neighbours_are_read_with_one_call(saved, monkeypatch):
    _, file = saved
    calls = []
    real = os.preadv

    def counted(descriptor, buffers, offset):
        calls.append(offset)
        return real(descriptor, buffers, offset)

    monkeypatch.setattr(os, "preadv", counted)
    rows = np.random.default_rng(0).permutation(500)[:250]
    file.gather(rows, np.empty((250, 3, 5), ">u2"))
    assert len(calls) == 1


@pytest.mark.parametrize(
    "read",
    [lambda file: file[200:300], lambda file: file.gather(np.array([3, 400]), np.empty((2, 16)))],
    ids=["slice", "gather"],
)
def test_a_file_that_is_cut_short_is_an_error_with_its_name(tmp_path, read):
    file = saved_rows(tmp_path / "x.npy", np.zeros((500, 16)))
    os.truncate(tmp_path / "x.npy", 30_000)
    with pytest.raises(DataError, match=r"x\.npy: the file was cut short .* got 30,000 \(put"):
        read(file)


def test_what_cannot_be_read_is_an_error_with_its_name(tmp_path, monkeypatch):
    file = saved_rows(tmp_path / "x.npy", np.zeros((500, 16)))

    def fail(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "preadv", fail)
    with pytest.raises(DataError, match=r"x\.npy: cannot be read: Input/output error"):
        file[:3]


def test_calls_that_read_less_than_was_asked_for_are_gone_on_with(saved, monkeypatch):
    values, file = saved
    real = os.preadv
    monkeypatch.setattr(
        os, "preadv", lambda descriptor, buffers, at: real(descriptor, [buffers[0][:7]], at)
    )
    np.testing.assert_array_equal(file[10:13], values[10:13])


def test_the_descriptor_is_closed_with_the_last_rows(tmp_path):
    file = saved_rows(tmp_path / "x.npy", np.arange(40.0))
    part = file.part(3, 9)
    number = file._descriptor.number
    del file
    gc.collect()
    assert Path(f"/proc/self/fd/{number}").exists()
    np.testing.assert_array_equal(part[:], np.arange(3.0, 9.0))
    del part
    gc.collect()
    assert not Path(f"/proc/self/fd/{number}").exists()
