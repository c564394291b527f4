"""Signs that cannot be seen: on a page they are written out."""

from __future__ import annotations

from typing import Final

#: Not printable, and no harm: lines of a text, the joiner of signs, a space that ends no line.
_KEPT: Final = frozenset("\n\t\u200d\u00a0")


def printable(text: str) -> str:
    """With what cannot be seen escaped: controls, half surrogates, what turns the direction."""
    return "".join(c if c.isprintable() or c in _KEPT else ascii(c)[1:-1] for c in text)
