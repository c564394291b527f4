import pytest

from bmtrain.data.raw.memory import megabytes, require_memory
from bmtrain.errors import DataError


def test_more_than_there_is_is_a_data_error(monkeypatch):
    monkeypatch.setattr("bmtrain.data.raw.memory.available_memory", lambda: 2_048_000)
    require_memory(2_048_000, where="here")
    with pytest.raises(DataError, match="here: needs 3 MB of memory; 2 MB are available"):
        require_memory(3_000_000, where="here")


def test_sizes_have_a_unit_that_fits():
    sizes = [999_999, 1_000_000, 9_999_000_000, 10_000_000_000, 44_000_000_000_000]
    assert list(map(megabytes, sizes)) == [
        *("999,999 bytes", "1 MB", "9,999 MB", "10 GB", "44,000 GB"),
    ]
