"""What a CI service reads: JUnit files, step summaries, annotations."""

import json
from xml.etree import ElementTree as ET

import pytest


@pytest.fixture
def actions(monkeypatch, tmp_path):
    """A step of GitHub Actions; the file of its summary."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    return tmp_path / "summary.md"


def suite_in(path):
    root = ET.fromstring(path.read_bytes())
    assert root.tag == "testsuites"
    (suite,) = root
    cases = list(suite)
    assert int(suite.get("tests", -1)) == len(cases)
    for what, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.get(what, -1)) == len(suite.findall(f"testcase/{tag}"))
    return cases


def test_a_junit_file_has_a_case_for_the_training_and_one_for_each_expectation(bmtrain, tmp_path):
    ended = bmtrain("train", "x.yaml", "--junit", "report.xml")
    assert ended.exit_code == 0
    cases = suite_in(tmp_path / "report.xml")
    assert [case.get("name") for case in cases] == [
        "the training completes",
        "test.accuracy >= 0.97",
    ]
    assert not any(list(case) for case in cases)


def test_a_missed_expectation_is_a_failure(bmtrain, tmp_path):
    assert bmtrain("train", "x.yaml", "--junit", "report.xml", scenario="missed").exit_code == 4
    _, case = suite_in(tmp_path / "report.xml")
    (failure,) = case
    assert failure.tag == "failure"
    assert "expected test.accuracy >= 0.97, got 0." in failure.get("message", "")


@pytest.mark.parametrize(("scenario", "code"), [("config", "config"), ("data", "data")])
def test_a_training_that_did_not_complete_is_an_error(bmtrain, tmp_path, scenario, code):
    ended = bmtrain("train", "x.yaml", "--junit", "report.xml", scenario=scenario)
    assert ended.exit_code in {2, 3}
    (case, *_) = suite_in(tmp_path / "report.xml")
    (error,) = case
    assert (error.tag, error.get("type")) == ("error", code)


@pytest.mark.parametrize(
    ("junit", "words"),
    [("there", "'there' is a directory"), ("nowhere/x.xml", "there is no directory 'nowhere'")],
)
def test_a_junit_file_that_cannot_be_is_told_before_the_training(
    bmtrain, requests, tmp_path, junit, words
):
    (tmp_path / "there").mkdir()
    ended = bmtrain("train", "x.yaml", "--junit", junit)
    assert ended.exit_code == 2
    assert words in ended.err
    assert requests == [[]]


def test_a_report_that_cannot_be_written_changes_no_ending(bmtrain, actions):
    actions.mkdir()
    ended = bmtrain("train", "x.yaml")
    assert ended.exit_code == 0
    assert "the report was not written" in ended.err


def test_in_actions_the_step_has_a_summary_and_misses_are_annotated(bmtrain, actions):
    ended = bmtrain("train", "x.yaml", scenario="missed")
    assert ended.exit_code == 4
    assert "::error title=bmtrain%3A missed::test.accuracy >= 0.97, got" in ended.out
    text = actions.read_text()
    assert text.startswith("### ❌ bmtrain ")
    assert "| test | 0.0786 |" in text
    assert "- ❌ `test.accuracy >= 0.97`" in text
    assert bmtrain("train", "x.yaml").exit_code == 0
    assert actions.read_text().count("### ") == 2
    assert "### ✅" in actions.read_text()


def test_errors_are_in_the_summary_as_text_that_formats_nothing(bmtrain, actions):
    assert bmtrain("train", "x.yaml", scenario="config").exit_code == 2
    text = actions.read_text()
    assert text.startswith("### ❌ bmtrain training: config")
    assert "optimizer.learning\\_rte" in text


def test_outside_of_actions_and_where_a_format_is_named_nothing_is_annotated(
    bmtrain, actions, monkeypatch
):
    assert "::error" not in bmtrain("train", "x.yaml", "--format", "text", scenario="config").out
    assert json.loads(bmtrain("train", "x.yaml", "--json", scenario="config").out)["exit_code"] == 2
    monkeypatch.delenv("GITHUB_ACTIONS")
    before = actions.read_text()
    assert "::error" not in bmtrain("train", "x.yaml", scenario="config").out
    assert actions.read_text() == before
