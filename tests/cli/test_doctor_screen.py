"""What ``doctor`` shows, on any terminal, and its document."""

import json

import pytest

from bmtrain.cli.typesetting import columns
from bmtrain.workflows.diagnosis.finding import Examined, Finding

FINE = Examined("machine", (Finding("ok", "2 processors"),), {"processors": 2})
DOUBTFUL = Examined(
    "surroundings",
    (
        Finding("note", "the locale has no symbols"),
        Finding("warning", "82 MB free in a directory of a long name", "free some space → soon"),
    ),
)
UNFIT = Examined("tensorflow", (Finding("problem", "it crashed", "install it anew"),))


@pytest.fixture
def doctor(bmtrain, monkeypatch):
    """(parts, words) -> how ``doctor`` ended that found these parts."""

    def run(parts, *words):
        asked = []

        def found(request):
            asked.append(request)
            yield from parts

        monkeypatch.setattr("bmtrain.workflows.doctor.doctor", found)
        ended = bmtrain("doctor", *words)
        assert asked[0].quick == ("--quick" in words)
        return ended

    return run


def test_each_finding_has_its_symbol_and_what_to_do_below(doctor):
    ended = doctor([FINE, DOUBTFUL])
    assert ended.exit_code == 0
    assert ended.out.splitlines() == [
        f"── machine {'─' * 69}",
        "✔ 2 processors",
        "",
        f"── surroundings {'─' * 64}",
        "– the locale has no symbols",
        "⚠ 82 MB free in a directory of a long name",
        "  → free some space → soon",
        "",
        "⚠ fit to train: 1 fine, 1 note, 1 warning, 0 problems",
    ]


def test_a_problem_is_exit_code_6(doctor):
    ended = doctor([FINE, UNFIT], "--quick")
    assert ended.exit_code == 6
    assert ended.out.endswith("✘ not fit to train: 1 fine, 0 notes, 0 warnings, 1 problem\n")


def test_quiet_says_what_is_wrong_alone(doctor):
    assert doctor([FINE], "--quiet").out == ""
    assert "2 processors" not in doctor([FINE, DOUBTFUL], "--quiet").out
    assert "82 MB free" in doctor([FINE, DOUBTFUL], "--quiet").out


def test_the_document_has_it_all(doctor):
    document = json.loads(doctor([FINE, UNFIT], "--json").out)
    assert document == {
        "schema_version": 1,
        "status": "failed",
        "exit_code": 6,
        "error": None,
        "counts": {"ok": 1, "note": 0, "warning": 0, "problem": 1},
        "sections": [
            {
                "title": "machine",
                "findings": [{"level": "ok", "message": "2 processors", "remedy": None}],
                "facts": {"processors": 2},
            },
            {
                "title": "tensorflow",
                "findings": [
                    {"level": "problem", "message": "it crashed", "remedy": "install it anew"}
                ],
                "facts": {},
            },
        ],
    }


@pytest.mark.parametrize("width", [20, 40])
def test_lines_fit_and_letters_are_plain_where_they_must_be(doctor, monkeypatch, width):
    monkeypatch.setattr("bmtrain.cli.stream._is_terminal", lambda file: True)
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("COLUMNS", str(width))
    ended = doctor([FINE, DOUBTFUL, UNFIT])
    assert ended.out.isascii()
    assert "[!]" in ended.out
    assert "->" in ended.out
    assert all(columns(line) <= width for line in ended.out.splitlines())
