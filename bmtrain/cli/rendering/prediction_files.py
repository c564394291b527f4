"""Predictions as CSV, JSON lines or NPZ, in a file that is there whole or not at all.

Classification, one row per example, in the order of the input::

    example,predicted,probability,probability_setosa,probability_versicolor
    0,setosa,0.98,0.98,0.02

Regression: ``example,price`` if it is a table's column that is predicted, else
``example,output`` or ``example,output_0,output_1``. Figures are float32, written with as few
digits as read back the same.
"""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TextIO

from bmtrain.cli.console import Screen
from bmtrain.cli.rendering.documents import json_text
from bmtrain.errors import UsageError
from bmtrain.figures import class_name, count

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FileFormat = Literal["csv", "jsonl", "npz"]
_SUFFIXES: Final[dict[str, FileFormat]] = {".csv": "csv", ".jsonl": "jsonl", ".npz": "npz"}
_ROWS_PER_BLOCK: Final = 4096


class Predictions(Protocol):
    """What the workflow predicts of n examples."""

    @property
    def outputs(self) -> NDArray[np.float32]:
        """(n, k): a probability per class, or that of the second of two; regression: outputs."""
        ...

    @property
    def predicted(self) -> NDArray[Any]:
        """(n,): class numbers; regression: not looked at."""
        ...

    @property
    def class_names(self) -> Sequence[str] | None:
        """One per class; None: regression."""
        ...

    @property
    def label_name(self) -> str | None:
        """The table's column that is predicted; None: of arrays."""
        ...

    @property
    def skipped(self) -> Sequence[str]:
        """What to say of the checkpoints that were passed over."""
        ...


@dataclass(frozen=True, slots=True)
class Destination:
    """Where predictions go and in which form; ``path`` None: stdout."""

    path: Path | None
    format: FileFormat

    @classmethod
    def checked(cls, output: Path | None, input_path: Path) -> Destination:
        """The destination for ``--output``, checked before anything is read.

        Raises:
            UsageError: an unknown suffix, a directory, or the input itself.
        """
        if output is None or str(output) == "-":
            return cls(None, "csv")
        file_format = _SUFFIXES.get(output.suffix.lower())
        if file_format is None:
            raise UsageError(
                f"--output: expected a name that ends in .csv, .jsonl or .npz, got '{output}'"
            )
        if output.is_dir():
            raise UsageError(f"--output: '{output}' is a directory")
        if not output.parent.is_dir():
            raise UsageError(f"--output: there is no directory '{output.parent}'")
        if output.exists() and input_path.exists() and output.samefile(input_path):
            raise UsageError(f"--output: '{output}' is the input; choose another name")
        return cls(output, file_format)

    def deliver(self, predictions: Predictions, screen: Screen) -> None:
        """Write the predictions where they belong; ``--json`` prints a document about them."""
        for text in predictions.skipped:
            screen.warn(text)
        document: dict[str, Any] = {
            "schema_version": 1,
            "status": "completed",
            "exit_code": 0,
            "error": None,
            "examples": len(predictions.outputs),
            "class_names": predictions.class_names,
            "skipped": predictions.skipped,
            "output": self.path,
        }
        if self.path is not None:
            self._write(self.path, predictions)
            if screen.is_json:
                screen.out.line(json_text(document))
            else:
                screen.note(f"{count(document['examples'], 'prediction')} in {self.path}")
        elif screen.is_json:
            screen.out.line(json_text(document | {"predictions": list(_records(predictions))}))
        else:
            _write_csv(predictions, screen.out)

    def _write(self, path: Path, predictions: Predictions) -> None:
        from bmtrain.durable import replacing  # only where a file is asked for

        with replacing(path) as file:
            if self.format == "npz":
                _write_npz(predictions, file)
                return
            text = codecs.getwriter("utf-8")(file, "backslashreplace")
            if self.format == "csv":
                _write_csv(predictions, text)
                return
            for record in _records(predictions):
                text.write(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n")


def _write_npz(predictions: Predictions, file: Any) -> None:
    import numpy as np  # the command line starts without NumPy

    arrays: dict[str, Any] = {"outputs": predictions.outputs}
    if predictions.class_names is not None:
        arrays["predicted"] = predictions.predicted
        arrays["class_names"] = np.array(list(predictions.class_names), dtype=np.str_)
    np.savez(file, allow_pickle=False, **arrays)


def _write_csv(predictions: Predictions, file: TextIO | Any) -> None:
    writer = csv.writer(file, lineterminator="\n")
    names = predictions.class_names
    if names is None:
        writer.writerow(["example", *_output_names(predictions)])
        for example, row in enumerate(_text_rows(predictions.outputs)):
            writer.writerow([example, *row])
        return
    outputs = _class_probabilities(predictions)
    writer.writerow(["example", "predicted", "probability", *(f"probability_{n}" for n in names)])
    for example, (label, row) in enumerate(
        zip(predictions.predicted.tolist(), _text_rows(outputs), strict=True)
    ):
        probability = row[label] if label < len(row) else ""
        writer.writerow([example, class_name(names, label), probability, *row])


def _records(predictions: Predictions) -> Iterator[dict[str, Any]]:
    names = predictions.class_names
    if names is None:
        columns = _output_names(predictions)
        for example, row in enumerate(_text_rows(predictions.outputs)):
            yield {"example": example, **dict(zip(columns, map(_number, row), strict=True))}
        return
    outputs = _class_probabilities(predictions)
    for example, (label, row) in enumerate(
        zip(predictions.predicted.tolist(), _text_rows(outputs), strict=True)
    ):
        numbers = [_number(text) for text in row]
        yield {
            "example": example,
            "predicted": class_name(names, label),
            "probability": numbers[label] if label < len(numbers) else None,
            "probabilities": dict(zip(names, numbers, strict=True)),
        }


def _output_names(predictions: Predictions) -> list[str]:
    num_outputs = predictions.outputs.shape[1]
    if num_outputs > 1:
        return [f"output_{i}" for i in range(num_outputs)]
    # Two columns of one name would be one to most readers.
    name = predictions.label_name
    return ["output" if name in {None, "", "example"} else str(name)]


def _class_probabilities(predictions: Predictions) -> NDArray[np.float32]:
    """(n, classes): a single column is the probability of the second of two classes."""
    import numpy as np

    outputs = predictions.outputs
    if outputs.shape[1] == 1:
        return np.concatenate([np.float32(1) - outputs, outputs], axis=1)
    return outputs


def _text_rows(outputs: NDArray[np.float32]) -> Iterator[list[str]]:
    """Each row's figures with as few digits as give the same float32 again."""
    for start in range(0, len(outputs), _ROWS_PER_BLOCK):
        yield from outputs[start : start + _ROWS_PER_BLOCK].astype("U").tolist()


def _number(text: str) -> float | None:
    """JSON has no NaN and no infinity: null."""
    return None if text.lstrip("-") in {"nan", "inf"} else float(text)
