"""Data is read from regular files: pipes and devices are refused, whatever reads them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bmtrain import regular_files
from bmtrain.data.arrays.idx import read_idx, read_idx_part
from bmtrain.data.arrays.numpy_files import read_npy_part, read_npz, read_npz_part
from bmtrain.data.raw.columns import Beside, number_columns
from bmtrain.data.tables.table_formats import read_table_examples, read_table_source
from bmtrain.errors import DataError
from tests.table_sections import of_table

TABLE = "a,label\n1,x\n2,y\n"


pytestmark = pytest.mark.usefixtures("nothing_hangs")


def within(name: str, read: Callable[[Path], object]) -> Callable[[Path], object]:
    """Reads a directory in which the file ``name`` is the strange one."""

    def read_directory(path: Path) -> object:
        path.rename(path.parent / name)
        return read(path.parent)

    return read_directory


READERS: dict[str, Callable[[Path], object]] = {
    "idx": read_idx,
    "idx directory": within(
        "train-images-idx3-ubyte", lambda path: read_idx_part(path, labels=False)
    ),
    "npz": read_npz,
    "npz part": lambda path: read_npz_part(path, labels=False),
    "npy part": lambda path: read_npy_part(path, labels=False),
    "npy directory": within("x_train.npy", lambda path: read_npy_part(path, labels=False)),
    "csv": lambda path: read_table_source(path, of_table("label"), "csv"),
    "csv part": lambda path: read_table_examples(path, number_columns(("a",)), Beside(), "csv"),
    "csv directory": within(
        "train.csv", lambda path: read_table_source(path, of_table("label"), "csv")
    ),
}


@pytest.fixture(params=["pipe", "link to a pipe", "link to a device"])
def strange(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    (tmp_path / "d").mkdir()
    path = tmp_path / "d" / "strange"
    if request.param == "pipe":
        os.mkfifo(path)
    elif request.param == "link to a device":
        path.symlink_to("/dev/zero")
    else:
        os.mkfifo(tmp_path / "pipe")
        path.symlink_to(tmp_path / "pipe")
    return path


@pytest.mark.parametrize("reader", READERS)
def test_pipes_and_devices_are_data_errors_and_nothing_hangs(strange: Path, reader: str) -> None:
    with pytest.raises(DataError, match="expected a file, and this is none") as caught:
        READERS[reader](strange)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("reader", READERS)
def test_a_pipe_that_takes_a_files_place_in_the_last_moment_does_not_hang(
    tmp_path: Path, reader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "d").mkdir()
    os.mkfifo(tmp_path / "d" / "strange")
    real, looks = regular_files._require_regular, iter([False])
    monkeypatch.setattr(
        regular_files, "_require_regular", lambda facts: next(looks, True) and real(facts)
    )
    with pytest.raises(DataError, match="expected a file, and this is none"):
        READERS[reader](tmp_path / "d" / "strange")


def test_links_to_files_are_followed(tmp_path: Path) -> None:
    """Data lies where there is room for it."""
    (tmp_path / "a.csv").write_text(TABLE)
    (tmp_path / "b.csv").symlink_to(tmp_path / "a.csv")
    part = read_table_examples(tmp_path / "b.csv", number_columns(("a",)), Beside("label"), "csv")
    assert part.labels == ["x", "y"]
    np.save(tmp_path / "a.npy", np.arange(6).reshape(2, 3))
    (tmp_path / "b.npy").symlink_to(tmp_path / "a.npy")
    assert read_npy_part(tmp_path / "b.npy", labels=False).array.shape == (2, 3)
    np.savez(tmp_path / "a.npz", x=np.ones((2, 3)))
    (tmp_path / "b.npz").symlink_to(tmp_path / "a.npz")
    assert read_npz_part(tmp_path / "b.npz", labels=False).array.shape == (2, 3)


def test_an_archive_is_closed_whether_it_can_be_read_or_not(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.ones((2, 3)))
    (tmp_path / "b.npz").write_bytes(b"no archive")
    before = len([*Path("/dev/fd").iterdir()])
    read_npz_part(tmp_path / "a.npz", labels=False)
    with pytest.raises(DataError, match=r"not an \.npz file"):
        read_npz_part(tmp_path / "b.npz", labels=False)
    assert len([*Path("/dev/fd").iterdir()]) == before
