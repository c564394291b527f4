"""Predictions as CSV, JSON lines or NPZ, in a file that is there whole or not at all.

Classification, one row per example, in the order of the input::

    example,predicted,probability,probability_setosa,probability_versicolor
    0,setosa,0.98,0.98,0.02

Regression: ``example,price`` if it is a table's column that is predicted, else
``example,output`` or ``example,output_0,output_1``. Figures are float32, written with as few
digits as read back the same. With ``--top k`` there are ``predicted_2,probability_2`` and so on
instead of a column per class; where several files are read, or pictures, ``file`` comes first.
"""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TextIO

from bmtrain.cli.console import Screen
from bmtrain.cli.rendering.documents import json_text
from bmtrain.cli.rendering.prediction_forms import Form
from bmtrain.cli.rendering.prediction_stream import PredictionStream
from bmtrain.errors import UsageError
from bmtrain.figures import count

FileFormat = Literal["csv", "jsonl", "npz"]
_SUFFIXES: Final[dict[str, FileFormat]] = {".csv": "csv", ".jsonl": "jsonl", ".npz": "npz"}


@dataclass(frozen=True, slots=True)
class Destination:
    """Where predictions go and in which form; ``path`` None: stdout."""

    path: Path | None
    format: FileFormat

    @classmethod
    def checked(cls, output: Path | None, inputs: Sequence[Path]) -> Destination:
        """The destination for ``--output``, checked before anything is read.

        Raises:
            UsageError: an unknown suffix, a directory, or an input itself.
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
        if output.exists() and any(path.exists() and output.samefile(path) for path in inputs):
            raise UsageError(f"--output: '{output}' is the input; choose another name")
        return cls(output, file_format)

    def deliver(self, stream: PredictionStream, top: int | None, screen: Screen) -> None:
        """Write the predictions where they belong; ``--json`` prints a document about them."""
        for text in stream.skipped:
            screen.warn(text)
        form = Form.of(stream, top)
        document: dict[str, Any] = {
            "schema_version": 1,
            "status": "completed",
            "exit_code": 0,
            "error": None,
            "examples": 0,
            "class_names": stream.class_names,
            "skipped": stream.skipped,
            "unseen_categories": stream.unseen,
            "output": self.path,
        }
        self._deliver(stream, form, document, screen)
        for column, number in stream.unseen.items():
            cells = "1 cell has" if number == 1 else f"{number:,} cells have"
            screen.warn(f"{column}: {cells} a category that training never saw")

    def _deliver(
        self, stream: PredictionStream, form: Form, document: dict[str, Any], screen: Screen
    ) -> None:
        if self.path is not None:
            document["examples"] = self._write(self.path, stream, form)
            if screen.is_json:
                screen.out.line(json_text(document))
            else:
                screen.note(f"{count(document['examples'], 'prediction')} in {self.path}")
        elif screen.is_json:
            records = list(form.records(stream))
            document["examples"] = len(records)
            screen.out.line(json_text(document | {"predictions": records}))
        else:
            _write_csv(form.table(stream), screen.out)

    def _write(self, path: Path, stream: PredictionStream, form: Form) -> int:
        from bmtrain.cli.rendering.prediction_arrays import write_npz
        from bmtrain.durable import replacing  # only where a file is asked for

        with replacing(path) as file:
            if self.format == "npz":
                return write_npz(stream, file)
            text = codecs.getwriter("utf-8")(file, "backslashreplace")
            if self.format == "csv":
                return _write_csv(form.table(stream), text)
            return _write_lines(form.records(stream), text)


def _write_csv(rows: Iterator[list[Any]], file: TextIO | Any) -> int:
    """Write a header and its rows; the number of the rows."""
    writer = csv.writer(file, lineterminator="\n")
    number = -1
    for row in rows:
        writer.writerow(row)
        number += 1
    return number


def _write_lines(records: Iterator[dict[str, Any]], file: TextIO | Any) -> int:
    number = 0
    for record in records:
        file.write(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n")
        number += 1
    return number
