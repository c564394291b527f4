"""What was trained on what: the layers, the data."""

from __future__ import annotations

import math
from typing import Any, Final

from bmtrain.config.resolved import flow_text
from bmtrain.config.sections.base import Section as ConfigSection
from bmtrain.data.bundled import BUNDLED
from bmtrain.figures import count, shape
from bmtrain.pages.content import Block, Section, Table, Words
from bmtrain.workflows.reporting.cells import cut, input_text, pairs, told
from bmtrain.workflows.reporting.inputs import inputs_blocks
from bmtrain.workflows.reporting.reading import ReportedRun, number_at
from bmtrain.workflows.reporting.splitting import split_text

_SHOWN_LAYERS: Final = 400


def model_section(run: ReportedRun) -> Section:
    """Layer by layer."""
    if run.restored is None:
        text = (
            f"The layers are those of the config: no checkpoint tells shapes ({run.without_model})."
        )
        return Section("model", "Model", (Words(text, "missing"),))
    architecture = run.restored.architecture
    rows = [
        (
            f"{number}",
            layer.config.type,
            _options(layer.config),
            shape(layer.output_shape, unit="value"),
            f"{sum(math.prod(s) for s in layer.variables.values()):,}",
        )
        for number, layer in enumerate(architecture.layers)
    ]
    loss = run.run.experiment.loss.name
    optimizer = run.run.experiment.optimizer.name
    facts = run.restored.checkpoint.preprocessing.facts
    text = (
        f"{count(architecture.num_parameters, 'parameter')}; an input is "
        f"{input_text(facts)}. Trained to lower "
        f"the {loss.replace('_', ' ')} with {optimizer.replace('_', ' ')}."
    )
    if run.run.experiment.training.augmentation:
        steps = [
            f"{step.type} ({_options(step)})" for step in run.run.experiment.training.augmentation
        ]
        text += f" In training, and only there, examples are augmented: {'; '.join(steps)}."
    table = Table(
        caption="Layers, in order",
        header=("layer", "type", "options", "output", "parameters"),
        rows=tuple(rows[:_SHOWN_LAYERS]),
        numbers=frozenset({4}),
        folded=len(rows) > 30,
    )
    return Section("model", "Model", (Words(text), *inputs_blocks(run), table))


def _options(section: ConfigSection) -> str:
    """``units: 16, activation: relu``: what is not its default."""
    options = section.model_dump(exclude_defaults=True, exclude={"type"})
    return cut(", ".join(f"{name}: {flow_text(value)}" for name, value in options.items()), 160)


def data_section(run: ReportedRun) -> Section:
    """Source, splits, fingerprint; of a bundled set also who made it, and its licence."""
    source = run.run.experiment.data.source
    rows: list[tuple[str, str]] = [("source", source)]
    if source in BUNDLED:
        bundled = BUNDLED[source]
        rows += [
            ("what it is", f"{bundled.scope}; {bundled.num_examples:,} examples of {bundled.size}"),
            ("where it is", "in the package bmtrain, under this name: nothing has to be fetched"),
            ("published by", f"{bundled.source}: {bundled.url}"),
            ("licence", bundled.licence),
        ]
    examples = run.recorded("data", "examples")
    for split in ("train", "validation", "test"):
        number = number_at(examples, split)
        rows.append((f"{split} examples", "none" if number is None else f"{number:,.0f}"))
    rows += [
        ("splits", split_text(run)),
        ("shape of an example", _shape(run.recorded("data", "input_shape"))),
        ("dtype", told(run.recorded("data", "input_dtype"))),
        ("fingerprint (sha256) of all splits", told(run.recorded("data", "fingerprint"))),
    ]
    if run.class_names is not None:
        names = ", ".join(run.class_names)
        rows.append((f"{len(run.class_names):,} classes", cut(names)))
    blocks: list[Block] = [pairs("What it was trained and tested on", rows)]
    if source not in BUNDLED:
        text = "The licence of the data, and who gathered it how, are not recorded: ask whoever trained."
        blocks.append(Words(text, "missing"))
    return Section("data", "Data", tuple(blocks))


def _shape(recorded: Any) -> str:
    """``28×28``; a stranger's record may be anything."""
    are_sizes = isinstance(recorded, list) and recorded and all(type(n) is int for n in recorded)
    return shape(recorded) if are_sizes else told(recorded)
