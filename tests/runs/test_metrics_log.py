"""The metrics log: one line per record, whole lines only, and its length is known."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bmtrain.errors import CheckpointError, EnvironmentFault
from bmtrain.runs.metrics_log import MetricsLog, epochs_in, finite, read_epochs


def test_each_record_is_one_line_that_is_there_at_once(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    with MetricsLog(path) as log:
        assert log.num_bytes == 0
        log.append({"epoch": 1, "train": {"loss": 0.1}})
        assert path.read_text() == '{"epoch": 1, "train": {"loss": 0.1}}\n'
        log.append({"epoch": 2})
        log.flush()
        assert path.read_text().splitlines()[1] == '{"epoch": 2}'
        assert log.num_bytes == path.stat().st_size


def test_what_is_not_finite_is_null(tmp_path: Path) -> None:
    with MetricsLog(tmp_path / "m") as log:
        log.append({"a": float("nan"), "b": [float("inf"), 1.5], "c": {"d": float("-inf")}})
    assert json.loads((tmp_path / "m").read_text()) == {
        "a": None,
        "b": [None, 1.5],
        "c": {"d": None},
    }


@settings(deadline=None)
@given(
    st.recursive(
        st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.text() | st.none(),
        lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    )
)
def test_everything_finite_stays_what_it_was(value: Any) -> None:
    assert json.dumps(finite(value), allow_nan=False) == json.dumps(value)


def test_an_existing_log_is_gone_on_with(tmp_path: Path) -> None:
    with MetricsLog(tmp_path / "m") as log:
        log.append({"epoch": 1})
    with MetricsLog(tmp_path / "m") as log:
        assert log.num_bytes == (tmp_path / "m").stat().st_size
        log.append({"epoch": 2})
    lines = (tmp_path / "m").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2]


def test_it_is_truncated_to_a_recorded_length_and_goes_on_from_there(tmp_path: Path) -> None:
    with MetricsLog(tmp_path / "m") as log:
        log.append({"epoch": 1})
        recorded = log.num_bytes
        log.append({"epoch": 2, "of": "the run that was killed"})
        log.truncate(recorded)
        assert log.num_bytes == recorded
        log.append({"epoch": 2})
    assert (tmp_path / "m").read_text() == '{"epoch": 1}\n{"epoch": 2}\n'


def test_a_log_shorter_than_recorded_has_lost_lines(tmp_path: Path) -> None:
    with MetricsLog(tmp_path / "m") as log:
        log.append({"epoch": 1})
        with pytest.raises(CheckpointError, match="has 13 bytes, the checkpoint was made at 14"):
            log.truncate(14)


def test_a_half_written_line_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real_write = os.write
    with MetricsLog(tmp_path / "m") as log:
        log.append({"epoch": 1})

        def write_half(descriptor: int, content: memoryview) -> int:
            if len(content) < 8:
                raise OSError(errno.ENOSPC, "No space left on device")
            return real_write(descriptor, content[: len(content) // 2])

        with monkeypatch.context() as patched:
            patched.setattr(os, "write", write_half)
            with pytest.raises(EnvironmentFault, match="write the metrics log: the disk is full"):
                log.append({"epoch": 2})
        assert (tmp_path / "m").read_text() == '{"epoch": 1}\n'
        log.append({"epoch": 2})
    assert (tmp_path / "m").read_text() == '{"epoch": 1}\n{"epoch": 2}\n'


def test_it_may_be_closed_twice(tmp_path: Path) -> None:
    log = MetricsLog(tmp_path / "m")
    log.close()
    log.close()


def test_a_place_where_it_cannot_be_is_the_environments_fault(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="cannot open the metrics log"):
        MetricsLog(tmp_path / "absent" / "m")


LINE = '{"epoch": %d, "train": {"loss": 0.5}, "time": {"epoch_s": 0.1}}'


def test_the_epochs_of_a_log_are_read_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "m"
    path.write_text(f"{LINE % 1}\n{LINE % 2}\n")
    assert [entry["epoch"] for entry in read_epochs(path)] == [1, 2]
    os.truncate(path, 2**40)  # it has holes: nothing after the second line is on the disk
    epochs = epochs_in(path)
    assert [next(epochs)["epoch"], next(epochs)["epoch"]] == [1, 2]
    with pytest.raises(CheckpointError, match="line 3 is damaged: over 65,536 bytes"):
        next(epochs)


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        "{",
        LINE % 2,
        LINE % 0,
        LINE.replace("0.5", "NaN") % 1,
        LINE.replace("0.5", "1e999") % 1,
        LINE.replace("0.5", "1" + "0" * 400) % 1,
        LINE.replace("0.5", '"text"') % 1,
        LINE.replace("0.5", "true") % 1,
        LINE.replace("0.1", "null") % 1,
        LINE.replace("0.1", "1" + "0" * 400) % 1,
        LINE.replace('"train"', '"validation": [], "train"') % 1,
        LINE.replace('"train"', '"validation": {"loss": []}, "train"') % 1,
        LINE.replace('"train"', '"epoch": 1, "train"') % 1,
        LINE.replace("0.5", "[" * 1000 + "]" * 1000) % 1,
    ],
)
def test_a_line_that_is_not_an_epochs_figures_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "m").write_text(f"{line}\n")
    with pytest.raises(CheckpointError, match="line 1 is damaged") as caught:
        read_epochs(tmp_path / "m")
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("nothing_hangs")
def test_a_pipe_in_its_place_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m")
    for use in (MetricsLog, read_epochs):
        with pytest.raises(CheckpointError, match="not a regular file"):
            use(tmp_path / "m")


def test_of_a_log_that_is_being_written_the_whole_lines_are_read(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    line = '{"epoch": 1, "train": {"loss": 0.5}, "time": {"epoch_s": 0.1}}\n'
    path.write_text(line + '{"epoch": 2, "tr')
    assert [entry["epoch"] for entry in epochs_in(path, may_grow=True)] == [1]
    with pytest.raises(CheckpointError, match="line 2 is damaged"):
        list(epochs_in(path))
