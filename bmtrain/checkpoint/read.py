"""Reading a checkpoint of anybody's: data comes out, or an error; nothing is run.

The manifest is checked first, then the preprocessing; what sizes they promise is
compared with the files and with what the config implies; only then are tensors
read, and their sha256 compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bmtrain import strict_json, tensor_files
from bmtrain.checkpoint import manifest as form
from bmtrain.checkpoint.content import Array, Checkpoint
from bmtrain.checkpoint.files import opened, reading
from bmtrain.checkpoint.preprocessing import join, parse_facts
from bmtrain.checkpoint.state import parse_state
from bmtrain.checkpoint.tensors import Shapes, check_shapes, read_tensors
from bmtrain.config.plugin_records import require_named
from bmtrain.config.plugin_tables import NO_PLUGINS, Plugins
from bmtrain.config.resolved import experiment_from_plain
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.data.examples.preprocessing import Preprocessing
from bmtrain.errors import BmtrainError, CheckpointError
from bmtrain.training_state import TrainingState


def read_checkpoint(
    directory: Path,
    expected_model: Callable[[ExperimentConfig, Preprocessing], Shapes] | None = None,
    *,
    with_optimizer: bool = True,
    plugins: Plugins = NO_PLUGINS,
) -> Checkpoint:
    """Reads and verifies ``directory``.

    Args:
        directory: of the checkpoint itself.
        expected_model: the shapes, by name, of the model that the config implies. Called
            before any tensor of the model is read; the file must hold exactly these.
        with_optimizer: False leaves the optimizer's file closed and ``optimizer`` empty.
        plugins: that the user named; none is loaded from what the checkpoint says.

    Raises:
        CheckpointError: damaged, of a newer format, or not what the config implies; the
            file and the tensor are named.
        EnvironmentFault: permissions.
    """
    manifest, described = _described(directory, plugins)
    if expected_model is not None:
        with _implied(directory):
            expected = expected_model(described.experiment, described.preprocessing)
        check_shapes(directory / form.MODEL, manifest.files[form.MODEL], expected)
    model = read_tensors(directory / form.MODEL, manifest.files[form.MODEL])
    optimizer: Mapping[str, Array] = {}
    if with_optimizer:
        optimizer = read_tensors(directory / form.OPTIMIZER, manifest.files[form.OPTIMIZER])
    return replace(described, model=model, optimizer=optimizer)


def read_description(directory: Path, plugins: Plugins = NO_PLUGINS) -> Checkpoint:
    """Everything but the arrays of the model and the optimizer, which are empty.

    Raises:
        CheckpointError: what was read is damaged or of a newer format, or needs a plugin.
        EnvironmentFault: permissions.
    """
    return _described(directory, plugins)[1]


def verify_checkpoint(directory: Path) -> TrainingState:
    """Reads every file again and compares sizes and sha256; the config is not interpreted.

    Raises:
        CheckpointError: damaged or of a newer format; the file and the tensor are named.
        EnvironmentFault: permissions.
    """
    manifest = _read_manifest(directory)
    _read_preprocessing(directory, manifest)
    for name in (form.MODEL, form.OPTIMIZER):
        read_tensors(directory / name, manifest.files[name])
    with reading(directory / form.MANIFEST):
        return parse_state(manifest.state)[0]


def _described(directory: Path, plugins: Plugins) -> tuple[form.Manifest, Checkpoint]:
    manifest = _read_manifest(directory)
    preprocessing = _read_preprocessing(directory, manifest)
    with reading(directory / form.MANIFEST):
        state, log_bytes = parse_state(manifest.state)
    described = Checkpoint(
        experiment=_experiment(directory, manifest, plugins),
        preprocessing=preprocessing,
        engine=manifest.engine,
        state=state,
        log_bytes=log_bytes,
        model={},
        optimizer={},
        plugins=manifest.plugins,
    )
    return manifest, described


def _read_manifest(directory: Path) -> form.Manifest:
    path = directory / form.MANIFEST
    with opened(path) as (descriptor, size):
        if size > strict_json.MAX_BYTES:
            raise ValueError(f"{size} bytes; at most {strict_json.MAX_BYTES} are read")
        content = tensor_files.read_content(descriptor, size).tobytes()
    return form.decode_manifest(content, str(path))


def _read_preprocessing(directory: Path, manifest: form.Manifest) -> Preprocessing:
    path = directory / form.PREPROCESSING
    record = manifest.files[form.PREPROCESSING]
    with opened(path) as (descriptor, size):
        if size != record.num_bytes or size > strict_json.MAX_BYTES:
            raise ValueError(f"{size} bytes, expected {record.num_bytes}")
        content = tensor_files.read_content(descriptor, size).tobytes()
        if hashlib.sha256(content).hexdigest() != record.sha256:
            raise ValueError("its content does not match its sha256")
        facts, normalize = parse_facts(content)
    tensors = read_tensors(directory / form.STATISTICS, manifest.files[form.STATISTICS])
    with reading(directory / form.STATISTICS):
        return join(facts, normalize, tensors)


def _experiment(directory: Path, manifest: form.Manifest, plugins: Plugins) -> ExperimentConfig:
    require_named(manifest.plugins, plugins, str(directory / form.MANIFEST))
    if not isinstance(manifest.experiment, dict):
        where = str(directory / form.MANIFEST)
        raise CheckpointError("experiment: expected a mapping", where=where)
    with _implied(directory):
        return experiment_from_plain(manifest.experiment, plugins=plugins)


@contextmanager
def _implied(directory: Path) -> Iterator[None]:
    """Errors about the recorded config are errors of the checkpoint."""
    try:
        yield
    except CheckpointError:
        raise
    except BmtrainError as error:
        raise CheckpointError(
            f"the recorded config does not hold: {error.message}",
            where=str(directory / form.MANIFEST),
        ) from error
