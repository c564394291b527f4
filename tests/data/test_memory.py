import os

import pytest

from bmtrain.data import memory
from bmtrain.errors import DataError


@pytest.fixture
def system(tmp_path, monkeypatch):
    def pretend(meminfo=None, limit=None):
        for name, content in (("_MEMINFO", meminfo), ("_CGROUP_LIMIT", limit)):
            path = tmp_path / name
            if content is not None:
                path.write_text(content)
            monkeypatch.setattr(memory, name, path)

    return pretend


def test_the_smaller_of_free_memory_and_the_containers_limit_counts(system):
    system("MemTotal: 9 kB\nMemAvailable:    2000 kB\n", "1000\n")
    assert memory.available_memory() == 1000
    system("MemTotal: 9 kB\nMemAvailable:    2000 kB\n", "max\n")
    assert memory.available_memory() == 2_048_000


def test_without_either_the_whole_memory_counts(system):
    system()
    assert memory.available_memory() == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    system("MemTotal: 9 kB\n")
    assert memory.available_memory() > 0


def test_more_than_there_is_is_a_data_error(system):
    system("MemAvailable: 2000 kB\n")
    memory.require_memory(2_048_000, where="here")
    with pytest.raises(DataError, match="here: needs 3 MB of memory; 2 MB are available"):
        memory.require_memory(3_000_000, where="here")
