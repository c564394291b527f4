"""What people call a column that names the row and says nothing about it."""

from __future__ import annotations

import re

_IDENTIFIER = re.compile(
    r"(.*[_\W])?(id|ids|idx|index|key|uuid|guid|rownum|rowid)|row|no|nr|unnamed: \d+|.*[a-z](ID|Id)"
)


def names_the_row(name: str) -> bool:
    """Whether it is such a name: id, index, customer_id."""
    name = name.strip()
    return any(_IDENTIFIER.fullmatch(text) for text in (name, name.lower()))
