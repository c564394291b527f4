"""Values as shares of the largest: bars, and the colours of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

#: What an attribution is: one that speaks for what is explained, or against it.
Side = Literal["for", "against"]


@dataclass(frozen=True, slots=True)
class Bar:
    """Where a bar begins and how long it is, in hundredths of its cell; and for what it speaks."""

    start: float
    length: float
    side: Side


@dataclass(frozen=True, slots=True)
class Token:
    """A token, its value in words, for what it speaks, and in tenths how much."""

    text: str
    told: str
    side: Side
    tenths: int


def bars_of(values: Sequence[float]) -> list[Bar]:
    """From the left on; where some are negative, to both sides of the middle."""
    shares = _shares(values)
    origin, whole = (50.0, 50.0) if min(shares, default=0.0) < 0 else (0.0, 100.0)
    return [
        Bar(origin + whole * min(share, 0.0), whole * abs(share), _side(share)) for share in shares
    ]


def coloured(tokens: Sequence[str], values: Sequence[float]) -> list[Token]:
    """Each with 0 to 10 tenths of the colour of the largest value."""
    return [
        Token(token, f"{share:+.2f} of the largest", _side(share), round(10 * abs(share)))
        for token, share in zip(tokens, _shares(values), strict=True)
    ]


def _shares(values: Sequence[float]) -> list[float]:
    """−1 to 1 of the largest; what is not finite has no colour."""
    finite = [value if abs(value) < float("inf") else 0.0 for value in values]
    largest = max(map(abs, finite), default=0.0) or 1.0
    return [value / largest for value in finite]


def _side(share: float) -> Side:
    return "against" if share < 0 else "for"
