"""A checkpoint is written and read, bit for bit; what is off is named."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bmtrain.checkpoint.content import Checkpoint
from bmtrain.checkpoint.read import read_checkpoint, verify_checkpoint
from bmtrain.checkpoint.state import parse_state, state_document
from bmtrain.checkpoint.write import write_checkpoint
from bmtrain.data.examples.dataset import DataFacts
from bmtrain.data.examples.preprocessing import Preprocessing
from bmtrain.errors import CheckpointError, EnvironmentFault
from bmtrain.training_state import Plateau, TrainingState

MakeCheckpoint = Callable[..., Checkpoint]
AssertSame = Callable[[Checkpoint, Checkpoint], None]

FILES = (
    "manifest.json",
    "model.safetensors",
    "optimizer.safetensors",
    "preprocessing.json",
    "preprocessing.safetensors",
)


def test_what_is_written_is_read(
    written: Path, make_checkpoint: MakeCheckpoint, assert_same: AssertSame
) -> None:
    assert_same(read_checkpoint(written), make_checkpoint())
    assert verify_checkpoint(written) == make_checkpoint().state
    assert sorted(path.name for path in written.iterdir()) == sorted(FILES)
    assert [path.name for path in written.parent.iterdir()] == ["c"]


def test_the_files_are_what_other_programs_read(
    written: Path, make_checkpoint: MakeCheckpoint
) -> None:
    tensors = safetensors.numpy.load_file(written / "model.safetensors")
    for name, tensor in make_checkpoint().model.items():
        np.testing.assert_array_equal(tensors[name], tensor)
    manifest = json.loads((written / "manifest.json").read_text())
    assert manifest["format"] == "bmtrain-checkpoint"
    assert manifest["format_version"] == 1
    assert manifest["experiment"]["name"] == "small"
    for name in FILES[1:]:
        content = (written / name).read_bytes()
        assert manifest["files"][name]["bytes"] == len(content)
        assert manifest["files"][name]["sha256"] == hashlib.sha256(content).hexdigest()
    record = manifest["files"]["model.safetensors"]["tensors"]["layers.1.bias"]
    assert record == {
        "dtype": "float32",
        "shape": [2],
        "sha256": hashlib.sha256(tensors["layers.1.bias"].tobytes()).hexdigest(),
    }


def test_a_state_without_a_plateau_is_an_earlier_versions() -> None:
    document = state_document(TrainingState(epoch=3), 5)
    del document["plateau"]
    assert parse_state(document) == (TrainingState(epoch=3), 5)


def test_equal_checkpoints_are_equal_files(
    tmp_path: Path, written: Path, make_checkpoint: MakeCheckpoint
) -> None:
    write_checkpoint(tmp_path / "d", make_checkpoint())
    for name in FILES:
        assert (written / name).read_bytes() == (tmp_path / "d" / name).read_bytes()


finite = st.floats(allow_nan=False, allow_infinity=False)
counts = st.integers(0, 2**62)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
names = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
dtypes = st.sampled_from(
    [
        "float64",
        "float32",
        "float16",
        "int64",
        "int32",
        "int16",
        "int8",
        "uint64",
        "uint32",
        "uint16",
        "uint8",
        "bool",
    ]
)
tensors = st.dictionaries(
    st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,20}", fullmatch=True),
    dtypes.flatmap(
        lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, min_side=0, max_dims=3))
    ),
    max_size=4,
)
plateaus = st.builds(
    Plateau, best=st.none() | finite, waited=counts, cooldown=counts, reductions=counts
)
states = st.builds(
    TrainingState,
    epoch=counts,
    step_in_epoch=counts,
    step=counts,
    accumulators=st.dictionaries(text, finite, max_size=3),
    best_value=st.none() | finite,
    best_epoch=st.none() | counts,
    best_step=st.none() | counts,
    epochs_without_improvement=counts,
    stopped_early=st.booleans(),
    plateau=plateaus,
)


@st.composite
def preprocessings(draw: st.DrawFn) -> Preprocessing:
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=3))
    classes = draw(st.none() | st.lists(text, min_size=1, max_size=3).map(tuple))
    is_table = len(shape) == 1 and draw(st.booleans())
    facts = DataFacts(
        task="regression" if classes is None else "classification",
        input_shape=shape,
        input_dtype=draw(st.sampled_from(["uint8", "float32", "bool", "int16"])),
        class_names=classes,
        num_outputs=draw(st.integers(1, 9)) if classes is None else len(classes),
        feature_names=tuple(draw(text) for _ in range(shape[0])) if is_table else None,
        label_name=draw(st.none() | text),
        num_train_examples=draw(st.integers(1, 2**40)),
        fingerprint=draw(text),
    )
    numbers = st.floats(allow_nan=False, allow_infinity=False, width=32)
    offset, scale = (
        draw(hnp.arrays(np.float32, st.sampled_from([(), shape]), elements=numbers))
        for _ in range(2)
    )
    return Preprocessing(facts, draw(st.sampled_from(["unit", "none"])), offset, scale)


@settings(deadline=None, max_examples=60)
@given(
    st.fixed_dictionaries(
        {
            "state": states,
            "model": tensors,
            "optimizer": tensors,
            "preprocessing": preprocessings(),
            "engine": st.dictionaries(names, text | counts, max_size=3),
        }
    )
)
def test_every_checkpoint_comes_back_bit_for_bit(
    make_checkpoint: MakeCheckpoint,
    assert_same: AssertSame,
    parts: dict[str, Any],
) -> None:
    checkpoint = make_checkpoint(**parts)
    with tempfile.TemporaryDirectory() as directory:
        write_checkpoint(Path(directory) / "c", checkpoint)
        assert_same(read_checkpoint(Path(directory) / "c"), checkpoint)


def test_the_optimizer_stays_closed_when_it_is_not_asked_for(written: Path) -> None:
    (written / "optimizer.safetensors").unlink()
    assert read_checkpoint(written, with_optimizer=False).optimizer == {}
    with pytest.raises(
        CheckpointError, match=r"optimizer\.safetensors: cannot be read: it is miss"
    ):
        read_checkpoint(written)


def test_the_tensors_are_written_in_the_order_of_memory_whatever_it_was(
    tmp_path: Path, make_checkpoint: MakeCheckpoint
) -> None:
    model = {
        "fortran": np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
        "strided": np.arange(12, dtype=np.float32)[::3],
        "big_endian": np.arange(3, dtype=">f4"),
    }
    write_checkpoint(tmp_path / "c", make_checkpoint(model=model))
    read = read_checkpoint(tmp_path / "c").model
    for name, tensor in model.items():
        np.testing.assert_array_equal(read[name], tensor)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": {"../x": np.zeros(1)}}, "'../x' is not a name"),
        ({"model": {"": np.zeros(1)}}, "'' is not a name"),
        ({"model": {"a": np.array(["text"])}}, "a: tensors of dtype <U4 are not stored"),
        ({"model": {"a": np.array([object()])}}, "a: tensors of dtype object are not stored"),
        ({"engine": {"x": float("nan")}}, "Out of range float"),
        ({"engine": {"not a name": 1}}, "engine: expected at most 100 names"),
    ],
)
def test_what_the_format_has_no_place_for_is_not_written(
    tmp_path: Path, make_checkpoint: MakeCheckpoint, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        write_checkpoint(tmp_path / "c", make_checkpoint(**changes))
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_is_not_written_over_another(
    written: Path, make_checkpoint: MakeCheckpoint
) -> None:
    before = {name: (written / name).read_bytes() for name in FILES}
    with pytest.raises(EnvironmentFault, match="exists already and is not empty"):
        write_checkpoint(written, make_checkpoint(20))
    assert {name: (written / name).read_bytes() for name in FILES} == before
    assert [path.name for path in written.parent.iterdir()] == ["c"]


def test_a_missing_parent_directory_is_a_fault(
    tmp_path: Path, make_checkpoint: MakeCheckpoint
) -> None:
    with pytest.raises(EnvironmentFault, match="cannot save the checkpoint: no such file"):
        write_checkpoint(tmp_path / "absent" / "c", make_checkpoint())
