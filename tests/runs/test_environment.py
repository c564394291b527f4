"""What ran where, found without importing it, and never a failure."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from bmtrain.errors import EnvironmentFault
from bmtrain.runs.environment import environment_facts, read_json, write_json


def test_versions_and_platform_are_those_of_this_process() -> None:
    facts = environment_facts()
    assert facts["python"] == platform.python_version()
    assert facts["packages"]["numpy"] == metadata.version("numpy")
    assert facts["cores"] >= 1
    assert facts["memory_bytes"] > 2**20
    json.dumps(facts, allow_nan=False)


def test_a_package_that_is_not_there_has_no_version() -> None:
    packages = environment_facts(["no-such-package-anywhere"])["packages"]
    assert packages == {"no-such-package-anywhere": None}


def test_what_the_machine_does_not_tell_is_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise OSError

    monkeypatch.setattr(Path, "read_text", refuse)
    monkeypatch.setattr(os, "sysconf", refuse)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(platform, "processor", lambda: "")
    facts = environment_facts([])
    assert facts["processor"] is None
    assert facts["memory_bytes"] is None
    assert facts["cores"] == os.cpu_count()


def test_a_processor_without_a_name_is_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: "flags: fpu\n")
    monkeypatch.setattr(platform, "processor", lambda: "riscv")
    assert environment_facts([])["processor"] == "riscv"


def test_finding_the_facts_imports_none_of_the_packages() -> None:
    code = (
        "import sys; from bmtrain.runs.environment import environment_facts; environment_facts();"
        "print({'tensorflow', 'keras', 'polars', 'numpy'} & set(sys.modules))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert answer.stdout == b"set()\n"


def test_json_is_written_with_null_for_what_is_not_finite(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", {"loss": float("nan"), "name": "grün", "odd": "\ud800"})
    assert json.loads((tmp_path / "x.json").read_text())["loss"] is None
    assert read_json(tmp_path / "x.json")["name"] == "grün"
    assert '"gr\\u00fcn"' in (tmp_path / "x.json").read_text()  # ASCII, as strict_json reads it


@pytest.mark.usefixtures("nothing_hangs")
def test_only_a_regular_file_of_bounded_size_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write_json(path, {"a": 1})
    assert read_json(path) == {"a": 1}
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert read_json(path) == {}
    path.unlink()
    os.mkfifo(path)
    assert read_json(path) == {}
    path.unlink()
    path.touch()
    os.truncate(path, 2**41)
    assert read_json(path) == {}


def test_a_link_is_replaced_and_what_it_points_to_is_not(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    (tmp_path / "x.json").symlink_to(tmp_path / "mine")
    write_json(tmp_path / "x.json", {"a": 1})
    assert (tmp_path / "mine").read_text() == "precious"
    assert read_json(tmp_path / "x.json") == {"a": 1}


def test_json_that_cannot_be_written_is_the_environments_fault(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault):
        write_json(tmp_path / "absent" / "x.json", {})
