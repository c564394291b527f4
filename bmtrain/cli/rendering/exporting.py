"""What export shows: what is compared on what, a line per format, how each is loaded."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from contextlib import closing, nullcontext
from typing import Any, Final

from bmtrain.cli.console import Screen
from bmtrain.cli.rendering.documents import json_text
from bmtrain.cli.stream import Painted
from bmtrain.errors import BmtrainError
from bmtrain.events import Event, ExamplesChosen, ExportBegun, ModelExported, Noted, RunFinished
from bmtrain.figures import amount

#: What stands before the text, behind a symbol or in its place.
_NAME_COLUMNS: Final = len("safetensors  ")


def show_export(events: Iterable[Event], screen: Screen) -> int:
    """Show the events as they come; the exit code that the document says."""
    records: list[Mapping[str, Any]] = []
    document: Mapping[str, Any] | None = None
    with closing(events) if isinstance(events, Generator) else nullcontext():
        try:
            for event in events:
                if isinstance(event, RunFinished):
                    document = event.summary
                    continue
                if isinstance(event, ModelExported):
                    records.append(event.record)
                screen.err.clear()  # on a terminal both streams write the same line
                _show(event, screen)
                screen.show_waiting()
        except BmtrainError as error:
            # With --json the failure's document tells what was exported before it, too.
            error.summary = {"exports": records}  # type: ignore[attr-defined]
            raise
    assert document is not None, "it ended without a document"
    screen.err.clear()
    if screen.is_json:
        screen.out.line(json_text(document))
    elif not screen.quiet:
        _show_usage(records, screen)
    return int(document["exit_code"])


def _show(event: Event, screen: Screen) -> None:
    match event:
        case ExportBegun():
            for text in event.skipped:
                screen.warn(text)
            _say("checkpoint", str(event.checkpoint), screen)
            _say("outputs", event.outputs, screen)
        case ExamplesChosen():
            _say("compared on", event.examples, screen)
        case Noted():
            _say("precision", event.message, screen)
        case ModelExported():
            _show_record(event.record, screen)


def _say(name: str, text: str, screen: Screen) -> None:
    if not screen.quiet and not screen.is_json:
        start = f"{name:<{len(screen.out.symbols.ok) + 1 + _NAME_COLUMNS}}"
        screen.out.hanging(screen.out.paint(start, "dim"), len(start), text)


def _show_record(record: Mapping[str, Any], screen: Screen) -> None:
    """On stdout; a refusal where nothing else is shown on stderr."""
    passed = record["passed"]
    is_result = not screen.quiet and not screen.is_json
    if passed and not is_result:
        return
    stream = screen.out if is_result else screen.err
    symbol = stream.symbols.ok if passed else stream.symbols.error
    start = f"{symbol} {record['format']:<{_NAME_COLUMNS}}"
    difference = f"largest difference {record['largest_difference']:.1e}"
    if passed:
        beside = f" and {record['description']}" if record["description"] else ""
        size = amount(record["bytes"], "B")
        text = f"{record['path']}{beside}, {size}; {record['runtime']}: {difference}"
    else:
        relative = record["relative_difference"]
        text = (
            f"{record['runtime']} gives other outputs than the checkpoint: {difference}, "
            f"{relative:.1e} of their size; nothing was kept. --tolerance allows more"
        )
    painted = Painted(stream.paint(start, "green" if passed else "red"))
    stream.hanging(painted, len(start), text)


def _show_usage(records: Iterable[Mapping[str, Any]], screen: Screen) -> None:
    passed = [record for record in records if record["passed"]]
    if passed:
        screen.out.line()
    for record in passed:
        _say("in Python", record["usage"], screen)
