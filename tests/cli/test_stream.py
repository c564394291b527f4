"""Streams: what their readers can show, and readers that are gone."""

import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmtrain.cli.stream import ASCII, UNICODE, Painted, Stream
from bmtrain.cli.typesetting import printable
from bmtrain.errors import EnvironmentFault


class Terminal(io.StringIO):
    """A terminal of unknown size."""

    def isatty(self):
        return True


class Failing(io.StringIO):
    """A file that cannot be written."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def write(self, text):
        raise self.error

    def flush(self):
        raise self.error


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch):
    for name in ("COLUMNS", "LC_ALL", "LC_CTYPE", "LANG", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


@given(st.text())
def test_no_control_character_reaches_the_screen(text):
    stream = Stream(file := io.StringIO())
    stream.line(text, stream.paint(text))
    assert all(char == "\n" or ord(char) >= 32 for char in file.getvalue())
    assert not any(127 <= ord(char) < 160 for char in file.getvalue())


@given(st.text(st.characters(exclude_categories=["Cc"])))
def test_other_text_is_left_alone(text):
    assert printable(text) == text


def test_colours_are_for_terminals(monkeypatch):
    assert Stream(Terminal()).paint("so", "red") == "\x1b[31mso\x1b[0m"
    assert Stream(io.StringIO()).paint("so", "red") == "so"
    monkeypatch.setenv("NO_COLOR", "1")
    assert Stream(Terminal()).paint("so", "red") == "so"
    monkeypatch.delenv("NO_COLOR")
    for dumb in ("dumb", ""):
        monkeypatch.setenv("TERM", dumb)
        assert Stream(Terminal()).paint("so", "red") == "so"


def test_nothing_to_paint_is_nothing():
    assert Stream(Terminal()).paint("", "red") == ""


def test_what_is_shown_for_now_goes_away_again(monkeypatch):
    stream = Stream(file := Terminal())
    stream.show_for_now("waiting")
    stream.line("done")
    assert file.getvalue() == "\r\x1b[2Kwaiting\r\x1b[2Kdone\n"
    piped = io.StringIO()
    Stream(piped).show_for_now("waiting")
    assert piped.getvalue() == ""


def test_a_long_line_for_now_stays_on_its_line(monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    stream = Stream(file := Terminal())
    stream.show_for_now("x" * 50)
    assert file.getvalue() == "\r\x1b[2K" + "x" * 17


def test_the_width_is_that_of_the_reader(monkeypatch):
    assert Stream(io.StringIO()).width == 80
    assert Stream(None).width == 80
    assert Stream(Terminal()).width == 80  # no descriptor to ask
    monkeypatch.setenv("COLUMNS", "33")
    assert Stream(io.StringIO()).width == 33
    for nonsense in ("0", "-5", "wide", "³", "99999999"):
        monkeypatch.setenv("COLUMNS", nonsense)
        assert Stream(io.StringIO()).width == 80


def test_symbols_are_ascii_where_the_encoding_or_the_locale_says_so(monkeypatch):
    assert Stream(io.StringIO()).symbols is UNICODE
    latin = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    assert Stream(latin).symbols is ASCII
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        with monkeypatch.context() as patch:
            patch.setenv(name, "C")
            assert Stream(io.StringIO()).symbols is ASCII
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("LANG", "C")
    assert Stream(io.StringIO()).symbols is UNICODE


def test_what_the_encoding_lacks_is_escaped():
    raw = io.BytesIO()
    stream = Stream(io.TextIOWrapper(raw, encoding="ascii"))
    stream.line("ß and \udcff")
    assert raw.getvalue() == b"\\xdf and \\udcff\n"


def test_the_signs_of_our_own_messages_are_written_in_ascii_where_need_be(monkeypatch):
    raw = io.BytesIO()
    stream = Stream(io.TextIOWrapper(raw, encoding="ascii"))
    stream.line("28 × 28, λ/(2m)·Σw² …")
    stream.hanging(stream.paint("→ "), 3, "m ≥ 1 – so")
    assert raw.getvalue() == b"28 x 28, lambda/(2m)*sum w^2 ...\n-> m >= 1 - so\n"
    monkeypatch.setenv("LC_ALL", "C")
    Stream(file := io.StringIO()).line("28 × 28")
    assert file.getvalue() == "28 x 28\n"


def test_data_is_not_rewritten_in_ascii(monkeypatch):
    """A class may be called a × b, and a result is not ours to change."""
    monkeypatch.setenv("LC_ALL", "C")
    Stream(file := io.StringIO()).write("a × b\n")
    assert file.getvalue() == "a × b\n"


@pytest.mark.parametrize("error", [BrokenPipeError(), ValueError("closed"), OSError(5, "io")])
def test_nobody_reading_progress_is_no_error(error):
    stream = Stream(Failing(error))
    stream.line("so")
    stream.line("so")


@pytest.mark.parametrize("error", [BrokenPipeError(), ValueError("closed")])
def test_a_reader_of_results_may_leave(error):
    Stream(Failing(error), must_arrive=True).line("so")


def test_a_terminal_that_was_closed_is_a_reader_that_left():
    class Closed(Failing):
        def isatty(self):
            return True

    Stream(Closed(OSError(5, "Input/output error")), must_arrive=True).line("so")
    with pytest.raises(EnvironmentFault):
        Stream(Closed(OSError(28, "full")), must_arrive=True).line("so")


def test_results_must_not_vanish():
    stream = Stream(Failing(OSError(28, "No space left on device")), must_arrive=True)
    with pytest.raises(EnvironmentFault, match="No space left on device"):
        stream.write("so")
    stream.line("from now on nowhere")


def test_a_file_that_fails_only_at_the_end_is_found_out():
    class FailingLater(Failing):
        def write(self, text):
            return len(text)

    file = FailingLater(OSError(28, "full"))
    with pytest.raises(EnvironmentFault):
        Stream(file, must_arrive=True).line("so")


def test_an_abandoned_descriptor_takes_what_was_buffered(tmp_path):
    ours, theirs = os.pipe()
    os.close(ours)
    file = os.fdopen(theirs, "w")
    stream = Stream(file, must_arrive=True)
    stream.line("so")
    file.close()  # would raise BrokenPipeError


def test_a_stream_without_a_file_takes_everything():
    stream = Stream(None)
    assert stream.write("so") == 2
    stream.line("so")
    stream.flush()
    stream.release()
    assert stream.writable()
    assert not stream.isatty()


def test_a_file_closed_before_is_no_terminal():
    file = io.StringIO()
    file.close()
    assert not Stream(file).is_terminal


TEXT = "one two three four five six\n\nseven a-very-long-word-that-is-a-path/of/a/run"


def hung(file, *arguments):
    Stream(file).hanging(*arguments)
    return file.getvalue().splitlines()


def test_text_is_wrapped_for_terminals_only(monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    assert hung(io.StringIO(), Painted("abc "), 4, TEXT) == [
        "abc one two three four five six",
        "    ",
        "    seven a-very-long-word-that-is-a-path/of/a/run",
    ]
    assert hung(Terminal(), Painted("abc "), 4, TEXT) == [
        "abc one two three four five",
        "    six",
        "    ",
        "    seven",
        "    a-very-long-word-that-is-a-path/of/a/run",
    ]


def test_where_it_is_narrow_text_stands_under_its_heading(monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    assert hung(Terminal(), Painted("training  "), 10, "2 epochs, batches of 32") == [
        "training  2 epochs,",
        "  batches of 32",
    ]


def test_a_colour_takes_no_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    stream = Stream(file := Terminal())
    stream.hanging(stream.paint("warning: ", "yellow"), 9, "a b c d e")
    stream.paragraph("one two three four five", "dim")
    first, *others = file.getvalue().splitlines()
    assert first.endswith("\x1b[0ma b c d e")
    assert others == ["\x1b[2mone two three four\x1b[0m", "\x1b[2mfive\x1b[0m"]


def test_what_finds_no_stdout_from_the_start_is_told_once():
    stream = Stream(None, must_arrive=True)
    stream.require_arrived()  # nothing was to arrive
    stream.line("0.98")
    with pytest.raises(EnvironmentFault, match="stdout: it is closed"):
        stream.require_arrived()
    stream.require_arrived()
