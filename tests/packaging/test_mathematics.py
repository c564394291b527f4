"""docs/mathematics.md: each formula names a test, and that test is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "mathematics.md").read_text(encoding="utf-8")


def test_every_test_that_the_page_names_is_in_the_file_that_it_names() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)`\s+`(test_\w+)`", PAGE)
    assert len(named) == len(re.findall(r"`test_\w+`", PAGE)) > 50
    for file, test in named:
        assert f"\ndef {test}(" in (ROOT / file).read_text(encoding="utf-8"), (file, test)


def test_every_row_of_a_table_names_a_test() -> None:
    rows = [line for line in PAGE.splitlines() if re.match(r"\| (?!---|what |schedule )", line)]
    assert len(rows) > 50
    assert [row for row in rows if "`test_" not in row] == []
