from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bmtrain.config import yaml_reader
from bmtrain.config.nodes import ListNode, MappingNode, ScalarNode, to_plain
from bmtrain.config.source_text import SourceText
from bmtrain.config.yaml_reader import read_yaml


def read(text):
    return read_yaml(text, SourceText.of("x.yaml", text, Path("/")))


def one_problem(text):
    root, problems = read(text)
    (problem,) = problems
    return root, problem


def test_a_document_becomes_plain_values():
    root, problems = read("a: 1\nb: [x, 2.5, {c: true}]\nd: 'no'\n")
    assert problems == []
    assert to_plain(root) == {"a": 1, "b": ("x", 2.5, {"c": True}), "d": "no"}


def test_every_value_and_key_knows_its_place():
    root, _ = read("a: 1\nlong_key:\n  - x\n  - {b: 'quoted'}\n")
    assert isinstance(root, MappingNode)
    entry = root.entries["long_key"]
    assert (entry.key_place.line, entry.key_place.column, entry.key_place.length) == (2, 1, 8)
    assert isinstance(entry.value, ListNode)
    mapping = entry.value.items[1]
    assert isinstance(mapping, MappingNode)
    assert (mapping.place.line, mapping.place.column, mapping.place.length) == (4, 5, 13)
    value = mapping.entries["b"].value
    assert (value.place.line, value.place.column, value.place.length) == (4, 9, 8)


def test_a_place_of_several_lines_ends_with_the_first():
    root, _ = read("a: [1,\n  2]  \nb: |\n  text\n")
    assert (root.child("a").place.column, root.child("a").place.length) == (4, 3)
    assert root.child("b").place.length == 1


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "\n\n", "%YAML 1.2\n---\n"])
def test_an_empty_document_is_null(text):
    root, problems = read(text)
    assert problems == []
    assert isinstance(root, ScalarNode)
    assert root.value is None


def test_a_byte_order_mark_is_fine():
    assert to_plain(read("\ufeffa: 1")[0]) == {"a": 1}


def test_document_markers_are_fine():
    assert to_plain(read("---\na: 1\n...\n")[0]) == {"a": 1}


def test_aliases_are_followed():
    assert to_plain(read("a: &x [1, 2]\nb: *x\n&k c: *k\n")[0]) == {
        "a": (1, 2), "b": (1, 2), "c": "c"}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("a: 1\n---\nb: 2\n", 2, 1, "a second document starts here"),
        ("&x [*x]", 1, 5, "the alias *x is inside of itself"),
        ("a: *nowhere", 1, 4, "the alias *nowhere has no anchor before it"),
        ("a: 1\n\tb: 2\n", 2, 1, "tab"),
        ("a: b: c", 1, 5, "quote a text with ': ' in it"),
        ("a: 'x\n", 1, 6, "a quote is not closed"),
        ("a: [1, 2\n\n\n", 1, 9, "a bracket is not closed"),
        ("a: @x", 1, 4, "needs quotes"),
        ("a: \x00", 1, 4, "U+0000 is not allowed"),
        ("ok: 1\na: \x1b[31m", 2, 4, "U+001B is not allowed"),
        ("a: \ud800", 1, 4, "U+D800 is not allowed"),
        ("%YAML 9.9\n---\na: 1", 1, 1, "incompatible"),
        ("[" * 100_000, 1, 101, "nested deeper than 100 levels"),
        ("{a: " * 100_000, 1, 398, "nested deeper than 100 levels"),
        ("- " * 100_000, 1, 201, "nested deeper than 100 levels"),
        ("? " * 100_000, 1, 201, "nested deeper than 100 levels"),
        ("[" + "[]," * 50_001 + "]", 1, 149_999, "more than 50000 values"),
    ],
)
def test_what_cannot_be_read_is_one_problem_with_its_place(text, line, column, words):
    root, problem = one_problem(text)
    assert root is None
    assert words in problem.message
    assert (problem.place.line, problem.place.column) == (line, column)


def test_an_alias_bomb_is_refused_before_it_grows():
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
    root, problem = one_problem("\n".join(lines))
    assert root is None
    assert "more than 50000 values" in problem.message


def test_aliases_cannot_nest_deeper_than_brackets():
    lines = ["a0: &a0 [1]"] + [f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 200)]
    root, problem = one_problem("\n".join(lines))
    assert root is None
    assert "nested deeper than 100 levels" in problem.message


def test_100_levels_are_read():
    assert read("[" * 100 + "]" * 100)[1] == []


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("a: !!python/object/apply:os.system [id]", 4, "!!python/object/apply:os.system"),
        ("a: !!str 5", 4, "the tag !!str is not allowed"),
        ("a: !mine {b: 1}", 4, "the tag !mine is not allowed"),
        ("a: ! 5", 4, "the tag ! is not allowed"),
        ("a: !" + "x" * 99 + " 5", 4, "xxx… is not allowed"),
        ("<<: {a: 1}", 1, "merge keys (<<) are not supported"),
        ("? [a]\n: 1", 3, "a key must be a plain text"),
        ("? {a: 1}\n: 1", 3, "a key must be a plain text"),
    ],
)
def test_what_the_language_leaves_out_is_a_problem_and_the_rest_is_read(text, column, words):
    root, problem = one_problem(text + "\nb: 2")
    assert words in problem.message
    assert problem.place.column == column
    assert to_plain(root)["b"] == 2


def test_a_quoted_merge_key_is_a_key():
    assert to_plain(read("'<<': 1")[0]) == {"<<": 1}


def test_a_duplicate_key_is_a_problem_and_the_first_one_counts():
    root, problem = one_problem("a: 1\nb:\n  c: 1\n  c: 2\n")
    assert problem.message == "duplicate key; it is already given on line 3"
    assert (problem.place.line, problem.key) == (4, ("b", "c"))
    assert to_plain(root) == {"a": 1, "b": {"c": 1}}


def test_an_endless_integer_is_a_problem_at_its_place():
    _, problem = one_problem("a:\n  b: " + "9" * 5000)
    assert problem.message == "an integer of 5000 characters is out of range (64 bits)"
    assert problem.key == ("a", "b")


def test_columns_of_an_override_count_from_its_key():
    text = "seed=[1"
    _, (problem,) = read_yaml(
        "[1", SourceText.of("override 1", text, Path("/")), column_offset=5, key=("seed",)
    )
    assert (problem.place.line, problem.place.column) == (1, 8)


ODD_TEXT = st.text(
    st.sampled_from(list("ab1: -\n\t[]{},&*!#|>'\"%@`?~.<=\\x\u2028\x85é\ufeff\x00")), max_size=60
)


@settings(max_examples=500, deadline=None)
@given(ODD_TEXT | st.text(max_size=200))
def test_the_reader_never_crashes(text):
    root, problems = read(text)
    assert root is not None or problems
    for problem in problems:
        diagnostic = problem.diagnostic()
        assert diagnostic.line >= 0
        assert diagnostic.column <= len(diagnostic.source_line) + 1


@settings(max_examples=150, deadline=None)
@given(ODD_TEXT)
def test_the_pure_python_parser_never_crashes_either(text):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml_reader, "_LOADER", yaml.SafeLoader)
        root, problems = read(text)
    assert root is not None or problems


JSON_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(st.characters(
        codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"
    ), max_size=10) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(st.sampled_from("abcXYZ_ "), max_size=5), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(JSON_LIKE)
def test_what_another_writer_quotes_is_read_back(value):
    def quoted(item):
        if isinstance(item, dict):
            return {_Quoted(key): quoted(inner) for key, inner in item.items()}
        if isinstance(item, list):
            return [quoted(inner) for inner in item]
        return _Quoted(item) if isinstance(item, str) else item

    text = yaml.dump(quoted(value), Dumper=_QuotingDumper, allow_unicode=True)
    root, problems = read(text)
    assert problems == []
    assert to_plain(root) == with_tuples(value)


class _Quoted(str):
    __slots__ = ()


class _QuotingDumper(yaml.SafeDumper):
    """Texts in double quotes, no anchors."""

    def ignore_aliases(self, data):
        return True


_QuotingDumper.add_representer(
    _Quoted,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style='"'),
)


def with_tuples(value):
    if isinstance(value, dict):
        return {key: with_tuples(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return tuple(with_tuples(inner) for inner in value)
    return value
