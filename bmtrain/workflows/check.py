"""``bmtrain check``: everything that can be known before training, in order; trains nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bmtrain.config.load import LoadedConfig, load_config
from bmtrain.data.checks import inspect_dataset
from bmtrain.data.finding import Finding
from bmtrain.workflows.preparation import Prepared, prepare


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRequest:
    """What to check: a config file, and what is laid over it."""

    config: Path
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """Findings under a title."""

    title: str
    findings: tuple[Finding, ...]


def check(request: CheckRequest) -> Iterator[Section]:
    """Sections config, data and model, each as soon as it is known.

    Raises:
        ConfigError: the config is wrong; there is nothing to check beyond it.
        DataError: the data cannot be read, or does not fit the config.
    """
    loaded = load_config(request.config, request.overrides)
    yield Section("config", tuple(_config_findings(loaded)))
    prepared = prepare(loaded)
    yield Section("data", tuple(inspect_dataset(prepared.dataset)))
    yield Section("model", tuple(_model_findings(prepared, loaded)))


def _config_findings(loaded: LoadedConfig) -> Iterator[Finding]:
    experiment = loaded.experiment
    yield Finding("ok", f"{loaded.path} is valid: experiment {experiment.name}")
    for warning in loaded.warnings:
        yield Finding("warning", str(warning))


def _model_findings(prepared: Prepared, loaded: LoadedConfig) -> Iterator[Finding]:
    architecture = prepared.architecture
    yield Finding(
        "ok",
        f"{len(architecture.layers)} layers, {architecture.num_parameters:,} parameters; "
        f"{list(architecture.input_shape)} in, {list(architecture.output_shape)} out",
    )
    for warning in prepared.warnings[len(loaded.warnings) :]:
        yield Finding("warning", str(warning))
