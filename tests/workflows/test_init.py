"""``bmtrain init --data``: what it writes is checked and trained as it is."""

from __future__ import annotations

import json
import random as stdlib_random
from collections import Counter
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import jsonschema
import numpy as np
import polars as pl
import pytest
import yaml
from sklearn.datasets import load_iris

from bmtrain.config.load import load_config
from bmtrain.errors import DataError
from bmtrain.workflows.check import CheckRequest, check
from bmtrain.workflows.init import InitRequest, init
from bmtrain.workflows.preparation import prepare

ROOT = Path(__file__).parents[2]
MARK = "# yaml-language-server: $schema="
RANDOM = stdlib_random.Random(5)


def table(header, row, num_rows):
    return "\n".join([header, *(",".join(map(str, row(i))) for i in range(num_rows))]) + "\n"


def noise():
    return f"{RANDOM.gauss(0, 1):.3f}"


TABLES = {
    "binary": table("a,b,y", lambda i: (noise(), noise(), i % 2), 60),
    "many classes": table("a,b,kind", lambda i: (noise(), noise(), f"kind {i % 60}"), 400),
    "regression": table("a,b,price", lambda i: (noise(), noise(), noise()), 90),
    "large targets": table("a,price", lambda i: (noise(), 100_000 + 913 * i), 90),
    "texts": table("a,word,species", lambda i: (noise(), f"w{i}", "abc"[i % 3]), 90),
    "odd names": table(
        '"a: b","#c","no","- x","{y}","&z","it\'s ""q""","two\nlines",null,target',
        lambda i: (*(noise() for _ in range(9)), i % 2),
        50,
    ),
    "unicode": table(
        "größe,наименование,种类,\U0001f600", lambda i: (noise(), noise(), noise(), "äß"[i % 2]), 40
    ),
    "a class of one": table("a,y", lambda i: (noise(), "rare" if i == 3 else "ab"[i % 2]), 50),
    "a class of two": table("a,y", lambda i: (noise(), "rare" if i < 2 else "ab"[i % 2]), 50),
    "all classes of one": table("a,b,label", lambda i: (noise(), noise(), f"c{i}"), 9)
    + "1,2,c0\n" * 2,
    "wide": table(
        ",".join(f"p{i}" for i in range(300)) + ",label",
        lambda i: (*(noise() for _ in range(300)), i % 4),
        40,
    ),
    "six rows": table("x,y", lambda i: (i, i // 3), 6),
    "three rows": table("x,y", lambda i: (i, i * 0.5), 3),
    "two rows": table("x,y", lambda i: (i, i * 0.5), 2),
    "faults": table(
        "id,when,a,same,b,target",
        lambda i: (i, f"2024-01-{i % 28 + 1:02}", noise(), 7, "" if i == 5 else noise(), i % 2),
        70,
    ),
    "negative classes": table("a,y", lambda i: (noise(), (-1, 1)[i % 2]), 40),
    "booleans": table("a,y", lambda i: (noise(), ("true", "false")[i % 2]), 40),
    "missing marks": table("a,b,y", lambda i: (noise(), "NA" if i < 9 else noise(), i % 2), 40),
    "unbalanced": table("a,b,y", lambda i: (noise(), noise(), int(i % 40 == 0)), 400),
}


@pytest.fixture
def start(tmp_path, monkeypatch):
    """(name of a table or its text, …) -> (document, path of the config)."""
    monkeypatch.chdir(tmp_path)

    def run(text, **request):
        (tmp_path / "my data.csv").write_text(TABLES.get(text, text), encoding="utf-8")
        document = init(InitRequest(data=Path("my data.csv"), **request))
        return document, tmp_path / "config.yaml"

    return run


def findings(config):
    sections = check(CheckRequest(config=config))
    return [finding for section in sections for finding in section.findings]


def schema_pointed_at(config):
    """The schema's text, found as an editor does: by the line, from the config's directory."""
    first = config.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith(MARK)
    return (config.parent / first.removeprefix(MARK)).read_text(encoding="utf-8")


@cache
def validator_of(schema):
    """Whether the schema is one is asked once: it takes longer than the rest of a test."""
    document = json.loads(schema)
    jsonschema.Draft202012Validator.check_schema(document)
    return jsonschema.Draft202012Validator(document)


@pytest.mark.parametrize("name", TABLES)
def test_what_is_written_has_no_errors_and_fits_the_schema_that_it_points_to(start, name):
    _, config = start(name)
    assert [finding for finding in findings(config) if finding.level == "error"] == []
    # Another reader of YAML than ours, and another of JSON Schema.
    written = yaml.safe_load(config.read_text(encoding="utf-8"))
    validator_of(schema_pointed_at(config)).validate(written)
    assert max(map(len, config.read_text(encoding="utf-8").splitlines())) <= 120


@pytest.mark.parametrize("name", TABLES)
def test_the_lines_for_later_can_be_taken_up(start, name, tmp_path):
    _, config = start(name)
    text = config.read_text(encoding="utf-8").replace("\n# expect:", "\nexpect:")
    config.write_text(text, encoding="utf-8")
    load_config(config)


def test_the_figures_in_the_comments_are_those_of_the_data(start):
    text = TABLES["texts"]
    document, config = start("texts")
    rows = [line.split(",") for line in text.splitlines()[1:]]
    values = [float(row[0]) for row in rows]
    comments = " ".join(
        line.strip(" #") for line in config.read_text().splitlines() if line.strip().startswith("#")
    )
    assert f"numbers from {min(values):.6g} to {max(values):.6g}" in comments
    counts = Counter(row[2] for row in rows)
    assert document["data"]["classes"] == dict(counts)
    assert "90 examples, 3 columns" in comments
    splits = {"train": 54, "validation": 18, "test": 18}  # 0.2 each of 90
    assert ", ".join(f"{name} {number}" for name, number in splits.items()) in comments
    loaded = load_config(config).experiment
    assert loaded.data.features == ("a",)
    assert "'word': 90 different texts" in comments


def test_each_choice_is_in_the_document_with_its_value_and_reason(start):
    document, config = start("faults")
    choices = {choice["key"]: choice for choice in document["choices"]}
    written = yaml.safe_load(config.read_text())
    for key, choice in choices.items():
        section, _, name = key.partition(".")
        if choice["is_active"]:
            assert (written[section][name] if name else written[section]) == choice["value"]
        if key not in {"name", "seed"}:
            assert choice["reason"]
    faults = {left["name"]: left["fault"] for left in document["data"]["left_out"]}
    assert faults == {"id": "identifier", "when": "texts", "same": "constant"}
    assert written["data"]["features"] == ["a", "b"]
    assert written["data"]["missing"] == "indicator"
    assert "'b' (" in choices["data.missing"]["reason"]
    assert (document["config"], document["schema"]) == (
        Path("config.yaml"),
        Path(".bmtrain-schema.json"),
    )
    assert document["next"] == ["bmtrain check config.yaml", "bmtrain train config.yaml"]


def test_a_class_too_small_for_both_splits_gets_a_test_split_and_one_for_none_is_told(start):
    document, config = start("a class of two")
    assert yaml.safe_load(config.read_text())["data"]["splits"] == {"test": 0.2}
    document, config = start("a class of one", force=True)
    assert "splits" not in yaml.safe_load(config.read_text())["data"]
    assert "Class 'rare' has 1 example" in " ".join(config.read_text().replace("#", "").split())
    assert "early_stopping" not in config.read_text()
    splits = next(choice for choice in document["choices"] if choice["key"] == "data.splits")
    assert not splits["is_active"]
    # Shown without the line below it, too: a whole sentence.
    assert splits["reason"].endswith("once it has more, data.splits can hold some out")


def test_columns_of_a_type_that_is_not_read_are_named_by_it_and_not_called_empty(tmp_path):
    days = [date(2024, 1, 1) + timedelta(days=i) for i in range(60)]
    columns = {"x": [i * 0.37 % 1 for i in range(60)], "y": ["p", "q"] * 30}
    table = pl.DataFrame({"day": days, "tags": [[1, 2]] * 60, **columns})
    table.write_parquet(tmp_path / "a.parquet")
    config = tmp_path / "config.yaml"
    document = init(InitRequest(data=tmp_path / "a.parquet", output=config))
    reasons = {left["name"]: left["reason"] for left in document["data"]["left_out"]}
    assert reasons == {
        "day": "holds Date: neither numbers nor texts",
        "tags": "holds List(Int64): neither numbers nor texts",
    }
    assert "'day': Date, which is not read" in config.read_text()


def test_a_column_of_one_text_alone_is_said_to_say_nothing(start):
    document, _ = start(table("a,site,y", lambda i: (noise(), "here", i % 2), 60))
    (left,) = document["data"]["left_out"]
    assert left["reason"] == "all its cells are 'here': it says nothing"


def test_an_ambiguous_guess_is_told_with_its_reason_and_label_chooses(start):
    text = table("size,colour,shape", lambda i: (noise(), "rg"[i % 2], "xyz"[i % 3]), 60)
    document, config = start(text)
    label = document["data"]["label"]
    assert (label["name"], label["is_ambiguous"]) == ("shape", True)
    assert label["alternatives"][0]["name"] == "colour"
    comments = " ".join(config.read_text().replace("#", " ").split())
    assert "it could also be 'colour'" in comments
    document, config = start(text, label="colour", force=True)
    assert yaml.safe_load(config.read_text())["data"]["label"] == "colour"
    assert "--label names" in document["data"]["label"]["reason"]


@pytest.mark.parametrize(
    ("text", "request_", "words"),
    [
        ("a,y\n1,x\n2,\n3,x\n4,z\n", {}, "'y' is not whole: 1 cell is empty, in line 3"),
        ("a,y\n1,2\n", {"label": "z"}, "there is no column 'z'"),
        ("a,y\n1,5\n2,5\n", {"label": "y"}, "all its cells are the same"),
        ("a,y\np,0\nq,1\np,1\nq,0\n", {}, "no column beside the label 'y' can be a feature"),
        ("y\n0\n1\n0\n1\n", {}, "no column beside the label"),
        ("a,y\nu,v\nw,x\np,q\n", {}, "no column looks like a label"),
        ("a,a\n1,2\n", {}, "'a' is there twice"),
        ("a,y\n1,2,3\n", {}, "expected 2 cells, got 3"),
        ("a;y\n1;2\n", {}, "semicolon"),
        ("a,y\n", {}, "no rows"),
        ("", {}, "empty"),
        ("\0\0", {}, "my data.csv"),
    ],
)
def test_data_that_cannot_be_started_from_is_an_error_and_nothing_is_written(
    start, tmp_path, text, request_, words
):
    with pytest.raises(DataError) as caught:
        start(text, **request_)
    assert words in str(caught.value)
    assert caught.value.where is not None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["my data.csv"]


def test_more_features_than_a_config_can_list_are_told(start, monkeypatch):
    monkeypatch.setattr("bmtrain.workflows.starter.inputs._MAX_LISTED", 50)
    names = ",".join(f"p{i}" for i in range(51))
    text = table(f"word,{names},y", lambda i: (f"w{i}", *range(i, 51 + i), i % 2), 4)
    with pytest.raises(DataError, match="cannot list the 51 features") as caught:
        start(text)
    assert "'word'" in str(caught.value.hint)
    start("\n".join(line.partition(",")[2] for line in text.splitlines()))


def test_arrays_are_looked_at_too(tmp_path, monkeypatch, random):
    monkeypatch.chdir(tmp_path)
    images = random.integers(0, 256, (120, 6, 5), np.uint8)
    cases = {
        "classes": (images, np.arange(120) % 4, "sparse_categorical_crossentropy", None),
        "targets": (images, random.normal(size=(120, 2)), "mse", None),
        "one-hot": (images, np.eye(3)[np.arange(120) % 3], "sparse_categorical_crossentropy", None),
        "scaled": (images / np.float32(1), np.arange(120) % 2 == 0, None, "standardize"),
        "texts": (images, np.array(["up", "down"])[np.arange(120) % 2], None, None),
    }
    for name, (features, labels, loss, normalize) in cases.items():
        np.savez(f"{name}.npz", x_train=features, y_train=labels)
        init(InitRequest(data=Path(f"{name}.npz"), output=Path(f"{name}.yaml")))
        config = tmp_path / f"{name}.yaml"
        assert [finding for finding in findings(config) if finding.level == "error"] == []
        written = yaml.safe_load(config.read_text())
        assert written["data"].get("normalize") == normalize
        assert loss is None or written["loss"] == loss


def test_a_published_test_split_is_used_and_only_validation_is_drawn(tmp_path):
    bundled = ROOT / "bmtrain" / "data" / "bundled" / "mnist"
    document = init(InitRequest(data=bundled, output=tmp_path / "config.yaml"))
    assert document["data"]["examples"] == {"train": 60_000, "test": 10_000}
    written = yaml.safe_load((tmp_path / "config.yaml").read_text())
    assert written["data"]["splits"] == {"validation": 0.1}


def test_a_directory_of_tables_is_looked_at_as_a_whole(tmp_path):
    directory = tmp_path / "tables"
    directory.mkdir()
    (directory / "train.csv").write_text(TABLES["binary"])
    (directory / "test.csv").write_text("a,b,y\n1,2,0\n2,,1\n")
    init(InitRequest(data=directory, output=tmp_path / "config.yaml"))
    written = yaml.safe_load((tmp_path / "config.yaml").read_text())
    assert "features" not in written["data"]
    assert written["data"]["missing"] == "indicator"
    assert findings(tmp_path / "config.yaml")


def test_texts_that_repeat_become_categories_and_the_config_trains(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = table("a,kind,y", lambda i: (noise(), "" if i == 7 else "pq"[i % 2], "uv"[i % 2]), 60)
    (tmp_path / "x.csv").write_text(rows)
    init(InitRequest(data=tmp_path / "x.csv", output=tmp_path / "config.yaml"))
    written = yaml.safe_load((tmp_path / "config.yaml").read_text())["data"]
    assert (written["categorical"], written["missing"]) == (["kind"], "indicator")
    dataset = prepare(load_config(tmp_path / "config.yaml")).dataset
    assert dataset.facts.feature_names == (
        *("a", "kind=p", "kind=q", "kind=(unseen)", "kind=(missing)"),
    )


def test_the_source_is_relative_to_the_config_wherever_that_is(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    (tmp_path / "there" / "deep").mkdir(parents=True)
    (tmp_path / "here" / "x.csv").write_text(TABLES["binary"])
    # A way back through a link is that of the directory that it leads to.
    (tmp_path / "link").symlink_to(tmp_path / "there" / "deep")
    monkeypatch.chdir(tmp_path / "here")
    for output, source in {
        "../there/deep/config.yaml": "../../here/x.csv",
        "../link/other.yaml": "../../here/x.csv",
        "config.yaml": "./x.csv",
    }.items():
        init(InitRequest(data=Path("x.csv"), output=Path(output)))
        written = yaml.safe_load(Path(output).read_text())
        assert written["data"]["source"] == source
        assert findings(Path(output))


def test_a_name_without_the_usual_ending_is_read_by_its_format(tmp_path):
    (tmp_path / "flowers.data").write_text(TABLES["texts"])
    request = InitRequest(
        data=tmp_path / "flowers.data", format="csv", output=tmp_path / "config.yaml"
    )
    init(request)
    assert findings(tmp_path / "config.yaml")


def iris_csv():
    iris = load_iris()
    rows = [
        (*map(str, row), iris.target_names[label])
        for row, label in zip(iris.data, iris.target, strict=True)
    ]
    return "\n".join(",".join(row) for row in [(*iris.feature_names, "species"), *rows]) + "\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "least"),
    [
        pytest.param(iris_csv(), {"accuracy": 0.85}, id="classes"),
        pytest.param("faults", {}, id="faults", marks=pytest.mark.long),
        pytest.param(
            table("x,z,price", lambda i: (i % 17, i % 5, 900 * (i % 17) + 50_000), 300),
            {},
            id="large targets",
            marks=pytest.mark.long,
        ),
    ],
)
def test_what_is_written_trains_by_the_real_command(bmtrain, tmp_path, text, least):
    (tmp_path / "mine.csv").write_text(TABLES.get(text, text))
    ended = bmtrain("init", "--data", "mine.csv", "--json", directory=tmp_path)
    assert (ended.exit_code, ended.err) == (0, "")
    *_, train = ended.document["next"]
    assert bmtrain("check", "config.yaml", directory=tmp_path).exit_code == 0
    trained = bmtrain(*train.split()[1:], "--json", directory=tmp_path)
    assert trained.exit_code == 0, trained.err
    figures = trained.document["metrics"]["test"]
    assert all(figures[name] >= value for name, value in least.items())
    if "mean_absolute_error" in figures:
        assert figures["root_mean_squared_error"] < np.std([900 * (i % 17) for i in range(300)])
