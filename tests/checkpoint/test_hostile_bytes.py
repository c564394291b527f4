"""Bytes that lie about themselves: JSON with traps, headers that promise what is not there."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from bmtrain.checkpoint.read import read_checkpoint
from bmtrain.errors import CheckpointError, EnvironmentFault


def refused(directory: Path, words: str) -> None:
    with pytest.raises(CheckpointError, match=words) as caught:
        read_checkpoint(directory)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 7


@pytest.mark.parametrize(
    ("new", "words"),
    [
        (b'"seed": NaN', "NaN is not a number of JSON"),
        (b'"seed": -Infinity', "-Infinity is not a number of JSON"),
        (b'"seed": 1e999', "a number is too large"),
        (b'"seed": 1, "seed": 2', "the key 'seed' is there twice"),
        (b'"seed": ' + b"[" * 65 + b"]" * 65, "nested deeper than 64"),
        (b'"seed": ' + b"[" * 50_000 + b"]" * 50_000, "nested deeper than 64"),
        (b'"seed": ' + b"1" * 5000, "limit"),
        (b'"seed": "\xff"', "a byte that is not ASCII"),
    ],
)
def test_json_without_its_traps(forger: Any, written: Path, new: bytes, words: str) -> None:
    forger.seal_raw(written, b'"seed": 3', new)
    refused(written, rf"manifest\.json: not a manifest of a checkpoint: .*{words}")


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ('{"a": {"dtype": "F32", "shape": [NaN], "data_offsets": [0, 4]}}', "NaN is not a num"),
        ('{"a": {}, "a": {}}', "the key 'a' is there twice"),
        ("[" * 50_000 + "]" * 50_000, "nested deeper than 64"),
        ('{"../a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}', "is not a name for"),
        (
            '{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4], "file": "/etc/passwd"}}',
            "expected dtype",
        ),
        (
            '{"a": {"dtype": "F32", "shape": [1048576, 1048576], "data_offsets": [0, 4398046511104]}}',
            "end at byte",
        ),
        (
            '{"a": {"dtype": "F32", "shape": [1], "data_offsets": [-4, 0]}}',
            "not a pair of positions",
        ),
        (
            (
                '{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},'
                ' "b": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}'
            ),
            "overlap others or leave a gap",
        ),
        ('{"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}', "leave a gap"),
    ],
)
def test_a_header_that_lies_is_refused(forger: Any, written: Path, header: str, words: str) -> None:
    content = len(header).to_bytes(8, "little") + header.encode() + bytes(4)
    forger.replace(written, "model.safetensors", content)
    refused(written, rf"model\.safetensors: damaged: .*{words}")


def test_a_file_of_holes_is_damage_where_the_memory_ends(
    forger: Any, written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is really there and too large for this machine is not the checkpoint's fault."""
    monkeypatch.setattr("bmtrain.checkpoint.tensors.available_memory", lambda: 2**20)
    entry = {"dtype": "F32", "shape": [2**20], "data_offsets": [0, 2**22]}
    header = json.dumps({"a": entry}).encode()
    content = len(header).to_bytes(8, "little") + header + b"\1" * 2**22
    forger.replace(written, "model.safetensors", content, tensors=forger.tensor_entries(content))
    with pytest.raises(EnvironmentFault, match="needs 4 MB of memory; 1 MB are available"):
        read_checkpoint(written)
    (written / "model.safetensors").write_bytes(content[: -(2**22)])
    os.truncate(written / "model.safetensors", len(content))
    refused(written, r"model\.safetensors: damaged: it promises 4,194,\d+ bytes, and has [\d,]+ on")


def test_a_sparse_file_of_terabytes_is_not_read(forger: Any, written: Path) -> None:
    os.truncate(written / "manifest.json", 2**41)
    refused(written, "2199023255552 bytes; at most")
    document = forger.manifest(written)
    os.truncate(written / "preprocessing.json", 2**41)
    document["files"]["preprocessing.json"]["bytes"] = 2**41
    forger.seal(written, document)
    refused(written, "preprocessing.json: damaged: 2199023255552 bytes")
