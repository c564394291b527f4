"""Files rot: every flipped bit, every truncation, every mix-up is detected and named."""

from __future__ import annotations

import dataclasses
import json
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


def tensor_places(path: Path) -> dict[str, range]:
    """Which bytes of a safetensors file are whose, read off its header by hand."""
    content = path.read_bytes()
    begin = 8 + int.from_bytes(content[:8], "little")
    entries = json.loads(content[8:begin])
    entries.pop("__metadata__", None)
    return {
        name: range(begin + entry["data_offsets"][0], begin + entry["data_offsets"][1])
        for name, entry in entries.items()
    }


def places_in(written: Path) -> dict[str, dict[str, range]]:
    return {
        name: tensor_places(written / name) if name.endswith(".safetensors") else {}
        for name in FILES
    }


def flip(path: Path, position: int, bit: int) -> None:
    with path.open("r+b") as file:
        file.seek(position)
        (byte,) = file.read(1)
        file.seek(position)
        file.write(bytes([byte ^ 1 << bit]))


def test_of_ten_thousand_flipped_bits_each_is_detected_and_file_and_tensor_named(
    written: Path,
) -> None:
    chosen = random.Random(0)
    sizes = {name: (written / name).stat().st_size for name in FILES}
    places = places_in(written)
    for number in range(10_000):
        name = chosen.choices(FILES, [sizes[name] for name in FILES])[0]
        position, bit = chosen.randrange(sizes[name]), chosen.randrange(8)
        flip(written / name, position, bit)
        read = read_checkpoint if number % 10 == 0 else verify_checkpoint
        with pytest.raises(CheckpointError) as caught:
            read(written)
        assert caught.value.where == str(written / name)
        assert "newer" not in caught.value.message
        for tensor, place in places[name].items():
            if position in place:
                assert f"tensor {tensor} does not match its sha256" in caught.value.message
        flip(written / name, position, bit)
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
def test_truncation_at_every_length_is_detected_and_file_and_tensor_named(
    written: Path, name: str
) -> None:
    whole = (written / name).read_bytes()
    places = sorted(places_in(written)[name].items(), key=lambda item: item[1].stop)
    first = min((place.start for _, place in places), default=len(whole))
    for length in reversed(range(len(whole))):
        os.truncate(written / name, length)
        with pytest.raises(CheckpointError) as caught:
            verify_checkpoint(written)
        assert caught.value.where == str(written / name)
        if length >= first:
            cut = next(tensor for tensor, place in places if place.stop > length)
            assert caught.value.message.endswith(f"it is cut off in tensor {cut}")
    (written / name).write_bytes(whole)
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
