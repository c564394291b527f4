"""What check shows."""

import json


def test_check_shows_ruled_sections_and_a_count(bmtrain):
    ended = bmtrain("check", "mnist.yaml", "a=1")
    assert ended.exit_code == 0
    rule = "─"
    assert (
        ended.out
        == f"""\
{rule * 2} config {rule * 70}
✔ mnist.yaml is valid

{rule * 2} data {rule * 72}
✔ 60,000 training examples, 10 classes, 5,421 to 6,742 each
⚠ 67 of 784 features are constant in the training split: they say nothing, and cost a column of weights each
✔ no example of the test split is in the training split

⚠ 3 passed, 1 warning, 0 errors
"""
    )


def test_check_with_an_error_is_exit_code_3(bmtrain):
    ended = bmtrain("check", "mnist.yaml", scenario="findings")
    assert ended.exit_code == 3
    assert ended.out.endswith("✘ 2 passed, 1 warning, 1 error\n")


def test_check_quiet_shows_what_is_wrong_only(bmtrain):
    out = bmtrain("check", "mnist.yaml", "-q").out
    assert "⚠ 67 of 784" in out
    assert "✔" not in out
    assert "config" not in out


def test_check_json_is_one_document_of_sections(bmtrain):
    document = json.loads(bmtrain("check", "mnist.yaml", "--json").out)
    assert document["status"] == "passed"
    assert document["counts"] == {"ok": 3, "warning": 1, "error": 0}
    assert [section["title"] for section in document["sections"]] == ["config", "data"]
    assert document["sections"][0]["findings"][0] == {
        "level": "ok",
        "message": "mnist.yaml is valid",
    }
    failed = json.loads(bmtrain("check", "mnist.yaml", "--json", scenario="data").out)
    assert failed["exit_code"] == 3
    assert [section["title"] for section in failed["sections"]] == ["config"]


def test_check_for_github_annotates_findings(bmtrain):
    out = bmtrain("check", "mnist.yaml", "--format", "github").out
    assert out.startswith("::warning title=bmtrain check::data: 67 of 784")
    assert out.endswith("⚠ 3 passed, 1 warning, 0 errors\n")
    assert out.count("\n") == 2


def test_long_findings_hang_behind_their_symbol_on_a_terminal(terminal):
    shown = terminal("done", "check", "mnist.yaml", columns=60, NO_COLOR="1").out
    assert (
        "⚠ 67 of 784 features are constant in the training split:\r\n"
        "  they say nothing, and cost a column of weights each\r\n" in shown
    )
