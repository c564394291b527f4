"""Files rot: every flipped bit, every truncation, every mix-up is detected and named."""

from __future__ import annotations

import dataclasses
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.numpy

from bmtrain.checkpoint.content import Checkpoint
from bmtrain.checkpoint.read import read_checkpoint, verify_checkpoint
from bmtrain.checkpoint.write import write_checkpoint
from bmtrain.errors import CheckpointError

MakeCheckpoint = Callable[..., Checkpoint]

FILES = (
    "manifest.json",
    "model.safetensors",
    "optimizer.safetensors",
    "preprocessing.json",
    "preprocessing.safetensors",
)


def test_every_flipped_bit_is_detected_and_its_file_named(written: Path) -> None:
    chosen = random.Random(0)
    sizes = {name: (written / name).stat().st_size for name in FILES}
    for _ in range(600):
        name = chosen.choices(FILES, [sizes[name] for name in FILES])[0]
        content = bytearray((written / name).read_bytes())
        position = chosen.randrange(len(content))
        content[position] ^= 1 << chosen.randrange(8)
        whole = (written / name).read_bytes()
        (written / name).write_bytes(content)
        for read in (verify_checkpoint, read_checkpoint):
            with pytest.raises(CheckpointError) as caught:
                read(written)
            assert caught.value.where == str(written / name)
            assert "newer" not in caught.value.message
        (written / name).write_bytes(whole)
    verify_checkpoint(written)


def test_every_bit_of_every_tensor_is_detected_and_the_tensor_named(written: Path) -> None:
    path = written / "model.safetensors"
    whole = path.read_bytes()
    bias = safetensors.numpy.load(whole)["layers.1.bias"].tobytes()
    begin = whole.index(bias)
    for position in range(begin, begin + len(bias)):
        for bit in range(8):
            content = bytearray(whole)
            content[position] ^= 1 << bit
            path.write_bytes(content)
            with pytest.raises(CheckpointError, match=r"tensor layers\.1\.bias does not match"):
                verify_checkpoint(written)


@pytest.mark.parametrize("name", FILES)
def test_truncation_at_every_length_is_detected_and_the_file_named(
    written: Path, name: str
) -> None:
    whole = (written / name).read_bytes()
    for length in range(len(whole)):
        os.truncate(written / name, length)
        with pytest.raises(CheckpointError) as caught:
            verify_checkpoint(written)
        assert caught.value.where == str(written / name)
        (written / name).write_bytes(whole)
    verify_checkpoint(written)


def test_the_tensor_that_is_cut_off_is_named(written: Path) -> None:
    path = written / "model.safetensors"
    os.truncate(path, path.stat().st_size - 1)
    with pytest.raises(CheckpointError, match=r"expected \d+; it is cut off in tensor layers\.1\."):
        verify_checkpoint(written)


@pytest.mark.parametrize("name", FILES)
def test_an_appended_byte_is_detected(written: Path, name: str) -> None:
    with (written / name).open("ab") as file:
        file.write(b"\n")
    with pytest.raises(CheckpointError) as caught:
        verify_checkpoint(written)
    assert caught.value.where == str(written / name)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(written: Path, name: str) -> None:
    (written / name).unlink()
    with pytest.raises(CheckpointError, match="it is missing") as caught:
        verify_checkpoint(written)
    assert caught.value.where == str(written / name)


@pytest.mark.parametrize("name", FILES[1:])
def test_a_file_of_another_checkpoint_is_detected(
    tmp_path: Path, written: Path, make_checkpoint: MakeCheckpoint, name: str
) -> None:
    other = make_checkpoint(20)
    facts = dataclasses.replace(other.preprocessing.facts, fingerprint="cd" * 32)
    shifted = dataclasses.replace(
        other.preprocessing, facts=facts, offset=other.preprocessing.offset + 1
    )
    write_checkpoint(tmp_path / "d", dataclasses.replace(other, preprocessing=shifted))
    shutil.copy(tmp_path / "d" / name, written / name)
    with pytest.raises(CheckpointError, match="sha256"):
        verify_checkpoint(written)
