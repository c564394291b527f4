"""``manifest.json``: what belongs to a checkpoint, with sizes and sha256, sealed by its own.

The seal is the last entry: the sha256 of all bytes before it, so that a flipped bit
anywhere in the manifest shows. It guards against rot, not against people: who can
write the file can seal it. What strangers write is checked value by value.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bmtrain import strict_json
from bmtrain.config.plugin_records import PluginRecord, parse_records
from bmtrain.errors import CheckpointError, NewerFormat
from bmtrain.tensor_files import MAX_RANK

FORMAT = "bmtrain-checkpoint"
FORMAT_VERSION = 1

MANIFEST = "manifest.json"
MODEL = "model.safetensors"
OPTIMIZER = "optimizer.safetensors"
PREPROCESSING = "preprocessing.json"
STATISTICS = "preprocessing.safetensors"
#: In the order in which they are written; the manifest follows them.
FILES = (MODEL, OPTIMIZER, PREPROCESSING, STATISTICS)
TENSOR_FILES = (MODEL, OPTIMIZER, STATISTICS)

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_MAX_ENGINE_ENTRIES = 100
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SEAL = re.compile(rb',\n "sha256": "([0-9a-f]{64})"\n}\n')
_SEAL_BYTES = 82
_NEWER = re.compile(rb'\A\{\s*"format": "bmtrain-checkpoint",\s*"format_version": (\d{1,9}),')


@dataclass(frozen=True, slots=True)
class TensorRecord:
    """An array as the manifest knows it."""

    dtype: str
    shape: tuple[int, ...]
    sha256: str


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file as the manifest knows it."""

    num_bytes: int
    sha256: str
    tensors: Mapping[str, TensorRecord]


@dataclass(frozen=True, slots=True)
class Manifest:
    """The sections of a manifest; ``experiment`` and ``state`` are checked by their owners.

    ``plugins`` is there in the file where there are some.
    """

    experiment: Any
    engine: Mapping[str, Any]
    state: Any
    files: Mapping[str, FileRecord]
    plugins: tuple[PluginRecord, ...] = ()


def encode_manifest(manifest: Manifest) -> bytes:
    """The sealed bytes. Raises ``ValueError`` on what JSON cannot say, and beyond its bounds."""
    _check_engine(manifest.engine)
    document = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "state": manifest.state,
        "engine": dict(manifest.engine),
        "experiment": manifest.experiment,
        **({"plugins": [r.document() for r in manifest.plugins]} if manifest.plugins else {}),
        "files": {name: _file_entry(record) for name, record in manifest.files.items()},
    }
    body = strict_json.encode(document).removesuffix(b"\n}")
    return body + f',\n "sha256": "{hashlib.sha256(body).hexdigest()}"\n}}\n'.encode()


def _file_entry(record: FileRecord) -> dict[str, Any]:
    entry: dict[str, Any] = {"bytes": record.num_bytes, "sha256": record.sha256}
    if record.tensors:
        entry["tensors"] = {
            name: {"dtype": tensor.dtype, "shape": list(tensor.shape), "sha256": tensor.sha256}
            for name, tensor in record.tensors.items()
        }
    return entry


def decode_manifest(content: bytes, where: str) -> Manifest:
    """Checks seal, format and version, then every entry about files.

    Raises:
        CheckpointError: damaged, of a newer format, or not a manifest.
    """
    _check_seal(content, where)
    try:
        document = strict_json.decode(content)
        return _manifest(document)
    except ValueError as error:
        raise CheckpointError(f"not a manifest of a checkpoint: {error}", where=where) from None


def _check_seal(content: bytes, where: str) -> None:
    seal = _SEAL.fullmatch(content, max(0, len(content) - _SEAL_BYTES))
    sealed = seal and hashlib.sha256(content[: seal.start()]).hexdigest() == seal[1].decode()
    version = _NEWER.match(content)
    # A flipped bit in the version leaves the seal in its place but not valid: that is damage.
    if version and int(version[1]) > FORMAT_VERSION and (sealed or not seal):
        raise NewerFormat(
            f"its format is version {int(version[1])}, this bmtrain reads up to {FORMAT_VERSION}",
            where=where,
            hint="upgrade bmtrain",
        )
    if not sealed:
        raise CheckpointError("damaged: its content does not match its sha256", where=where)


def _manifest(document: Any) -> Manifest:
    if isinstance(document, dict):
        document = {"plugins": []} | document
    entries = _entries(
        document,
        {"plugins", "format", "format_version", "state", "engine", "experiment", "files", "sha256"},
        "the manifest",
    )
    if entries["format"] != FORMAT or entries["format_version"] != FORMAT_VERSION:
        raise ValueError(f"expected format {FORMAT!r}, version {FORMAT_VERSION}")
    _check_engine(entries["engine"])
    files = _entries(entries["files"], set(FILES), "files")
    records = {name: _file_record(name, files[name]) for name in FILES}
    plugins = parse_records(entries["plugins"])
    return Manifest(entries["experiment"], entries["engine"], entries["state"], records, plugins)


def _check_engine(value: Any) -> None:
    """Its values are whatever JSON can say; they are compared and shown, never followed."""
    strict_json.require(isinstance(value, Mapping), "engine: expected a mapping")
    are_names = len(value) <= _MAX_ENGINE_ENTRIES and all(map(_NAME.fullmatch, value))
    strict_json.require(are_names, f"engine: expected at most {_MAX_ENGINE_ENTRIES} names")


def _entries(value: Any, keys: set[str], what: str) -> dict[str, Any]:
    if not isinstance(value, dict) or value.keys() != keys:
        raise ValueError(f"{what}: expected the keys {', '.join(sorted(keys))}")
    return value


def _file_record(name: str, value: Any) -> FileRecord:
    if isinstance(value, dict) and name in TENSOR_FILES:
        value = {"tensors": {}} | value
    keys = {"bytes", "sha256"} | ({"tensors"} if name in TENSOR_FILES else set())
    entry = _entries(value, keys, name)
    num_bytes = _whole_number(entry["bytes"], name)
    tensors = entry.get("tensors", {})
    strict_json.require(isinstance(tensors, dict), f"{name}: tensors: expected a mapping")
    records = {key: _tensor_record(f"{name}: {key!a:.80}", tensors[key]) for key in tensors}
    return FileRecord(num_bytes, _digest(entry["sha256"], name), records)


def _tensor_record(what: str, value: Any) -> TensorRecord:
    entry = _entries(value, {"dtype", "shape", "sha256"}, what)
    is_array = isinstance(entry["dtype"], str) and isinstance(entry["shape"], list)
    is_array = is_array and len(entry["shape"]) <= MAX_RANK
    strict_json.require(is_array, f"{what}: expected a dtype and a shape")
    shape = tuple(_whole_number(size, what) for size in entry["shape"])
    return TensorRecord(entry["dtype"], shape, _digest(entry["sha256"], what))


def _whole_number(value: Any, what: str) -> int:
    if type(value) is not int or not 0 <= value <= 2**62:
        raise ValueError(f"{what}: expected a whole number >= 0")
    return value


def _digest(value: Any, what: str) -> str:
    if type(value) is not str or not _SHA256.fullmatch(value):
        raise ValueError(f"{what}: expected a sha256")
    return value
