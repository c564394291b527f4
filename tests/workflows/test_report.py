"""``bmtrain report``: what the page says is what the run directory and the data hold."""

import csv
import html
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bmtrain.data.load import load_with_columns
from bmtrain.runs.predictions import read_predictions
from tests.report_tables import Tables
from tests.small_runs import give_classes, give_numbers, log_epochs, make_run

REGRESSION = """\
name: line
data: {source: ./line.csv, label: y, splits: {test: 0.2}}
model: {layers: [{type: dense, units: 1}]}
loss: mse
metrics: [mae]
optimizer: {name: sgd, learning_rate: 0.01}
training: {epochs: 3}
"""
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def graph(trained):
    return trained("graph", "training.engine=graph")


@pytest.fixture
def report(command, tmp_path):
    """(words …) -> the file's text; it was written."""

    def run(*words):
        output = tmp_path / "report"
        ended = command("report", *words, "-o", output, "--force")
        assert ended.exit_code == 0, ended.err
        return output.read_text()

    return run


@pytest.fixture
def page(report, graph):
    return report(graph.path)


def cells(text, names):
    """The rows that are shown as mistakes, by column."""
    shown = re.findall(r'<dl class="cells">(.*?)</dl>', text)
    pairs = [re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", row) for row in shown]
    return [[dict(row)[name] for name in names] for row in pairs]


def test_a_report_shows_the_predictions_that_are_stored(page, graph):
    stored = read_predictions(graph.path / "predictions" / "test.safetensors")
    counts = [[0] * 3 for _ in range(3)]
    for label, predicted in zip(stored.labels, stored.predicted, strict=True):
        counts[label][predicted] += 1
    header, *rows = Tables(page).found["Confusion matrix"]
    assert header[1:] == ["left", "right", "up"]
    assert [[int(cell.replace("·", "0")) for cell in row[1:]] for row in rows] == counts
    right = sum(counts[i][i] for i in range(3))
    assert f"It is right on {right} of 62 test examples" in page


def test_the_most_confident_mistakes_are_rows_of_the_users_table(page, graph, project):
    stored = read_predictions(graph.path / "predictions" / "test.safetensors")
    wrong = np.flatnonzero(stored.labels != stored.predicted)
    order = wrong[np.argsort(-stored.outputs[wrong].max(axis=1), kind="stable")][:15]
    headings = re.findall(r'<p class="heading">Test example (\d+)</p>', page)
    assert [int(number) for number in headings] == order.tolist()
    with (project / "points.csv").open() as file:
        rows = [(row["x"], row["y"], row["z"], row["side"]) for row in csv.DictReader(file)]
    truths = re.findall(r'<span class="label">label</span> <strong>(\w+) ', page)
    shown = [
        (*numbers, truth)
        for numbers, truth in zip(cells(page, ["x", "y", "z"]), truths, strict=True)
    ]
    assert {row[:3] for row in shown} <= {row[:3] for row in rows}
    assert set(shown) <= set(rows)


def test_every_setting_says_where_it_was_set(page):
    (_, *rows) = Tables(page).found["What was set, and where"]
    origins = {key: (value, origin) for key, value, origin in rows}
    assert origins["optimizer.learning_rate"] == ("0.01", "line\u00a07")
    assert origins["training.engine"] == ("graph", "override 1")
    assert "Lines are those of points.yaml." in page
    defaults = dict(Tables(page).found["Defaults, written out"])
    assert defaults["optimizer.beta_1"] == "0.9"
    assert not defaults.keys() & origins.keys()


def test_curves_have_the_figures_of_the_log(page, graph):
    (_, *rows) = Tables(page).found["Loss by epoch"]
    epochs = [json.loads(line) for line in (graph.path / "metrics.jsonl").read_text().splitlines()]
    assert rows == [
        [str(e["epoch"]), f"{e['train']['loss']:.4f}", f"{e['validation']['loss']:.4f}"]
        for e in epochs
    ]
    assert page.count("epoch 2: train ") >= 2


def test_the_data_is_told_before_it_is_opened_and_only_opened_where_it_may(
    command, graph, project, tmp_path, monkeypatch
):
    words = ("report", graph.path, "-o", tmp_path / "page.html", "--force")
    assert f"reading the data that the run recorded: {project}/points.csv" in command(*words).err
    opened = []
    monkeypatch.setattr("bmtrain.data.sources.choose_format", lambda path, _: opened.append(path))
    ended = command(*words, "--no-examples")
    assert (ended.exit_code, opened) == (0, [])
    assert "points.csv" not in ended.err
    text = (tmp_path / "page.html").read_text()
    assert "The examples themselves are not shown: they were left out." in text
    assert '<dl class="cells">' not in text


def test_data_that_is_not_what_it_was_is_not_shown(report, graph, monkeypatch):
    """Rows of another table under the numbers of this one would be made-up mistakes."""

    def changed(*words, **options):
        dataset, columns = load_with_columns(*words, **options)
        return replace(dataset, facts=replace(dataset.facts, fingerprint="0" * 64)), columns

    monkeypatch.setattr("bmtrain.workflows.recorded_examples.load_with_columns", changed)
    text = html.unescape(report(graph.path))
    assert "not what the model was trained on (its fingerprint differs)" in text
    assert '<dl class="cells">' not in text


def test_names_from_a_strangers_run_are_text(report, tmp_path):
    names = [HOSTILE, "b", "c"]
    run = make_run(tmp_path / "run", f"data.source=./{HOSTILE}.csv", f"data.label={json.dumps(HOSTILE)}", data={"class_names": names},
                   command=[HOSTILE], git={HOSTILE: HOSTILE}, begun=HOSTILE)  # fmt: skip
    give_classes(run, [0, 1, 2, 0], [0, 1, 2, 1], num_classes=3)
    text = report(run)
    assert text.count("<script>") == 1
    assert text.count(html.escape(HOSTILE, quote=False)) > 5


def test_what_is_not_there_is_said(report, tmp_path):
    """A run that was killed in its fourth epoch, before anything was saved."""
    run = make_run(tmp_path / "run", status=None)
    log_epochs(run, 3)
    text = html.unescape(report(run))
    assert "It was interrupted and did not complete." in text
    assert "No predictions of a test split are stored" in text
    assert "Weights of the first layer" not in text
    assert [row[0] for row in Tables(text).found["Loss by epoch"]] == ["epoch", "1", "2", "3"]


def test_an_expectation_is_met_missed_or_not_measured(report, tmp_path):
    run = make_run(tmp_path / "run", status="interrupted")
    summary = json.loads((run / "summary.json").read_text())
    summary["expectations"] = [
        {"text": "test.accuracy >= 0.5", "value": 0.8125, "met": True},
        {"text": "test.accuracy >= 0.9", "value": 0.8125, "met": False},
        {"text": "test.loss <= 0.1", "value": None, "met": None},
    ]
    (run / "summary.json").write_text(json.dumps(summary))
    text = html.unescape(report(run))
    whose = "The command line expects a test"
    assert f'"words good">{whose} accuracy of at least 50.0\u00a0%: met with 81.2\u00a0%.<' in text
    assert (
        f'"words bad">{whose} accuracy of at least 90.0\u00a0%: missed with 81.2\u00a0%.<' in text
    )
    assert f'"words missing">{whose} loss of at most 0.1000: it was not measured.<' in text
    assert "It did not complete: it broke." in text


def test_a_regression_shows_residuals_and_its_largest_errors(report, tmp_path):
    (tmp_path / "line.csv").write_text("x,y\n1,2\n")
    random = np.random.default_rng(0)
    targets = random.normal(size=50)
    outputs = targets + 0.1 * random.normal(size=50)
    outputs[7] += 5
    run = make_run(
        tmp_path / "run",
        config=REGRESSION,
        metrics={"test": {"loss": 0.5, "mean_absolute_error": 0.2}},
    )
    give_numbers(run, targets, outputs)
    text = report(run)
    error = np.abs(outputs.astype(np.float32) - targets.astype(np.float32)).mean()
    found = {row[0]: row[1:] for row in Tables(text).found["Errors on 50 test examples"]}
    assert float(found["mean absolute error"][0]) == pytest.approx(error, rel=1e-3)
    low, high = map(float, found["mean absolute error"][1].split(" to "))
    assert low < error < high
    assert re.findall(r'"heading">Test example (\d+)<', text)[0] == "7"
    assert "Confusion matrix" not in text


def test_several_runs_have_the_verdict_of_compare(command, report, tmp_path):
    labels = np.arange(400) % 10
    predicted = labels.copy()
    predicted[:40] = (predicted[:40] + 1) % 10
    runs: list[Path] = []
    for name, said in (("one", labels), ("two", predicted)):
        metrics = {"test": {"accuracy": float((said == labels).mean())}}
        run = make_run(tmp_path / name, f"seed={len(runs)}", metrics=metrics)
        give_classes(run, labels, said)
        log_epochs(run, 3)
        runs.append(run)
    text = html.unescape(report(*runs))
    (evidence,) = command("compare", *runs, "--json").document["evidence"]
    assert evidence["verdict"] == "worse"
    assert evidence["text"][1:] in text
    assert Tables(text).found["Loss by epoch"][0] == ["epoch", "A train", "B train"]
    assert ["seed", "0", "1"] in Tables(text).found["Settings that differ"]
    for key, *values in Tables(text).found.get("What differs in the data", [])[1:]:
        assert len(set(values)) > 1, key


def test_json_is_one_document_and_a_file_is_replaced_only_if_asked_for(command, tmp_path):
    run = make_run(tmp_path / "run")
    output = tmp_path / "page.html"
    ended = command("report", run, "-o", output, "--json")
    document = ended.document
    assert (document["status"], document["report"], document["kind"]) == (
        "completed",
        str(output),
        "page",
    )
    assert document["bytes"] == output.stat().st_size
    output.write_text("mine")
    ended = command("report", run, "-o", output, "--json")
    assert ended.exit_code == 6
    assert ended.document["error"]["message"] == "it exists already"
    assert output.read_text() == "mine"
    assert command("report", run, "-o", output, "--force").exit_code == 0
    assert command("report", run, "-o", tmp_path, "--force").exit_code == 6


@pytest.mark.parametrize(
    ("words", "exit_code", "message"),
    [
        (["nothing"], 2, "nothing: no such directory"),
        (["run", "run"], 2, "is given twice"),
        (["run"] * 9, 2, "expected at most 8 runs, got 9"),
        (["run", "other", "--card"], 2, "a model card is about one run"),
        (["run", "--metric", "test.loss"], 2, "it is what several runs are compared by"),
        (["."], 2, "it holds runs, each of which can be named: odd, run"),
        (["odd"], 3, "they do not fit the run's classes"),
    ],
)
def test_what_cannot_be_reported_is_told(command, tmp_path, monkeypatch, words, exit_code, message):
    monkeypatch.chdir(tmp_path)
    make_run(tmp_path / "run")
    give_classes(make_run(tmp_path / "odd", data={"class_names": ["a", "b"]}), [0, 5], [0, 1])
    ended = command("report", *words)
    assert ended.exit_code == exit_code
    assert message in ended.err
    assert "Traceback" not in ended.err
    assert not list(tmp_path.glob("*.html"))


def test_origins_are_those_of_the_first_start(report, tmp_path):
    """A run that is gone on with is configured by its own directory."""
    first = {"origins": {"seed": "mine.yaml:2", "optimizer.name": "override 1"}}
    run = make_run(tmp_path / "run", origins={"seed": "run/config.yaml:2"}, earlier=[first, {}])
    (_, *rows) = Tables(report(run)).found["What was set, and where"]
    assert rows == [["seed", "0", "line\u00a02"], ["optimizer.name", "sgd", "override 1"]]
