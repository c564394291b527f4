"""How messages quote names and cells."""

from __future__ import annotations

from pathlib import Path

from bmtrain.data.wording.quoting import listed, listed_and_more, quoted, short, short_path


def test_a_short_text_is_shown_as_it_is():
    assert short("petal width") == "petal width"
    assert quoted("it's") == '"it\'s"'
    assert short("x" * 80) == "x" * 80


def test_a_long_text_is_cut_to_80_characters():
    assert short("x" * 81) == "x" * 79 + "…"
    assert quoted("x" * 50_000) == "'" + "x" * 79 + "…'"


def test_what_cannot_be_printed_is_written_out():
    assert quoted("a\nb\x1b") == r"'a\nb\x1b'"


def test_names_are_listed_up_to_a_number():
    assert listed(["a", "b"]) == "a, b"
    assert listed(["a", "b", "c"], 2) == "a, b, …"
    assert listed([]) == ""


def test_texts_are_listed_with_how_many_more_there_are():
    assert listed_and_more(["a", "b"]) == "a, b"
    assert listed_and_more(list("abcdefg"), 5) == "a, b, c, d, e and 2 more"


def test_of_a_long_path_the_end_is_shown():
    shown = short_path(Path("/a" * 100) / "cat" / "7.png")
    assert len(shown) == 80
    assert shown.startswith("…")
    assert shown.endswith("/cat/7.png")
    assert short_path(Path("cat/7.png")) == "cat/7.png"
