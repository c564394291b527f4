"""A stranger's checkpoint can be anything: it is refused, named, and nothing happens."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bmtrain import tensor_files
from bmtrain.checkpoint.content import Checkpoint
from bmtrain.checkpoint.read import read_checkpoint
from bmtrain.errors import CheckpointError

MakeCheckpoint = Callable[..., Checkpoint]
Document = dict[str, Any]


def refused(directory: Path, words: str) -> CheckpointError:
    with pytest.raises(CheckpointError, match=words) as caught:
        read_checkpoint(directory)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 7
    return caught.value


def test_a_manifest_sealed_again_is_read(forger: Any, written: Path) -> None:
    forger.seal(written, forger.manifest(written))
    read_checkpoint(written)


def test_a_newer_format_says_to_upgrade(forger: Any, written: Path) -> None:
    document = forger.manifest(written)
    document["format_version"] = 2
    forger.seal(written, document)
    assert refused(written, "format is version 2, this bmtrain reads up to 1").hint == (
        "upgrade bmtrain"
    )
    # A newer format need not be sealed as ours is.
    (written / "manifest.json").write_text(
        '{"format": "bmtrain-checkpoint", "format_version": 30, "new": {"things": NaN}}'
    )
    refused(written, "format is version 30")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": "other"}, "expected format 'bmtrain-checkpoint'"),
        ({"format_version": 0}, "expected format 'bmtrain-checkpoint'"),
        ({"format_version": True, "format": "x"}, "expected format"),
        ({"extra": 1}, "the manifest: expected the keys"),
        ({"engine": []}, "engine: expected a mapping"),
        ({"engine": {"os.system": 1}}, "engine: expected at most 100 names"),
        ({"engine": {f"a{i}": 1 for i in range(101)}}, "engine: expected at most 100 names"),
        ({"files": []}, "files: expected the keys"),
        ({"files": {}}, "files: expected the keys"),
        ({"experiment": []}, "experiment: expected a mapping"),
        ({"experiment": {}}, "the recorded config does not hold"),
        ({"state": None}, "state: expected the keys"),
    ],
)
def test_a_manifest_of_another_form_is_refused(
    forger: Any, written: Path, change: Document, words: str
) -> None:
    forger.seal(written, forger.manifest(written) | change)
    refused(written, words)


@pytest.mark.parametrize("name", ["code.py", "../../secret", "/etc/passwd"])
def test_a_manifest_names_no_further_file(forger: Any, written: Path, name: str) -> None:
    document = forger.manifest(written)
    document["files"][name] = document["files"]["preprocessing.json"]
    forger.seal(written, document)
    refused(written, r"manifest\.json: not a manifest.*files: expected the keys")


@pytest.mark.parametrize("section", ["data", "model", "loss", "optimizer", "training", None])
def test_a_recorded_config_has_no_unknown_keys(
    forger: Any, written: Path, section: str | None
) -> None:
    document = forger.manifest(written)
    experiment = document["experiment"]
    (experiment if section is None else experiment[section])["custom_objects"] = "os.system"
    forger.seal(written, document)
    refused(written, r"manifest\.json: the recorded config does not hold: .*custom_objects")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("bytes", -1),
        ("bytes", "300"),
        ("bytes", 2**63),
        ("sha256", "AB" * 32),
        ("sha256", None),
        ("sha256", "ab"),
        ("tensors", []),
        ("tensors", {"layers.1.bias": []}),
        ("tensors", {"layers.1.bias": {"dtype": 3, "shape": [2], "sha256": "ab" * 32}}),
        ("tensors", {"layers.1.bias": {"dtype": "float32", "shape": 2, "sha256": "ab" * 32}}),
        ("tensors", {"layers.1.bias": {"dtype": "float32", "shape": [-2], "sha256": "ab" * 32}}),
        # More axes than a tensor of the file may have.
        (
            "tensors",
            {"layers.1.bias": {"dtype": "float32", "shape": [1] * 33, "sha256": "ab" * 32}},
        ),
        ("tensors", {"layers.1.bias": {"dtype": "float32", "shape": [2], "sha256": "x"}}),
        ("path", "/etc/passwd"),
    ],
)
def test_every_entry_about_a_file_is_checked(
    forger: Any, written: Path, name: str, value: Any
) -> None:
    document = forger.manifest(written)
    document["files"]["model.safetensors"][name] = value
    forger.seal(written, document)
    refused(written, r"manifest\.json: not a manifest.*model\.safetensors")


PLATEAU = {"best": None, "waited": 0, "cooldown": 0, "reductions": 0}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epoch", -1),
        ("epoch", 1.0),
        ("step", True),
        ("step", None),
        ("step", 2**70),
        ("log_bytes", "3"),
        ("best_epoch", -1),
        ("best_step", "3"),
        ("best_value", "0.5"),
        ("best_value", 10**400),
        ("accumulators", []),
        ("accumulators", {"loss": None}),
        ("accumulators", {"loss": True}),
        ("accumulators", {f"a{i}": 0.5 for i in range(101)}),
        ("stopped_early", 0),
        ("plateau", None),
        ("plateau", {"best": None}),
        ("plateau", PLATEAU | {"best": "0.5"}),
        ("plateau", PLATEAU | {"reductions": -1}),
        ("plateau", PLATEAU | {"module": 1}),
        ("module", "os"),
    ],
)
def test_every_entry_of_the_state_is_checked(
    forger: Any, written: Path, name: str, value: Any
) -> None:
    document = forger.manifest(written)
    document["state"][name] = value
    forger.seal(written, document)
    refused(written, r"manifest\.json: damaged: state")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("task", "guessing", "task: expected one of classification, regression"),
        ("task", [], "task: expected one of"),
        ("task", "regression", "class_names: expected names for classification, null"),
        ("class_names", None, "class_names: expected names for classification"),
        ("class_names", ["a"], "expected num_outputs = 2 names"),
        ("class_names", [1, 2], "class_names: expected a text"),
        ("class_names", "ab", "class_names: expected a list"),
        ("class_names", ["\ud800", "b"], "half a surrogate"),
        ("num_outputs", 0, "num_outputs: expected a whole number >= 1"),
        ("num_outputs", 2.0, "num_outputs: expected a whole number >= 1"),
        ("num_train_examples", True, "num_train_examples: expected"),
        ("input_shape", 3, "input_shape: expected a list"),
        ("input_shape", [1] * 17, "input_shape: expected a list"),
        ("input_shape", [], "input_shape: expected a list"),
        ("input_shape", [0], "input_shape: expected a whole number"),
        ("input_shape", [2**41], "input_shape: expected a whole number"),
        ("input_shape", [4], "feature_names: expected one per input"),
        ("input_dtype", "object", "input_dtype: expected one of"),
        ("feature_names", ["a"], "feature_names: expected one per input"),
        ("label_name", 3, "label_name: expected a text"),
        ("fingerprint", None, "fingerprint: expected a text"),
        ("normalize", "magic", "normalize: expected one of"),
        ("module", "os", "expected the keys"),
    ],
)
def test_every_entry_of_the_preprocessing_is_checked(
    forger: Any, written: Path, name: str, value: Any, words: str
) -> None:
    document = json.loads((written / "preprocessing.json").read_text())
    document[name] = value
    forger.replace(written, "preprocessing.json", json.dumps(document).encode())
    assert refused(written, words).where == str(written / "preprocessing.json")


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        ({"offset": np.zeros((), np.float32)}, "expected the tensors offset and scale"),
        (
            {"offset": np.zeros(4, np.float32), "scale": np.zeros(3, np.float32)},
            r"tensor offset: expected float32 of shape \(\) or \(3,\)",
        ),
        (
            {"offset": np.zeros(3, np.float64), "scale": np.zeros(3, np.float32)},
            "tensor offset: expected float32",
        ),
        (
            {"offset": np.zeros(3, np.float32), "scale": np.full(3, np.nan, np.float32)},
            "tensor scale: a value is not finite",
        ),
    ],
)
def test_the_statistics_must_fit_the_facts(
    forger: Any, written: Path, tensors: dict[str, Any], words: str
) -> None:
    content = tensor_files.encode(tensors)
    entries = forger.tensor_entries(content)
    forger.replace(written, "preprocessing.safetensors", content, tensors=entries)
    refused(written, words)


def test_file_and_manifest_must_agree_on_every_tensor(forger: Any, written: Path) -> None:
    kernel = np.zeros((2, 3), np.float32)
    content = tensor_files.encode({"layers.1.kernel": kernel, "layers.1.bias": kernel[0]})
    entries = forger.tensor_entries(content)
    entries["layers.1.kernel"]["shape"] = [3, 2]
    forger.replace(written, "model.safetensors", content, tensors=entries)
    refused(
        written, r"layers\.1\.kernel: float32 \(2, 3\) in the file, float32 \(3, 2\) in the man"
    )
    entries["layers.1.kernel"]["shape"] = [2, 3]
    forger.replace(
        written, "model.safetensors", content, tensors=entries | {"x": entries.popitem()[1]}
    )
    refused(written, "is not in both the file and the manifest")


def test_a_header_with_other_bytes_for_the_same_tensors_is_damage(written: Path) -> None:
    path = written / "model.safetensors"
    content = path.read_bytes()
    header = content[8 : content.index(b"}}") + 2]
    swapped = json.dumps(dict(reversed(json.loads(header).items())), separators=(",", ":"))
    assert len(swapped) == len(header)
    path.write_bytes(content.replace(header, swapped.encode()))
    refused(written, r"model\.safetensors: damaged: its header does not match")
