"""``bmtrain export``: a checkpoint's model as other programs read it, loaded again and compared."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bmtrain import strict_json
from bmtrain.config.plugin_tables import NO_PLUGINS, Plugins
from bmtrain.durable import write_new_file
from bmtrain.errors import UsageError
from bmtrain.events import Event, ExamplesChosen, ExportBegun, ModelExported, Noted, RunFinished
from bmtrain.exports.comparison import TOLERANCE, compare, outputs_of
from bmtrain.exports.description import describe
from bmtrain.exports.exporter import Content, Exporter, of_plugins
from bmtrain.exports.placing import directory_beside, put_in_place, require_free, settle
from bmtrain.exports.safetensors_file import beside
from bmtrain.exports.table import FORMATS
from bmtrain.figures import count
from bmtrain.interrupts import signals_deferred
from bmtrain.workflows.export_examples import ChosenExamples, choose_examples
from bmtrain.workflows.restoring import Restored, in_float32, read_restored, restored_session

if TYPE_CHECKING:
    from bmtrain.workflows.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """Which checkpoint, into which formats, where to, and what it is compared on.

    ``output`` None: the current directory, under the experiment's name. ``tolerance`` is of an
    output's size, see ``bmtrain.exports.comparison``.
    """

    checkpoint: Path
    formats: tuple[str, ...]
    output: Path | None = None
    data: Path | None = None
    format: str = "auto"
    tolerance: float = TOLERANCE
    force: bool = False
    plugins: Plugins = NO_PLUGINS


@dataclass(frozen=True, slots=True)
class _Target:
    """One format and its place; ``description`` is the JSON beside, if there is one."""

    format: str
    exporter: Exporter
    path: Path
    description: Path | None


def export(request: ExportRequest, note: Callable[[str], None] = lambda _: None) -> Iterator[Event]:
    """Write each format, load it again, compare it; ``RunFinished`` last.

    Nothing has its final name before it was compared. The exit code is 4 if a format differs.
    Every format computes in float32, and is compared with the checkpoint's weights in float32.

    Args:
        request: what to export.
        note: told which file the run recorded as its data, before that is opened.

    Raises:
        UsageError: a format cannot express the model; CheckpointError; DataError;
        EnvironmentFault: something is there already, or cannot be written.
    """
    restored = read_restored(request.checkpoint, request.plugins)
    targets = _targets(request, restored)
    _require_model(targets, restored)
    checkpoint = restored.checkpoint
    description = describe(checkpoint.experiment, restored.architecture, checkpoint.preprocessing)
    yield ExportBegun(restored.found.path, restored.warnings, _outputs_in_words(description))
    examples = choose_examples(restored, request.data, request.format, note)
    yield ExamplesChosen(examples.words)
    records = []
    precision = checkpoint.experiment.training.precision
    as_trained = None
    if precision != "float32":
        with restored_session(restored) as session:
            as_trained = session.evaluator.predict(examples.features)
    with restored_session(in_float32(restored)) as session:
        reference = session.evaluator.predict(examples.features)
        largest = None
        if as_trained is not None:
            largest = float(np.abs(reference - as_trained).max())
            yield Noted(f"float32; {precision}, as it was trained, gives up to {largest:.1e} else")
        content = _content(restored, description, session)
        for target in targets:
            record = _exported(target, content, examples.features, reference, request)
            records.append(record)
            yield ModelExported(record)
    document = _document(restored, description, examples, request, records)
    trained_in = {"trained": precision, "exported": "float32", "largest_difference": largest}
    yield RunFinished(document | {"precision": trained_in})


def _targets(request: ExportRequest, restored: Restored) -> list[_Target]:
    """Where everything goes, after all that can be said against it."""
    chosen = {name: FORMATS[name] for name in request.formats}
    architecture, facts = restored.architecture, restored.checkpoint.preprocessing.facts
    for name, exporter in chosen.items():
        if objection := exporter.objection(architecture, facts):
            raise UsageError(f"--to {name}: {objection}")
        exporter.require()
    targets = []
    for name, exporter in chosen.items():
        path = _place(request, exporter, restored.checkpoint.experiment.name, len(chosen) > 1)
        description = None if exporter.holds_description else beside(path)
        settle(path.parent)
        require_free(path, is_directory=exporter.is_directory, force=request.force)
        if description is not None:
            require_free(description, is_directory=False, force=request.force)
        targets.append(_Target(name, exporter, path, description))
    return targets


def _require_model(targets: list[_Target], restored: Restored) -> None:
    """What only a plugin's layers themselves show, before anything is said or read."""
    asked = [t.exporter.require_model for t in targets if t.exporter.require_model is not None]
    if asked and of_plugins(restored.architecture, "") is not None:
        with restored_session(in_float32(restored)) as session:
            for require in asked:
                require(session.problem.model)


def _place(request: ExportRequest, exporter: Exporter, name: str, in_directory: bool) -> Path:
    """``output`` itself, or in it: if it is a directory of the user's, or several formats go there."""
    named = Path(f"{name}{exporter.suffix}")
    output = request.output
    if output is None:
        return named
    is_export = exporter.is_directory and (output / "saved_model.pb").is_file()
    if in_directory or (output.is_dir() and not is_export):
        return output / named
    if not exporter.is_directory and output.suffix.lower() != exporter.suffix:
        raise UsageError(
            f"--output: expected a directory or a name that ends in {exporter.suffix}, "
            f"got '{output}'"
        )
    return output


def _content(restored: Restored, description: dict[str, Any], session: Session) -> Content:
    from bmtrain.models.preprocessing import with_raw_inputs  # the caller started TensorFlow

    checkpoint = restored.checkpoint
    return Content(
        architecture=restored.architecture,
        facts=checkpoint.preprocessing.facts,
        weights=checkpoint.model,
        description=description,
        keras_model=with_raw_inputs(checkpoint.preprocessing, session.problem.model),
    )


def _exported(
    target: _Target,
    content: Content,
    features: NDArray[np.generic],
    reference: NDArray[np.float32],
    request: ExportRequest,
) -> dict[str, Any]:
    """Its entry in the document's ``exports``; it has its name if it ``passed``."""
    from bmtrain.models.layers.building import building  # the caller started TensorFlow

    exporter = target.exporter
    with directory_beside(target.path) as directory:
        made = directory / target.path.name
        # TensorFlow, which traces and converts here, loses what a signal's handler raises.
        with signals_deferred(), building(len(content.architecture.layers)):
            exporter.write(content, made)
            if target.description is not None:
                _describe_beside(made, content)
            outputs = outputs_of(exporter.load(made), features)
        comparison = compare(
            outputs,
            reference,
            are_probabilities=content.description["outputs"]["values"] == "probabilities",
        )
        passed = comparison.relative <= request.tolerance
        num_bytes = _size(made)
        if passed:
            if target.description is not None:  # first: the model never lacks it
                put_in_place(beside(made), target.description)
            put_in_place(made, target.path)
    return {
        "format": target.format,
        "path": str(target.path) if passed else None,
        "description": str(target.description) if passed and target.description else None,
        "bytes": num_bytes,
        "runtime": exporter.runtime(),
        "largest_difference": comparison.largest,
        "relative_difference": comparison.relative,
        "passed": passed,
        "usage": _usage(target, content),
    }


def _usage(target: _Target, content: Content) -> str:
    usage = target.exporter.usage.format(path=repr(str(target.path)))
    plugins = [plugin["file"] for plugin in content.description.get("plugins", ())]
    if target.format == "keras" and plugins:
        usage += f"  # where the layer classes of {', '.join(plugins)} are registered"
    return usage


def _describe_beside(made: Path, content: Content) -> None:
    with made.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    describes = {"describes": {"file": made.name, "sha256": sha256}}
    write_new_file(beside(made), strict_json.encode(describes | dict(content.description)))


def _size(path: Path) -> int:
    files = [path] if path.is_file() else [entry for entry in path.rglob("*") if entry.is_file()]
    return sum(file.stat().st_size for file in files)


def _outputs_in_words(description: dict[str, Any]) -> str:
    outputs = description["outputs"]
    values, (number,) = outputs["values"], outputs["shape"]
    if values == "targets":
        return count(number, "target")
    if number == 1:
        return {"probabilities": "the probability", "logits": "the logit"}.get(
            values, "the score"
        ) + " of the second class"
    return f"{values} of {count(number, 'class', 'classes')}"


def _document(
    restored: Restored,
    description: dict[str, Any],
    examples: ChosenExamples,
    request: ExportRequest,
    records: list[dict[str, Any]],
) -> dict[str, Any]:
    """The document of ``export --json``."""
    passed = all(record["passed"] for record in records)
    return {
        "schema_version": 1,
        "status": "completed",
        "exit_code": 0 if passed else 4,
        "error": None,
        "checkpoint": str(restored.found.path),
        "which": restored.found.which,
        "skipped": restored.warnings,
        "inputs": description["inputs"],
        "outputs": description["outputs"],
        "examples": {"source": examples.source, "number": len(examples.features)},
        "tolerance": request.tolerance,
        "exports": records,
    }
