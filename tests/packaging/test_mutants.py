"""The table of mutants fits the code; that each is found is shown by scripts/mutants."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def mutants(script):
    return script("mutants")


def test_each_mutant_changes_the_code_in_one_place_and_its_tests_are_there(mutants):
    table = mutants.read_table()
    assert len({mutant.protection for mutant in table}) == len(table) >= 25
    for mutant in table:
        text = (ROOT / mutant.file).read_text()
        assert text.count(mutant.old) == 1, mutant.protection
        mutated = mutant.mutated(text)
        if mutant.file.endswith(".py"):
            compile(mutated, mutant.file, "exec")
        for test in mutant.tests:
            assert (ROOT / test.split("::")[0]).is_file(), test


def test_the_table_in_the_contributing_page_has_every_mutant_and_none_survived(mutants):
    page = (ROOT / "CONTRIBUTING.md").read_text()
    table = page.split(mutants.BEGIN)[1].split(mutants.END)[0]
    assert "**none**" not in table
    for mutant in mutants.read_table():
        assert f"| {mutant.protection} |" in table


def test_a_mutant_that_no_test_notices_survives_and_is_told(mutants, capsys, monkeypatch):
    harmless = mutants.Mutant(
        protection="nothing at all",
        file="bmtrain/program.py",
        old='or "bmtrain"',
        new="or 'bmtrain'",
        tests=("tests/test_differences.py::test_long_values_are_cut",),
    )
    harmful = mutants.Mutant(
        protection="values are cut",
        file="bmtrain/differences.py",
        old="_LONGEST = 60",
        new="_LONGEST = 6000",
        tests=harmless.tests,
    )
    rows = mutants.run_all([harmless, harmful])
    assert [found for _, found in rows] == [None, "test_long_values_are_cut"]
    assert "nothing at all: SURVIVED" in capsys.readouterr().out


def test_what_was_run_is_written_and_the_other_rows_stay(mutants, tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    old = "| taken out | in | the test that goes red |\n|---|---|---|\n"
    rows = "| one | `a.py` | `test_one` |\n| gone | `b.py` | `test_gone` |\n"
    page.write_text(f"before\n{mutants.BEGIN}{old}{rows}{mutants.END}after\n")
    monkeypatch.setattr(mutants, "PAGE", page)
    one, two = (mutants.Mutant(name, "a.py", "x", "y", ("t",)) for name in ("one", "two"))
    mutants.write_page([(two, "test_two")], [two, one])
    rows = "| two | `a.py` | `test_two` |\n| one | `a.py` | `test_one` |\n"
    assert page.read_text() == f"before\n{mutants.BEGIN}{old}{rows}{mutants.END}after\n"
