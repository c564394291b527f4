"""Findings with a place: text with a caret, GitHub's annotations."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmtrain.cli.rendering.diagnostics import (
    counted,
    diagnostic_document,
    github_command,
    github_line,
    show_diagnostic,
)
from bmtrain.cli.stream import Stream
from bmtrain.errors import Diagnostic


def shown(monkeypatch, columns=80, **fields):
    monkeypatch.setenv("COLUMNS", str(columns))
    file = io.StringIO()
    show_diagnostic(Diagnostic("a.yaml", "wrong", **fields), Stream(file))
    return file.getvalue().splitlines()


def test_a_finding_without_a_line_is_one_line(monkeypatch):
    assert shown(monkeypatch, key="model") == ["a.yaml: error: model: wrong"]


def test_a_finding_without_a_column_has_no_caret(monkeypatch):
    lines = shown(monkeypatch, line=3, source_line="model:")
    assert lines == ["a.yaml:3: error: wrong", "  3 | model:"]


def test_an_override_has_a_caret_too(monkeypatch):
    lines = shown(monkeypatch, column=3, length=2, source_line="a.bc=1", severity="warning")
    assert lines == ["a.yaml: warning: wrong", "   | a.bc=1", "   |   ^^"]


@pytest.mark.parametrize("source_line", ["\tname: ü", "größe: ü", "深い: ü", "\x1b[31m: ü"])
def test_the_caret_is_under_the_finding_after_tabs_and_wide_characters(monkeypatch, source_line):
    from rich.cells import cell_len

    column = source_line.index("ü", 4) + 1
    _, line, carets = shown(monkeypatch, line=12, column=column, source_line=source_line)
    assert cell_len(line[: line.rindex("ü")]) == cell_len(carets[: carets.index("^")])
    assert "\x1b" not in line


@given(
    before=st.integers(0, 3000),
    length=st.integers(0, 50),
    after=st.integers(0, 3000),
    columns=st.integers(20, 200),
)
def test_a_long_line_is_cut_around_the_finding(before, length, after, columns):
    source_line = "a" * before + "X" * max(length, 1) + "b" * after
    with pytest.MonkeyPatch.context() as monkeypatch:
        _, line, carets = shown(
            monkeypatch, columns, line=1, column=before + 1, length=length, source_line=source_line
        )
    assert len(line) <= columns
    assert len(carets) <= columns
    assert line[carets.index("^")] == "X"
    assert set(carets[carets.index("^") :]) == {"^"}
    assert line[carets.index("^") : len(carets)].strip("X") == ""


def test_the_end_of_a_line_can_be_what_is_wrong(monkeypatch):
    *_, carets = shown(monkeypatch, line=1, column=5, length=9, source_line="name")
    assert carets == "    |     ^"


def test_an_argument_needs_no_line_number(capsys):
    file = io.StringIO()
    finding = Diagnostic("override 2", "wrong", line=1, column=3, source_line="a.b=1")
    show_diagnostic(finding, Stream(file))
    assert file.getvalue() == "override 2: error: wrong\n   | a.b=1\n   |   ^\n"
    assert github_line(finding) == "::error title=bmtrain::override 2: wrong"


def test_errors_and_warnings_are_counted_apart():
    error, warning = Diagnostic("a", "b"), Diagnostic("a", "b", severity="warning")
    assert counted([error]) == "1 error"
    assert counted([error, warning, error]) == "2 errors, 1 warning"
    assert counted([warning, warning]) == "2 warnings"


def test_github_commands_are_escaped():
    assert github_command("error", "50 %\r\nof", title="a,b:c") == (
        "::error title=a%2Cb%3Ac::50 %25%0D%0Aof"
    )
    assert github_command("warning", "so") == "::warning::so"


def test_a_finding_without_a_line_annotates_no_file():
    finding = Diagnostic("override 2", "wrong", column=4)
    assert github_line(finding) == "::error title=bmtrain::override 2: wrong"


def test_the_document_has_every_field():
    finding = Diagnostic("a.yaml", "wrong", "model", 1, 2, 3, "model: x", "warning")
    assert diagnostic_document(finding) == {
        "source": "a.yaml",
        "message": "wrong",
        "key": "model",
        "line": 1,
        "column": 2,
        "length": 3,
        "source_line": "model: x",
        "severity": "warning",
    }
