"""``bmtrain convert``: a source as fixed records, which are streamed however large they are."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bmtrain.config.kinds import Kind
from bmtrain.config.load import load_config
from bmtrain.config.paths import without_parents
from bmtrain.config.plugin_tables import NO_PLUGINS, Plugins
from bmtrain.config.schema import data_section_with
from bmtrain.config.sections.data import DataSection
from bmtrain.data.bundled import is_bundled_name
from bmtrain.data.records.conversion import written_whole
from bmtrain.data.sources import convert_into
from bmtrain.durable import environment_fault, environment_faults
from bmtrain.errors import UsageError
from bmtrain.workflows.preparation import pointing_at

_CONFIGS = frozenset({".yaml", ".yml"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertRequest:
    """What to convert, and where to.

    Attributes:
        source: data, or a config whose ``data:`` says all that there is to say of it.
        label: of a table, where ``source`` is data; ``format`` is for data, too.
        overrides: of a config.
    """

    source: Path
    output: Path
    label: str | None = None
    format: str = "auto"
    overrides: tuple[str, ...] = ()
    plugins: Plugins = NO_PLUGINS


def convert(request: ConvertRequest) -> dict[str, Any]:
    """The document of ``convert --json``: the set is whole, or not there.

    Raises:
        UsageError, ConfigError, DataError; EnvironmentFault: ``output`` is there already, or
            cannot be written.
    """
    output = request.output.absolute()
    if output.exists() or output.is_symlink():
        raise environment_fault(FileExistsError(errno.EEXIST, ""), output, "write")
    if request.source.suffix in _CONFIGS:
        if request.label is not None or request.format != "auto":
            raise UsageError("a config says label and format itself: override it with KEY=VALUE")
        loaded = load_config(request.source, request.overrides, plugins=request.plugins)
        with pointing_at(loaded.origins):
            return _converted(loaded.experiment.data, output)
    if request.overrides:
        raise UsageError("KEY=VALUE overrides a config, and the source is data: use --label")
    name = str(request.source)
    absolute = str(without_parents(request.source.absolute()))
    source = name if is_bundled_name(name) else absolute
    form = data_section_with(request.plugins)
    formats = Kind.of(form.model_fields["format"].annotation).choices
    if request.format not in formats:
        expected = ", ".join(formats)
        raise UsageError(f"unknown format {request.format!r}; expected one of {expected}")
    section = form.model_validate(
        {"source": source, "format": request.format, "label": request.label}
    )
    return _converted(section, output)


def _converted(section: DataSection, output: Path) -> dict[str, Any]:
    with environment_faults(output, "write"), written_whole(output) as directory:
        description = convert_into(directory, section)
    return {
        "schema_version": 1,
        "status": "completed",
        "exit_code": 0,
        "error": None,
        "source": section.source,
        "output": str(output),
        "columns": description.columns,
        "label": description.beside.label,
        "files": {
            name: {"bytes": num_bytes, "sha256": digest}
            for name, (num_bytes, digest) in description.files.items()
        },
    }
