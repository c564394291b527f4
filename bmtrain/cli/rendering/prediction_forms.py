"""The rows and records of predictions: a figure per class, or the likeliest classes alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bmtrain.cli.rendering.prediction_stream import Predictions, PredictionStream
from bmtrain.figures import class_name

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_ROWS_PER_BLOCK: Final = 4096


@dataclass(frozen=True, slots=True)
class Form:
    """How a stream is told.

    Attributes:
        top: how many of the likeliest classes; None: the probability of every class.
        tells_file: each example says which file it is from, and is numbered within it.
    """

    top: int | None
    tells_file: bool

    @classmethod
    def of(cls, stream: PredictionStream, top: int | None) -> Form:
        """The form of a stream: files are told where there are several, or pictures."""
        return cls(top, tells_file=stream.tells_files or len(stream.sources) > 1)

    def table(self, stream: PredictionStream) -> Iterator[list[Any]]:
        """The header, then a row per example."""
        names = stream.class_names
        examples = self._examples(stream)
        first = next(examples, None)  # an input that is wrong leaves not even a header
        start = ["file", "example"] if self.tells_file else ["example"]
        if names is None:
            yield [*start, *_output_names(stream)]
        elif self.top is None:
            yield [*start, "predicted", "probability", *(f"probability_{name}" for name in names)]
        else:
            ranks = range(2, min(self.top, len(names)) + 1)
            more = (f"{what}_{rank}" for rank in ranks for what in ("predicted", "probability"))
            yield [*start, "predicted", "probability", *more]
        for place, label, row in chain([] if first is None else [first], examples):
            if names is None:
                yield [*place.values(), *row]
            elif self.top is None:
                yield [*place.values(), class_name(names, label), _of(row, label), *row]
            else:
                yield [
                    *place.values(),
                    *(cell for pair in self._ranked(names, label, row) for cell in pair),
                ]

    def records(self, stream: PredictionStream) -> Iterator[dict[str, Any]]:
        """A record per example."""
        names = stream.class_names
        columns = _output_names(stream) if names is None else []
        for place, label, row in self._examples(stream):
            if names is None:
                yield {**place, **dict(zip(columns, map(_number, row), strict=True))}
                continue
            record = {
                **place,
                "predicted": class_name(names, label),
                "probability": _number(_of(row, label)),
            }
            if self.top is None:
                record["probabilities"] = dict(zip(names, map(_number, row), strict=True))
            else:
                ranked = self._ranked(names, label, row)
                record["top"] = [{"class": n, "probability": _number(p)} for n, p in ranked]
            yield record

    def _examples(
        self, stream: PredictionStream
    ) -> Iterator[tuple[dict[str, Any], int, list[str]]]:
        """(place, predicted class, figures as texts) of each example; -1: a regression's."""
        before: Path | None = None
        number = 0
        for source, block in stream.blocks:
            if self.tells_file and source != before:
                before, number = source, 0
            is_classes = stream.class_names is not None
            figures = _class_probabilities(block) if is_classes else block.outputs
            labels = block.predicted.tolist() if is_classes else [-1] * len(figures)
            files = repeat(source, len(labels)) if block.files is None else block.files
            for label, row, path in zip(labels, _text_rows(figures), files, strict=True):
                file = {"file": str(path)} if self.tells_file else {}
                yield {**file, "example": number}, label, row
                number += 1

    def _ranked(self, names: Any, label: int, row: list[str]) -> list[tuple[str, str]]:
        """The predicted class and its probability, then the likeliest others; first of equals first."""
        others = sorted(
            (index for index in range(len(names)) if index != label),
            key=lambda index: -float(row[index]),
        )
        number = min(self.top or 0, len(names))
        return [(class_name(names, index), _of(row, index)) for index in [label, *others][:number]]


def _of(row: list[str], label: int) -> str:
    """A model may have outputs beyond its classes, and choose one: no probability is told then."""
    return row[label] if label < len(row) else ""


def _output_names(stream: PredictionStream) -> list[str]:
    if stream.num_outputs > 1:
        return [f"output_{i}" for i in range(stream.num_outputs)]
    # Two columns of one name would be one to most readers.
    name = stream.label_name
    return ["output" if name in {None, "", "example", "file"} else str(name)]


def _class_probabilities(predictions: Predictions) -> NDArray[np.float32]:
    """(n, classes): a single column is the probability of the second of two classes."""
    import numpy as np  # the command line starts without NumPy

    outputs: NDArray[np.float32] = predictions.outputs
    if outputs.shape[1] == 1:
        return np.concatenate([np.float32(1) - outputs, outputs], axis=1)
    return outputs


def _text_rows(outputs: NDArray[np.float32]) -> Iterator[list[str]]:
    """Each row's figures with as few digits as give the same float32 again."""
    for start in range(0, len(outputs), _ROWS_PER_BLOCK):
        yield from outputs[start : start + _ROWS_PER_BLOCK].astype("U").tolist()


def _number(text: str) -> float | None:
    """JSON has no NaN and no infinity: null."""
    return None if text.lstrip("-") in {"", "nan", "inf"} else float(text)
