"""What the training will take: steps, FLOPs, memory, and the size of a checkpoint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from bmtrain.data.checks.finding import Finding
from bmtrain.errors import BmtrainError
from bmtrain.figures import amount, count
from bmtrain.machine import available_memory
from bmtrain.models.memory import MemoryNeed, checkpoint_bytes
from bmtrain.workflows.checking.section import Section, Table, stop_message
from bmtrain.workflows.preparation import Prepared, is_for_gpu, memory_need

_MEMORY_WORDS = {
    "weights": "weights",
    "gradients": "gradients",
    "optimizer": "optimizer",
    "batch": "activations of a batch",
    "data": "training examples",
    "held": "best weights, until they are saved",
    "snapshot": "saving a checkpoint",
    "program": "TensorFlow and compiled steps",
}


def cost_section(prepared: Prepared, fault: BmtrainError | None = None) -> Section:
    """Counted, not measured; ``fault`` is that the memory does not suffice."""
    need = memory_need(prepared)
    flops, steps = _per_stage(prepared)
    stored = checkpoint_bytes(prepared.architecture, prepared.experiment.optimizer)
    available = None if is_for_gpu(prepared.experiment) else available_memory()
    return Section(
        title="cost",
        findings=tuple(_findings(prepared, need, available, fault)),
        tables=(_stages(prepared, flops, steps), _memory(need)),
        facts={
            "batch_size": prepared.batch_size,
            "steps": steps,
            "flops": flops,
            "memory_bytes": {
                **asdict(need),
                "at_least": need.at_least,
                "total": need.total,
                "available": available,
            },
            "checkpoint_bytes": stored,
        },
        exit_code=6 if fault is None else fault.exit_code,
        stopped=fault is not None,
    )


def _per_stage(prepared: Prepared) -> tuple[dict[str, int], dict[str, int]]:
    """FLOPs and steps of one step, one epoch, and all epochs."""
    num_examples = prepared.dataset.splits["train"].num_examples
    epochs, size = prepared.experiment.training.epochs, prepared.batch_size
    per_example = prepared.architecture.training_flops
    per_epoch = -(-num_examples // size)
    flops = {
        "example": per_example,
        "step": per_example * size,
        "epoch": per_example * num_examples,
        "training": per_example * num_examples * epochs,
    }
    return flops, {"step": 1, "epoch": per_epoch, "training": per_epoch * epochs}


def _stages(prepared: Prepared, flops: dict[str, int], steps: dict[str, int]) -> Table:
    num_examples = prepared.dataset.splits["train"].num_examples
    examples = (
        prepared.batch_size,
        num_examples,
        num_examples * prepared.experiment.training.epochs,
    )
    rows = (
        ("steps", "", *(f"{number:,}" for number in steps.values())),
        ("examples", "1", *(f"{number:,}" for number in examples)),
        ("arithmetic", *(amount(number, "FLOP") for number in flops.values())),
    )
    return Table(("", "an example", "a step", "an epoch", "the training"), rows)


def _memory(need: MemoryNeed) -> Table:
    rows = [(word, getattr(need, name)) for name, word in _MEMORY_WORDS.items()]
    rows.append(("together, about", need.total))
    return Table(("memory", "bytes"), tuple((word, f"{size:,}") for word, size in rows if size))


def _findings(
    prepared: Prepared, need: MemoryNeed, available: int | None, fault: BmtrainError | None
) -> Iterator[Finding]:
    yield Finding("ok", _epochs(prepared))
    if fault is not None:
        yield Finding("error", stop_message(fault))
        return
    about = f"memory: about {amount(need.total, 'B')}"
    if available is None:
        yield Finding("ok", f"{about}, in a GPU's memory if one is used; its size is not known")
    elif need.total > available:
        yield Finding(
            "warning",
            f"{about}, {amount(available, 'B')} are available; close other programs, or use a "
            "smaller training.batch_size, model or data set, or remat: true in its blocks",
        )
    else:
        yield Finding("ok", f"{about}, {amount(available, 'B')} available")


def _epochs(prepared: Prepared) -> str:
    training = prepared.experiment.training
    num_examples = prepared.dataset.splits["train"].num_examples
    most = "at most " if training.early_stopping is not None else ""
    short = num_examples % prepared.batch_size
    last = f", the last one of {count(short, 'example')}" if short else ""
    num_steps = -(-num_examples // prepared.batch_size)
    return f"{most}{count(training.epochs, 'epoch')} of {count(num_steps, 'step')}{last}"
