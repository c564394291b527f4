"""What is seen of a table before anybody said what is what in it."""

import random as stdlib_random

import pytest

from bmtrain.data.profiles.feature_choice import choose_features, place_of_cell
from bmtrain.data.profiles.label_guess import are_classes, guess_label
from bmtrain.data.tables.csv_table import read_cells
from bmtrain.data.tables.header_doubt import header_doubt
from bmtrain.data.tables.table_profile import profile_table


@pytest.fixture
def profile(tmp_path):
    def read(text, name="x.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return {column.name: column for column in profile_table(read_cells(path))}

    return read


def table(header, row, num_rows=30):
    return "\n".join([header, *(",".join(map(str, row(i))) for i in range(num_rows))]) + "\n"


def test_columns_are_told_apart_by_what_most_of_their_cells_hold(profile):
    text = "a,b,c,d,e\n1,1.5,red,,NA\n2,2,blue,,3\n2.0,-1e3,red,,4\n"
    found = profile(text)
    assert [column.kind for column in found.values()] == [
        *("integers", "numbers", "texts", "nothing", "integers")
    ]
    assert (found["b"].low, found["b"].high) == (-1000.0, 2.0)
    assert found["c"].counts == (("red", 2), ("blue", 1))
    assert (found["d"].num_missing, found["e"].num_missing) == (3, 1)
    assert (found["a"].num_distinct, found["c"].num_distinct) == (3, 2)


def test_missing_and_wrong_cells_are_counted_and_the_first_is_known_by_its_line(profile):
    found = profile("a,b\n1,1\n\n,2\n3,abc\nNaN,4\n5,1e300\n6,7\n")  # row 1 is a blank line
    assert (found["a"].num_missing, found["a"].num_wrong) == (2, 0)
    assert place_of_cell(found["a"], found["a"].missing_row).startswith("line 4 of ")
    assert (found["b"].num_wrong, found["b"].wrong_text) == (2, "abc")
    assert place_of_cell(found["b"], found["b"].wrong_row).startswith("line 5 of ")
    assert not found["a"].is_sound
    assert not found["b"].is_sound


def test_a_text_may_say_none_and_mean_it(profile):
    assert profile("a,b\n1,none\n2,some\n3,none\n")["b"].num_missing == 0


def test_columns_named_like_patterns_are_columns(profile):
    assert profile("*,^a.*$,a\n1,x,3\n2,y,4\n")["^a.*$"].kind == "texts"


@pytest.mark.parametrize(
    ("name", "is_identifier"),
    [
        *(
            (name, True)
            for name in ("id", "ID", "Id", "customer_id", "userId", "index", "Unnamed: 0")
        ),
        *((name, False) for name in ("valid", "width", "grid", "period", "monkey", "x")),
    ],
)
def test_identifiers_are_known_by_their_names(profile, name, is_identifier):
    assert profile(f"{name},y\n1,2\n3,4\n")[name].is_named_identifier == is_identifier


def guess(columns):
    return guess_label(list(columns.values()))


@pytest.mark.parametrize(
    ("header", "row", "label", "words"),
    [
        ("label,a,b", lambda i: (i % 3, i * 0.5, i % 7), "label", "is named 'label'"),
        ("a,kind of fruit,b", lambda i: (i * 0.1, "xyz"[i % 3], i * 0.7), "kind of fruit", "texts"),
        ("a,b,price", lambda i: (i % 5, i % 3, i * 1.5), "price", "is the last column"),
        ("a,Flower Class,b", lambda i: (i * 0.1, i % 2, i * 0.7), "Flower Class", "'class' in"),
        ("SPECIES,city", lambda i: ("ab"[i % 2], "pq"[i % 2]), "SPECIES", "is named 'species'"),
    ],
)
def test_the_label_is_guessed_and_the_signs_are_told(profile, header, row, label, words):
    found = guess(profile(table(header, row)))
    assert found.best.column.name == label
    assert words in found.best.reason


def test_a_guess_between_columns_alike_is_ambiguous_and_names_the_other(profile):
    found = guess(profile(table("a,rooms,size", lambda i: (i * 0.3, "pq"[i % 2], "xy"[i % 2]))))
    assert found.best.column.name == "size"
    assert found.is_ambiguous
    assert found.others[0].column.name == "rooms"
    clear = guess(profile(table("a,label", lambda i: (i * 0.3, "xy"[i % 2]))))
    assert not clear.is_ambiguous


def test_remarks_identifiers_and_constants_are_no_label(profile):
    columns = profile(table("a,y,id", lambda i: ("same", f"remark {i}", i + 10)))
    assert guess(columns) is None


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 1] * 3, True),
        ([3.0, 4.0] * 10, True),
        (list(range(30)), False),
        ([0.5, 1.5] * 10, False),
        (["a", "b"] * 10, True),
        (list(range(21)) * 20, False),
        (list(range(20)) * 20, True),
    ],
)
def test_texts_and_few_whole_numbers_are_classes(profile, values, expected):
    columns = profile("y,x\n" + "".join(f"{value},1\n" for value in values))
    assert are_classes(columns["y"]) == expected


def left_out(columns, label="y", others=()):
    choice = choose_features(list(columns.values()), label, list(others))
    return choice, {left.name: left for left in choice.left_out}


def test_all_columns_stay_where_nothing_is_the_matter(profile):
    choice, found = left_out(profile(table("a,b,y", lambda i: (i * 0.3, i % 3, i % 2))))
    assert (choice.names, choice.num_features, found) == (None, 2, {})


def test_what_is_no_feature_is_left_out_with_its_reason(profile):
    def row(i):
        return (
            i,
            f"q{i // 3}",
            "" if i in (4, 9) else i,
            "$1" if i == 7 else i * 0.1,
            5,
            i % 9,
            i % 2,
        )

    choice, found = left_out(profile(table("n,text,gap,odd,same,good,y", row)))
    assert choice.names == ("gap", "good")
    assert choice.with_gaps == (("gap", 2),)
    assert {name: left.fault for name, left in found.items()} == {
        "n": "identifier",
        "text": "texts",
        "odd": "wrong",
        "same": "constant",
    }
    assert "counts the rows from 0" in found["n"].reason
    assert "'q0', 'q1'" in found["text"].reason
    assert "too rare each" in found["text"].reason
    assert "line 9" in found["odd"].reason


def test_a_column_of_numbers_stays_where_there_is_no_other(profile):
    choice, _ = left_out(profile(table("n,y", lambda i: (i + 1, i % 2))))
    assert choice.names is None


def test_a_few_constants_of_many_features_are_not_worth_a_list_of_all_others(profile):
    header = ",".join(f"p{i}" for i in range(60)) + ",y"
    random = stdlib_random.Random(1)
    text = table(header, lambda i: (0, *(random.random() for _ in range(59)), i % 2))
    assert left_out(profile(text))[0].names is None


def test_texts_that_repeat_are_categories_wherever_gaps_are(profile):
    train = profile(
        table("a,b,y", lambda i: (i * 0.3, "pq"[i % 2] if i else "", i % 2)), "train.csv"
    )
    choice, _ = left_out(train)
    assert choice.names is None
    assert choice.categorical == ("b",)
    assert choice.with_gaps == (("b", 1),)


def test_a_gap_in_the_test_file_alone_is_one_too(profile):
    train = profile(table("a,b,y", lambda i: (i * 0.3, i * 0.2, i % 2)), "train.csv")
    test = profile("b,a,y\n1,,0\n2,3,1\n", "test.csv")
    choice, _ = left_out(train, others=test.values())
    assert choice.names is None
    assert choice.with_gaps == (("a", 1),)


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        ("3,0.3,b", "('3', '0.3', 'b')"),
        ("3,length,b", "('3', 'b')"),
        ("length,width,species", None),
        ("1998,1999,2000", None),
        ("length,width,b", None),
    ],
)
def test_a_first_line_that_could_be_an_example_is_told(profile, header, shown):
    columns = profile(table(header, lambda i: (i, i * 0.1, "ab"[i % 2])))
    doubt = header_doubt(list(columns.values()))
    assert (doubt is None) == (shown is None)
    assert shown is None or shown in str(doubt)


def test_decimal_commas_and_dates_are_told_as_what_they_are(profile):
    def row(i):
        return f'"{i % 4},5"', f"2024-{1 + i % 12:02}-{1 + i % 28:02}", i * 0.1, i % 2

    _, found = left_out(profile(table("price,day,good,y", row)))
    assert found["price"].reason == "numbers with decimal commas: write points"
    assert found["day"].reason == "dates: derive year, month or weekday, a column each"
