"""``bmtrain train --smoke``: a few steps of all that a training does, on the user's own config."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bmtrain.config.load import load_config
from bmtrain.config.plugin_tables import NO_PLUGINS, Plugins
from bmtrain.events import Event, ModelExported, RunFinished
from bmtrain.workflows.export import ExportRequest, export
from bmtrain.workflows.preparation import prepare
from bmtrain.workflows.verify_resume import VerifyRequest, removed_or_told, verify_resume

_EPOCHS: Final = 2
_STEPS_PER_EPOCH: Final = 8
#: Of a full batch, or of large ones.
_MAX_EXAMPLES: Final = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokeRequest:
    """Which config, and what is laid over it."""

    config: Path
    overrides: tuple[str, ...] = ()
    plugins: Plugins = NO_PLUGINS


def smoke(request: SmokeRequest) -> Iterator[Event]:
    """Train, save, kill, go on, evaluate, compare, export; ``RunFinished`` last.

    Two epochs of a few steps on a part of the examples, in a directory that is removed unless
    something differs. Expectations are left out: so few steps meet none.

    The summary has ``steps``, each with ``what`` and ``passed``; its exit code is 0 or 4.

    Raises:
        BmtrainError: the config or its data is wrong, or the training fails.
    """
    began = time.perf_counter()
    overrides = (*request.overrides, *_fewer(request))
    verified: dict[str, Any] = {}
    for event in verify_resume(
        VerifyRequest(
            config=request.config,
            overrides=overrides,
            kills=1,
            keep="complete",
            plugins=request.plugins,
        )
    ):
        if isinstance(event, RunFinished):
            verified = dict(event.summary)
        else:
            yield event
    directory = Path(verified["run_dir"])
    steps = [_resumed(verified)]
    with removed_or_told(directory, keep=False):
        steps += _exported(directory, request.plugins)
    passed = all(step["passed"] for step in steps)
    if passed:
        shutil.rmtree(directory, ignore_errors=True)
    yield RunFinished(
        {
            "schema_version": 1,
            "status": "completed",
            "exit_code": 0 if passed else 4,
            "error": None,
            "diagnostics": [],
            "steps": steps,
            "first_difference": verified["first_difference"],
            "run_dir": None if passed else str(directory),
            "total_s": time.perf_counter() - began,
        }
    )


def _exported(directory: Path, plugins: Plugins) -> list[dict[str, Any]]:
    target = directory / "exported.safetensors"
    request = ExportRequest(
        checkpoint=directory / "undisturbed",
        formats=("savedmodel",) if plugins.layers else ("safetensors",),
        output=target,
        plugins=plugins,
    )
    words = "exported, read again and compared: largest difference"
    return [
        {
            "what": f"{words} {event.record['largest_difference']:.1e}",
            "passed": event.record["passed"],
        }
        for event in export(request)
        if isinstance(event, ModelExported)
    ]


def _fewer(request: SmokeRequest) -> tuple[str, ...]:
    """Overrides that leave a few steps of the experiment; what is wrong with it is told here."""
    prepared = prepare(load_config(request.config, request.overrides, plugins=request.plugins))
    num_examples = prepared.dataset.splits["train"].num_examples
    num_classes = len(prepared.dataset.facts.class_names or ())
    wanted = min(_STEPS_PER_EPOCH * prepared.batch_size, _MAX_EXAMPLES)
    return (
        f"data.train_examples={min(num_examples, max(wanted, num_classes))}",
        f"training.epochs={_EPOCHS}",
        "training.early_stopping=null",
        "expect=[]",
    )


def _resumed(verified: dict[str, Any]) -> dict[str, Any]:
    """One kill says nothing about how often it hits what: where it came is enough."""
    phase = next(name for name, number in verified["kills"].items() if number)
    difference = verified["first_difference"]
    came = "every bit is that of the undisturbed run" if difference is None else difference
    what = f"trained, saved, evaluated; killed in {phase}, gone on with: {came}"
    return {"what": what, "passed": difference is None}
