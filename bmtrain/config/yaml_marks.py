"""From the YAML parser's marks to places in a source."""

from __future__ import annotations

from yaml.events import Event

from bmtrain.config.source_text import Place, SourceText


class Marks:
    """The places of what was parsed; ``column_offset`` is added to columns of the first line."""

    def __init__(self, source: SourceText, column_offset: int) -> None:
        self._source = source
        self._column_offset = column_offset

    @property
    def whole(self) -> Place:
        """The source as a whole."""
        return Place(self._source)

    def at(self, line: int, column: int, length: int = 1) -> Place:
        """The place of a mark, whose lines and columns count from 0."""
        offset = self._column_offset if line == 0 else 0
        return Place(self._source, line + 1, column + 1 + offset, max(1, length))

    def of(self, event: Event, end: Event | None = None) -> Place:
        """From an event's start to its end, or to that of ``end``; of several lines the first."""
        start, stop = event.start_mark, (end or event).end_mark
        assert start is not None
        assert stop is not None
        if start.line == stop.line:
            return self.at(start.line, start.column, stop.column - start.column)
        place = self.at(start.line, start.column)
        width = len(self._source.lines[place.line - 1].rstrip()) - place.column + 1
        return Place(self._source, place.line, place.column, max(1, width))

    def within(self, place: Place) -> Place:
        """``place``, or the end of the last line that says something, if it is behind that."""
        lines = self._source.lines
        last = max((number for number, line in enumerate(lines, 1) if line.strip()), default=1)
        if place.line <= last:
            return place
        return Place(self._source, last, len(lines[last - 1].rstrip()) + 1)
