"""How well a regression does on its test split: stored outputs against targets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bmtrain.evidence import Interval, bootstrap_interval
from bmtrain.figures import count, rounded
from bmtrain.pages.charts import histogram_spec, scatter_spec
from bmtrain.pages.content import Block, Chart, Charts, Section, Table, Words
from bmtrain.workflows.reporting.reading import ReportedRun

Values = NDArray[np.float64]
#: Points of a chart; of more they are chosen evenly.
_MAX_POINTS: Final = 600
_NUM_BARS: Final = 24
#: Outputs that have charts of their own.
_MAX_OUTPUTS: Final = 4


@dataclass(frozen=True, slots=True)
class JudgedNumbers:
    """Targets and outputs (examples, outputs) in float64, all finite."""

    targets: Values
    outputs: Values
    label: str

    @property
    def num_examples(self) -> int:
        """Of the split."""
        return len(self.targets)

    @property
    def residuals(self) -> Values:
        """Output − target."""
        return self.outputs - self.targets

    @property
    def r2(self) -> float | None:
        """1 − Σ(y − h)²/Σ(y − ȳ)² over all outputs; None where the targets are constant."""
        whole = float(((self.targets - self.targets.mean(axis=0)) ** 2).sum())
        return 1 - float((self.residuals**2).sum()) / whole if whole else None

    def name(self, output: int) -> str:
        """Of an output."""
        return self.label if self.targets.shape[1] == 1 else f"{self.label} {output + 1}"

    def worst(self, most: int) -> Sequence[int]:
        """The examples with the largest residuals, of several outputs by their squares' sum."""
        sizes = (self.residuals**2).sum(axis=1)
        return [int(row) for row in np.argsort(-sizes, kind="stable")[:most]]

    def errors(self) -> list[tuple[str, float, Interval]]:
        """Mean absolute error, root mean squared error and bias, each with its 95 % interval."""
        of_rows: list[tuple[str, Values, Callable[[Any], Any]]] = [
            ("mean absolute error", np.abs(self.residuals).mean(axis=1), lambda mean: mean),
            ("root mean squared error", (self.residuals**2).mean(axis=1), np.sqrt),
            ("mean of output − target", self.residuals.mean(axis=1), lambda mean: mean),
        ]
        return [
            (
                name,
                float(finish(values.mean())),
                # Against nothing but zeros a difference is the figure itself.
                bootstrap_interval(np.zeros_like(values), values, finish),
            )
            for name, values, finish in of_rows
        ]


def judged_numbers(run: ReportedRun) -> JudgedNumbers | None:
    """None where no predictions of numbers are stored, or one is not finite."""
    stored = run.run.predictions
    if stored is None or stored.labels.dtype != np.float32 or not len(stored.labels):
        return None
    if stored.labels.shape != stored.outputs.shape:
        return None
    if not (np.isfinite(stored.labels).all() and np.isfinite(stored.outputs).all()):
        return None
    label = "the target"
    if run.restored is not None:
        label = run.restored.checkpoint.preprocessing.facts.label_name or label
    return JudgedNumbers(stored.labels.astype(np.float64), stored.outputs.astype(np.float64), label)


def numbers_sections(judged: JudgedNumbers) -> tuple[Section, ...]:
    """Errors with intervals, then residuals."""
    num_outputs = judged.targets.shape[1]
    blocks: list[Block] = [error_table(judged)]
    blocks += [_charts(judged, output) for output in range(min(num_outputs, _MAX_OUTPUTS))]
    if num_outputs > _MAX_OUTPUTS:
        blocks.append(Words(f"The first {_MAX_OUTPUTS} of {num_outputs} outputs.", "missing"))
    return (Section("residuals", "Residuals", tuple(blocks)),)


def error_table(judged: JudgedNumbers) -> Table:
    """The errors on the test split."""
    rows = tuple(
        (name, rounded(value), f"{rounded(interval.low)} to {rounded(interval.high)}")
        for name, value, interval in judged.errors()
    )
    spread = float(judged.targets.std(axis=0).mean())
    return Table(
        caption=f"Errors on {count(judged.num_examples, 'test example')}",
        header=("figure", "value", "95 % interval"),
        rows=rows,
        numbers=frozenset({1, 2}),
        note="Intervals: bootstrap over the test examples. For comparison: the test targets' "
        f"standard deviation is {rounded(spread)}.",
    )


def _charts(judged: JudgedNumbers, output: int) -> Charts:
    targets, outputs = judged.targets[:, output], judged.outputs[:, output]
    residuals, name = outputs - targets, judged.name(output)
    chosen = np.unique(
        np.linspace(0, len(targets) - 1, min(len(targets), _MAX_POINTS)).astype(np.int64)
    )
    some = "" if len(chosen) == len(targets) else f" {len(chosen):,} of {len(targets):,}, evenly."
    told = [
        f"example {row}: {name} {rounded(targets[row])}, predicted {rounded(outputs[row])}"
        for row in chosen
    ]
    against = _points(targets[chosen], outputs[chosen], told)
    left = _points(outputs[chosen], residuals[chosen], told)
    half = np.quantile(residuals, [0.05, 0.5, 0.95])
    words = (
        f"Half of the examples have an output − target below {rounded(half[1])}, a twentieth below "
        f"{rounded(half[0])}, a twentieth above {rounded(half[2])}."
    )
    ends = f"{name} from {rounded(targets.min())} to {rounded(targets.max())}"
    return Charts(
        (
            Chart(
                f"Predicted against true: {name}",
                scatter_spec(against, f"true: {name}", "predicted", line="diagonal"),
                f"Scatter chart of predictions against true values, {ends}. {words}{some}",
            ),
            Chart(
                "Residuals by prediction",
                scatter_spec(left, "predicted", "predicted − true", line="zero"),
                f"Scatter chart of residuals against predictions. {words}{some}",
            ),
            Chart(
                "Distribution of residuals",
                histogram_spec(_bars(residuals), "predicted − true", "examples"),
                f"Histogram of the residuals. {words}",
            ),
        )
    )


def _points(xs: Values, ys: Values, told: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {"x": float(x), "y": float(y), "told": text}
        for x, y, text in zip(xs, ys, told, strict=True)
    ]


def _bars(residuals: Values) -> list[dict[str, Any]]:
    counts, edges = np.histogram(residuals, bins=_NUM_BARS)
    return [
        {
            "low": float(low),
            "high": float(high),
            "count": int(number),
            "told": f"{rounded(low)} to {rounded(high)}: {count(int(number), 'example')}",
        }
        for number, low, high in zip(counts, edges, edges[1:], strict=False)
    ]
