"""``check`` tells of categories that teach nothing, and of those that training never saw."""

import numpy as np
import pytest

from bmtrain.data.checks.category_checks import category_findings
from bmtrain.data.checks.inspection import inspect_dataset
from bmtrain.data.load import load_dataset


@pytest.fixture
def told(tmp_path, section):
    """The findings on a table of 60 rows, its test rows in a file of their own."""

    def of(who=str):
        rng = np.random.default_rng(0)
        kinds = [("red", "green")[i % 2] for i in range(60)]
        rows = [f"{rng.normal()},{kind},{who(i)},{'ab'[i % 2]}\n"
                for i, kind in enumerate(kinds)]  # fmt: skip
        (tmp_path / "train.csv").write_text("x,kind,who,y\n" + "".join(rows))
        (tmp_path / "test.csv").write_text("x,kind,who,y\n0.5,red,1,a\n1.5,blue,2,b\n")
        data = section(tmp_path, label="y", categorical=("kind", "who"), missing="indicator")
        return load_dataset(data, task="classification", seed=0)

    return of


def test_a_category_that_only_the_test_split_has_is_counted(told):
    (finding,) = [f for f in category_findings(told()) if f.message.startswith("test:")]
    assert finding.level == "warning"
    assert "1 of 2 examples have a category of kind" in finding.message


def test_a_column_that_names_the_row_is_told(told):
    messages = [f.message for f in category_findings(told())]
    assert any(m.startswith("who has 60 categories in 60 training examples") for m in messages)
    few = [f.message for f in category_findings(told(who=lambda i: i % 3))]
    assert not any("names the row" in message for message in few)


def test_a_column_of_one_category_is_told_and_missing_ones_are_counted(told):
    messages = [f.message for f in category_findings(told(who=lambda i: "" if i < 7 else "q"))]
    assert any("of one category in who" in message for message in messages)
    assert "training examples without a value, by column: who (7)" in messages


def test_the_inputs_of_a_category_are_no_constant_features(told):
    messages = [finding.message for finding in inspect_dataset(told())]
    assert not any("(unseen)" in message for message in messages)
