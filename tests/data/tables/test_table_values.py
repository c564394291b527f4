import pytest

from bmtrain.data.raw.columns import Beside, number_columns
from bmtrain.data.tables.table_formats import read_table_examples, read_table_source
from bmtrain.errors import DataError
from tests.table_sections import of_table

SMOKERS = "age,smoker,sex,y\n1,yes,f,p\n2,no,m,q\n3,no,f,p\n"


@pytest.fixture
def table(tmp_path):
    def write(text: str):
        path = tmp_path / "t.csv"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def fails(table):
    def check(text: str, *, features=None, label="y") -> DataError:
        path = table(text)
        with pytest.raises(DataError) as caught:
            read_table_source(path, of_table(label, features), "csv")
        assert caught.value.where is not None
        caught.value.where = caught.value.where.removeprefix(f"{path}, ")
        return caught.value

    return check


def test_the_first_bad_cell_in_the_order_of_lines_is_told_and_all_are_counted(fails):
    error = fails("a,b,c,y\n1,2,3,p\n4,5,NA,q\n7,,9,p\n,8,,q\n")
    assert error.where == "line 3"
    assert error.message == (
        "column 'c': expected a number, got 'NA', "
        "the first of 4 cells in 3 columns without a usable value"
    )
    assert error.hint == "fill them in, remove these rows, or set data.missing"


def test_columns_beside_the_bad_ones_make_leaving_out_a_remedy(fails):
    error = fails("a,b,c,y\n1,2,3,p\n4,,6,q\n7,8,,p\n")
    assert error.message.endswith("the first of 2 cells in 2 columns without a usable value")
    assert error.hint == (
        "fill them in, remove these rows, set data.missing, or leave the columns out with data.features"
    )
    error = fails("a,b,y\n1,2,p\n4,x,q\n7,8,p\n9,,p\n")
    assert error.message == (
        "column 'b': expected a number, got 'x', the first of 2 cells without a usable value"
    )
    assert error.hint == (
        "correct them, remove these rows, or leave the column out with data.features"
    )


def test_in_one_line_the_leftmost_bad_cell_is_the_first(fails):
    error = fails("a,b,y\n1,2,p\n,,q\n", features=("b", "a"))
    assert error.message.startswith("column 'a': the cell is empty, the first of 2 cells")


def test_an_empty_label_cannot_be_left_out(fails):
    error = fails("a,y\n1,p\n2,\n")
    assert (error.where, error.message) == ("line 3", "column 'y': the cell is empty")
    assert error.hint == "fill it in or remove the row"


def test_a_number_for_people_is_told_how_to_write_it(fails):
    error = fails('a,b,y\n1,"$1,200",p\n2,"$3,400",q\n')
    assert error.message == (
        "column 'b': expected a number, got '$1,200', the first of 2 cells without a usable value"
    )
    assert error.hint == "write it as 1200"


def test_a_column_of_texts_is_told_to_be_one(fails):
    error = fails(SMOKERS, features=("age", "smoker"))
    assert error.where == "line 2"
    assert error.message == (
        "column 'smoker' holds texts ('yes'): features are numbers unless the config says otherwise"
    )
    assert error.hint == "name it in data.categorical, or leave it out with data.features"


def test_a_column_of_pictures_names_is_told_what_reads_pictures(fails):
    error = fails("age,photo,y\n1,a/1.PNG,p\n2,a/2.jpg,q\n")
    assert error.hint == "to read pictures: data.image: {size: [HEIGHT, WIDTH], column: photo}"


def test_all_columns_of_texts_are_named_and_come_before_missing_cells(fails):
    error = fails("age,smoker,sex,y\n,,f,p\n2,yes,m,q\n3,no,f,p\n")
    assert error.where == "line 2"
    assert error.message == (
        "columns 'sex', 'smoker' hold texts ('f' in 'sex'): "
        "features are numbers unless the config says otherwise"
    )
    names = [f"t{number}" for number in range(8)]
    error = fails(",".join([*names, "y"]) + "\n" + 2 * "a,b,c,d,e,f,g,h,p\n")
    assert "columns 't0', 't1', 't2', 't3', 't4' and 3 more hold texts" in error.message
    assert error.hint == "name them in data.categorical"
    error = fails(",".join([f"t{number}" for number in range(5000)]) + ",y\n" + "a," * 5000 + "p\n")
    assert "'t4' and 4,995 more hold texts" in error.message


def test_marks_of_missing_values_make_no_column_of_texts(fails):
    error = fails("a,b,y\n1,N/A,p\n2,?,q\n3,null,p\n")
    assert error.message.startswith("column 'b': expected a number, got 'N/A', the first of 3")
    assert error.hint is not None
    assert error.hint.startswith("fill them in")


def test_a_long_text_is_shortened(fails):
    assert f"('{'x' * 79}…')" in fails(f"a,y\n{'x' * 400},p\n{'x' * 400},q\n").message


def test_a_row_too_short_is_no_text_and_no_missing_value(fails):
    error = fails("a,b,y\n3,p\n4,q\n")
    assert error.where == "line 2"
    assert error.message == "expected 3 cells, got 2; 1 more row has not 3, either"


def test_what_a_trained_model_needs_cannot_be_left_out(table):
    path = table(SMOKERS)
    with pytest.raises(DataError, match="'smoker' holds texts") as caught:
        read_table_examples(path, number_columns(("age", "smoker")), Beside(), "csv")
    assert caught.value.hint == "encode it as in the training examples"
    path = table("age,smoker\n1,\n2,0\n")
    with pytest.raises(DataError, match="line 2: column 'smoker': the cell is empty") as caught:
        read_table_examples(path, number_columns(("age", "smoker")), Beside(), "csv")
    assert caught.value.hint == "fill it in or remove the row"
