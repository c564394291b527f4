"""What a stranger's checkpoint may cost: twice its size and 64 MB, and never more than seconds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bmtrain import strict_json

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="only Linux tells the peak of a while"
)

#: For each directory a child process reads it: how it ended, and its peak above where it began.
MEASURE = """
import json, os, sys
from pathlib import Path
from bmtrain.checkpoint.read import read_checkpoint
from bmtrain.errors import BmtrainError

def kilobytes(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1])

read_checkpoint(Path(sys.argv[1]))  # every module is imported now
for name in sys.argv[2:]:
    reader, writer = os.pipe()
    if os.fork() == 0:
        Path("/proc/self/clear_refs").write_text("5")
        before = kilobytes("VmRSS")
        try:
            read_checkpoint(Path(name))
            exit_code = 0
        except BmtrainError as error:
            exit_code = error.exit_code
        used = 1024 * (kilobytes("VmHWM") - before)
        os.write(writer, json.dumps([exit_code, used]).encode())
        os._exit(0)
    os.close(writer)
    os.wait()
    print(Path(name).name, os.read(reader, 100).decode())
"""

Forge = Callable[[Any, Path], None]
LONG = 190_000


def _engine(value: Any) -> Forge:
    return lambda forger, path: forger.change(path, "engine", x=value)


def _experiment(**entries: Any) -> Forge:
    return lambda forger, path: forger.change(path, "experiment", **entries)


def _facts(**entries: Any) -> Forge:
    def forge(forger: Any, path: Path) -> None:
        document = json.loads((path / "preprocessing.json").read_text()) | entries
        forger.replace(path, "preprocessing.json", json.dumps(document).encode())

    return forge


def _many_tensors(forger: Any, path: Path) -> None:
    arrays = {f"t{i}": np.zeros(1, np.float32) for i in range(20_000)}
    forger.replace_tensors(path, "model.safetensors", arrays)


def _large_tensors(forger: Any, path: Path) -> None:
    """48 MB, and no array begins where it could be used as it is."""
    content = b""
    entries, data = {}, np.ones(6 * 2**20, np.float32).tobytes()
    for i in range(2):
        offsets = [i * len(data), (i + 1) * len(data)]
        entries[f"t{i}"] = {"dtype": "F32", "shape": [6 * 2**20], "data_offsets": offsets}
    header = json.dumps(entries).encode()
    header += b" " * (-len(header) % 4 + 1)
    content = len(header).to_bytes(8, "little") + header + 2 * data
    forger.replace(path, "model.safetensors", content, tensors=forger.tensor_entries(content))


def _sparse(name: str) -> Forge:
    """All that is promised is there: a terabyte of holes."""

    def forge(forger: Any, path: Path) -> None:
        entry = {"dtype": "F32", "shape": [2**19, 2**19], "data_offsets": [0, 2**40]}
        header = json.dumps({"layers.1.kernel": entry}).encode()
        content = len(header).to_bytes(8, "little") + header
        tensor = {"dtype": "float32", "shape": [2**19, 2**19], "sha256": "ab" * 32}
        size = len(content) + 2**40
        forger.replace(path, name, content, tensors={"layers.1.kernel": tensor}, bytes=size)
        os.truncate(path / name, size)

    return forge


def _truncated_to_terabytes(forger: Any, path: Path) -> None:
    os.truncate(path / "manifest.json", 2**41)


def _header(header: bytes) -> Forge:
    return lambda forger, path: forger.replace(
        path, "model.safetensors", len(header).to_bytes(8, "little") + header
    )


def _promised_header(forger: Any, path: Path) -> None:
    forger.replace(path, "model.safetensors", (2**62).to_bytes(8, "little") + b"{}")


SAMPLES: dict[str, Forge] = {
    "a large file of arrays that lie askew": _large_tensors,
    "many small arrays": _many_tensors,
    "holes for a terabyte of arrays": _sparse("model.safetensors"),
    "holes in the optimizer's file": _sparse("optimizer.safetensors"),
    "a manifest of holes": _truncated_to_terabytes,
    "a header that promises exabytes": _promised_header,
    "a header of brackets": _header(b"[" * 4_000_000),
    "a header of one long name": _header(b'{"' + b"a" * 8_000_000 + b'": 1}'),
    "one long text": _engine("x" * (strict_json.MAX_BYTES - 20_000)),
    "one long number": _engine(None),
    "many numbers by name": _engine({f"{i:06x}": 1.5 for i in range(LONG)}),
    "many lists": _engine([[] for _ in range(LONG // 2)]),
    "deeper than can be walked": _engine(None),
    "many accumulators": lambda forger, path: forger.change(
        path, "state", accumulators={f"{i:06x}": 1.5 for i in range(LONG)}
    ),
    "a config of many wrong texts": _experiment(metrics=["x"] * 99_000),
    "a config of many wrong lists": _experiment(expect=[[]] * 90_000),
    "a config of many unknown keys": _experiment(**{f"key_{i:050}": 1 for i in range(90_000)}),
    "a config of many wrong layers": _experiment(
        model={
            "type": "layers",
            "layers": [{"type": "dense", **{f"k{j}": 1 for j in range(45)}} for _ in range(900)],
        }
    ),
    "a config of many features": lambda forger, path: forger.change(
        path,
        "experiment",
        data=forger.manifest(path)["experiment"]["data"]
        | {"features": [f"f{i}" for i in range(99_000)]},
    ),
    "many classes": _facts(class_names=[f"class {i}" for i in range(LONG)], num_outputs=LONG),
    "many features": _facts(
        feature_names=[f"feature {i}" for i in range(LONG)], input_shape=[LONG]
    ),
}
#: What JSON's writer would not write.
RAW = {
    "one long number": b"1" * 8_000_000,
    "deeper than can be walked": b"[" * 90_000 + b"]" * 90_000,
}


@pytest.mark.long
def test_a_checkpoint_costs_twice_its_size_and_64_mb_at_most(
    written: Path, tmp_path: Path, forger: Any
) -> None:
    for name, forge in SAMPLES.items():
        shutil.copytree(written, tmp_path / name)
        forge(forger, tmp_path / name)
        if name in RAW:
            forger.seal_raw(tmp_path / name, b'"x": null', b'"x": ' + RAW[name])
    paths = [tmp_path / name for name in SAMPLES]
    answer = subprocess.run(
        [sys.executable, "-c", MEASURE, str(written), *map(str, paths)],
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    print(answer.stdout)
    measured = dict(line.rsplit(" [", 1) for line in answer.stdout.splitlines())
    assert measured.keys() == SAMPLES.keys(), answer.stderr
    for path in paths:
        exit_code, used = json.loads(f"[{measured[path.name]}")
        on_disk = sum(file.stat().st_blocks * 512 for file in path.iterdir())
        assert exit_code in (0, 7), path.name
        assert used <= 2 * on_disk + 64 * 2**20, (path.name, used / 2**20)
