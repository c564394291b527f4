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


def test_tables_stand_behind_the_findings_and_the_config_behind_its_section(bmtrain):
    out = bmtrain("check", "mnist.yaml", "--measure", "--show-origin", scenario="all of check").out
    assert """\
✔ mnist.yaml is valid

seed: 0    # default
training:
  epochs: 5  # mine.yaml:7

""" in out.replace("seed: 0      #", "seed: 0    #")
    assert "layer    output  parameters\n0 dense      10         110\n" in out


def test_where_one_place_does_not_fit_beside_its_setting_all_stand_under_theirs(terminal):
    shown = terminal(
        "all of check", "check", "m.yaml", "--show-origin", columns=24, NO_COLOR="1"
    ).out
    assert "seed: 0\r\n  # default\r\n" in shown  # though this one would fit beside it
    assert "training:\r\n  epochs: 5\r\n    # mine.yaml:7\r\n" in shown
    assert "0 dense\r\n  output 10\r\n  parameters 110\r\n" in shown


def test_quiet_shows_no_table_and_json_has_facts_origins_and_places(bmtrain):
    assert "110" not in bmtrain("check", "m.yaml", "-q", scenario="all of check").out
    document = json.loads(bmtrain("check", "m.yaml", "--json", scenario="all of check").out)
    assert document["origins"] == [
        {"key": "seed", "value": 0, "origin": "default"},
        {"key": "training.epochs", "value": 5, "origin": "mine.yaml:7"},
    ]
    model = document["sections"][1]
    assert model["facts"] == {"parameters": 110}
    assert model["findings"] == [
        {
            "level": "warning",
            "message": "odd",
            "key": "training.epochs",
            "source": "configs/mine.yaml",
            "line": 9,
        }
    ]


def test_a_finding_with_a_place_annotates_it_for_github(bmtrain):
    out = bmtrain("check", "m.yaml", "--format", "github", scenario="all of check").out
    assert out.startswith("::warning title=bmtrain,file=configs/mine.yaml,line=9,col=14,")


def test_an_error_that_ended_a_section_is_counted_shown_and_raised(bmtrain):
    ended = bmtrain("check", "m.yaml", scenario="stopped check")
    assert ended.exit_code == 6
    assert "✘ too large\n" in ended.out
    assert ended.out.endswith("✘ 1 passed, 0 warnings, 1 error\n")
    assert ended.err == "error: too large\nhint: a smaller one\n"
    document = json.loads(bmtrain("check", "m.yaml", "--json", scenario="stopped check").out)
    assert (document["exit_code"], document["error"]["message"]) == (6, "too large")
    assert document["counts"] == {"ok": 1, "warning": 0, "error": 1}
    github = bmtrain("check", "m.yaml", "--format", "github", scenario="stopped check").out
    assert github.count("::error") == 1


def test_the_exit_code_is_that_of_the_first_section_with_an_error(bmtrain):
    assert bmtrain("check", "m.yaml", scenario="bad environment").exit_code == 6


def test_what_is_asked_for_reaches_the_workflow(bmtrain, requests):
    bmtrain("check", "m.yaml", "--measure")
    bmtrain("check", "m.yaml", "--show-origin", "a=1")
    asked = [seen[0] for seen in requests]
    assert [(r.measure, r.show_origin) for r in asked] == [(True, False), (False, True)]


def test_a_terminal_is_told_that_something_is_measured(terminal):
    shown = terminal("all of check", "check", "m.yaml", "--measure", columns=60).out
    assert "measuring…\r\x1b[2K" in shown
    assert "measuring" not in terminal("all of check", "check", "m.yaml", columns=60).out
