"""``bmtrain report --card``: what the Hub reads, and what a reader must not take for markup."""

import re

import numpy as np
import pytest
import yaml
from scipy import stats

from bmtrain.pages.markdown import escaped
from tests.small_runs import give_classes, make_run

HOSTILE = "</table>|[x](http://x.example)<script>"


@pytest.fixture
def card(command, tmp_path):
    """(run) -> header and body of its card."""

    def write(run):
        output = tmp_path / "card.md"
        ended = command("report", run, "--card", "-o", output, "--force")
        assert ended.exit_code == 0, ended.err
        empty, header, body = output.read_text().split("---\n", 2)
        assert empty == ""
        return yaml.safe_load(header), body

    return write


def rows_of(body, caption):
    """The cells of the table under a caption, as they are read."""
    lines = body.partition(f"{caption}:\n\n")[2].partition("\n\n")[0].splitlines()
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines]
    return [[re.sub(r"\\(.)", r"\1", cell.strip()) for cell in row] for row in cells]


def test_the_header_is_what_the_hub_reads(card, trained):
    run = trained("graph", "training.engine=graph")
    header, body = card(run.path)
    assert header["library_name"] == "keras"
    assert header["pipeline_tag"] == "tabular-classification"
    assert header["metrics"] == ["accuracy"]
    (model,) = header["model-index"]
    (result,) = model["results"]
    values = {entry["type"]: entry["value"] for entry in result["metrics"]}
    test = run.summary["metrics"]["test"]
    assert values == pytest.approx({name: test[name] for name in ("loss", "accuracy")}, rel=1e-5)
    assert result["dataset"] == {"name": "points.csv", "type": "points.csv", "split": "test"}
    assert header["license"] == "unknown"
    for title in ("Intended use", "Data", "Figures", "Limits", "Cost", "How to reproduce it"):
        assert f"\n## {title}\n" in body
    assert (run.path / "config.yaml").read_text() in body


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("mnist", "mnist"),
        ("/home/a b/my <flowers>.csv", "my-flowers-.csv"),
        ("./Ελληνικά/日本", "data"),
        ("./x/", "x"),
    ],
)
def test_a_data_set_is_called_as_the_hub_allows(card, tmp_path, source, name):
    """Its own words: fails to match the required pattern: /^(?:[\\w-]+\\/)?[\\w-.]+$/."""
    run = make_run(
        tmp_path / "run",
        f"data.source={source!r}",
        "name='1e5'",
        metrics={"test": {"loss": 2e-9, "f1_macro": 0.25, "top_3_accuracy": 0.5}},
    )
    header, _ = card(run)
    (model,) = header["model-index"]
    (result,) = model["results"]
    assert result["dataset"]["type"] == name
    assert re.fullmatch(r"(?:[\w-]+/)?[\w\-.]+", result["dataset"]["type"], re.ASCII)
    assert result["task"] == {"type": "other"}
    assert result["metrics"] == [
        {"type": "loss", "value": 2e-9, "name": "test loss"},
        {"type": "f1", "value": 0.25, "name": "test f1 macro", "args": {"average": "macro"}},
        {"type": "top_3_accuracy", "value": 0.5, "name": "test top 3 accuracy"},
    ]
    # For YAML 1.2 it would be a number.
    assert 'name: "1e5"' in (tmp_path / "card.md").read_text()


def test_each_class_has_its_figures_with_wilsons_interval(card, tmp_path):
    run = make_run(tmp_path / "run", data={"class_names": ["a", "b", "c"]})
    labels = np.repeat([0, 1, 2], [40, 12, 3])
    predicted = labels.copy()
    predicted[[0, 1, 2, 45]] = [1, 1, 2, 0]
    give_classes(run, labels, predicted, num_classes=3)
    _, body = card(run)
    _, _, *rows = rows_of(body, "Test figures of each class")
    assert [row[0] for row in rows] == ["a", "b", "c"]
    for number, row in enumerate(rows):
        actual, taken = labels == number, predicted == number
        for share, interval, whole in ((row[1], row[2], actual), (row[3], row[4], taken)):
            hits, trials = int((actual & taken).sum()), int(whole.sum())
            ends = stats.binomtest(hits, trials).proportion_ci(method="wilson")
            assert share == f"{100 * hits / trials:.1f} %"
            assert interval == f"{100 * ends.low:.1f} to {100 * ends.high:.1f} %"
    assert [row[6] for row in rows] == ["40", "12 (few)", "3 (few)"]


def test_names_from_the_data_are_no_markup(card, tmp_path):
    run = make_run(tmp_path / "run", data={"class_names": [HOSTILE, "b"]})
    give_classes(run, [0, 1, 0], [0, 1, 1], num_classes=2)
    _, body = card(run)
    _, _, first, _ = rows_of(body, "Test figures of each class")
    assert first[0] == HOSTILE
    outside = re.sub(r"```.*?```", "", body, flags=re.DOTALL)
    assert not re.search(r"(?<!\\)[<\[]", outside)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a_b *c*", r"a\_b \*c\*"),
        ("# no\nheading", r"\# no heading"),
        ("1. no list", r"1\. no list"),
        ("0.97 and 1.", "0.97 and 1."),
        ("- no - list", r"\- no - list"),
        ("<b> & `c` | $d$ \\", r"\<b\> \& \`c\` \| \$d\$ \\"),
    ],
)
def test_signs_of_markdown_are_escaped_where_they_are_some(text, written):
    assert escaped(text) == written
