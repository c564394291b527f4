"""A training's speed against what such a processor should reach.

A slow machine is not a wrong one, so what is expected is a share: the arithmetic of the
training over that of a large matrix product, both per second of processor time on one thread,
in one process: how busy or how fast the machine is does not count.
The product itself is held against what any processor with such vector instructions reaches.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bmtrain.figures import amount, duration
from bmtrain.workflows.diagnosis.finding import Finding

#: Measured by doctor on processors of each class (six times, 0.60 to 0.76); where one was not
#: measured the smallest stands for it.
EXPECTED_SHARE: Final[Mapping[str, float]] = {"avx512": 0.7}
#: Slower than this much of the expectation deserves a look.
_TOLERANCE: Final = 0.4
#: An epoch that took so many times its computation waited for others.
_BUSY: Final = 1.5
#: FLOP/s of a thread that any processor of the class reaches when nothing is in its way.
LEAST_MATMUL: Final[Mapping[str, float]] = {
    "avx512": 20e9,
    "avx2": 12e9,
    "avx": 6e9,
    "arm64": 6e9,
    "baseline": 2e9,
    "unknown": 2e9,
}
#: The reference experiment reaches 0.967 or more after two epochs, with every seed.
_LEAST_ACCURACY: Final = 0.95


@dataclass(frozen=True, slots=True)
class Judged:
    """Findings, and what they were found by."""

    findings: tuple[Finding, ...]
    facts: dict[str, Any] = field(default_factory=dict)


def judge(measured: Mapping[str, Any], vectors: str) -> Judged:
    """Is the result right, and was it as fast as it should be?

    Args:
        measured: what ``trial_process`` told of training and calibration.
        vectors: as ``hardware.vector_class`` names them.
    """
    best, least = measured["matmul_flops_per_s"], LEAST_MATMUL[vectors]
    share = measured["examples_per_cpu_s"] * measured["flops_per_example"] / best
    is_gpu = measured["device"] != "cpu"
    expected = EXPECTED_SHARE.get(vectors, min(EXPECTED_SHARE.values()))
    facts = {"share": share, "expected_share": None if is_gpu else expected, "least_matmul": least}
    where = "the GPU" if is_gpu else "one thread"
    epoch_s = min(measured["epoch_s"])
    trained = (
        f"2 epochs of 60,000 examples on {where}: {measured['examples_per_s']:,.0f} examples/s, "
        f"{duration(epoch_s)} an epoch"
    )
    findings = [_result(measured["test_accuracy"]), _processor(best, least, vectors)]
    if not is_gpu and epoch_s > _BUSY * measured["cpu_epoch_s"]:
        busy = (
            f"the machine was busy: {duration(measured['cpu_epoch_s'])} of an epoch were computed"
        )
        findings.append(Finding("note", busy))
    if is_gpu:
        findings.append(Finding("ok", f"{trained}; no expectation is stored for GPUs"))
    else:
        findings.append(_speed(trained, share, expected))
    return Judged(tuple(findings), facts)


def _result(accuracy: float) -> Finding:
    said = f"test accuracy {accuracy:.4f}, at least {_LEAST_ACCURACY} is expected"
    if accuracy >= _LEAST_ACCURACY:
        return Finding("ok", said)
    remedy = "something computes wrongly here: try another machine, and tell of it with --json"
    return Finding("problem", said, remedy)


def _processor(best: float, least: float, vectors: str) -> Finding:
    said = f"a large matrix product: {amount(best, 'FLOP/s')} on one thread"
    if best >= least:
        return Finding("ok", said)
    return Finding(
        "warning",
        f"{said}, where {vectors} processors reach {amount(least, 'FLOP/s')} and more",
        "other programs, a container's quota, a power plan or an emulated processor may slow it",
    )


def _speed(trained: str, share: float, expected: float) -> Finding:
    said = (
        f"{trained}; its arithmetic is done at {share:.0%} of that product's speed, about "
        f"{expected:.0%} is expected"
    )
    if share >= _TOLERANCE * expected:
        return Finding("ok", said)
    return Finding(
        "warning",
        said,
        "start it again when nothing else runs; if it stays so, tell of it with --json",
    )
