"""What a page is made of. Every text in it is plain: whoever writes it out escapes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from bmtrain.pages.shares import Bar, Token, bars_of, coloured

#: A paragraph's weight: of a finding, of what is missing and why.
Tone = Literal["plain", "good", "bad", "missing"]


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph."""

    kind: ClassVar[str] = "words"
    text: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Listing:
    """Points, one after the other."""

    kind: ClassVar[str] = "listing"
    points: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """A figure to be seen at once, what it is, and what is to be known about it."""

    name: str
    value: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Key figures side by side."""

    kind: ClassVar[str] = "facts"
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a header; the first cell of each row names it.

    Attributes:
        numbers: columns that are read by their digits.
        folded: shown when it is asked for.
        note: below it.
        bars: a value for each row, drawn behind its cells; none: there are no bars.
    """

    kind: ClassVar[str] = "table"
    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[int] = frozenset()
    folded: bool = False
    note: str = ""
    bars: tuple[float, ...] = ()

    @property
    def drawn_bars(self) -> list[Bar]:
        """Where each begins and ends."""
        return bars_of(self.bars)


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a text, coloured by a value for each."""

    kind: ClassVar[str] = "tokens"
    caption: str
    tokens: tuple[str, ...]
    values: tuple[float, ...]

    @property
    def shown(self) -> list[Token]:
        """With their colours."""
        return coloured(self.tokens, self.values)


@dataclass(frozen=True, slots=True)
class Confusion:
    """``counts[i][j]`` examples of class i were taken for class j; ``columns`` may be more."""

    kind: ClassVar[str] = "confusion"
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    def shade(self, row: int, column: int) -> int:
        """0 to 10: the share of the row's examples, in tenths, rounded up."""
        whole = sum(self.counts[row])
        return -(-10 * self.counts[row][column] // whole) if whole else 0


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing.

    Attributes:
        spec: Vega-Lite; colours are the page's variables, ``var(--ink)``.
        alternative: the same in words, for whoever does not see it.
        table: the figures that are drawn.
    """

    title: str
    spec: Mapping[str, Any]
    alternative: str
    table: Table | None = None


@dataclass(frozen=True, slots=True)
class Charts:
    """Drawings side by side."""

    kind: ClassVar[str] = "charts"
    charts: tuple[Chart, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as an ``<img>`` shows it: a ``data:`` URI, and the same in words."""

    uri: str
    alternative: str
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures side by side: small ones of which there are many, or a few large ones."""

    kind: ClassVar[str] = "pictures"
    pictures: tuple[Picture, ...]
    note: str = ""
    are_large: bool = False


@dataclass(frozen=True, slots=True)
class Mistake:
    """An example that the model gets wrong: as a picture, a text or the cells of its row."""

    heading: str
    truth: str
    said: str
    picture: Picture | None = None
    text: str = ""
    cells: tuple[tuple[str, str], ...] = ()
    file: str = ""


@dataclass(frozen=True, slots=True)
class Mistakes:
    """The examples that say most of where a model fails."""

    kind: ClassVar[str] = "mistakes"
    mistakes: tuple[Mistake, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """Lines to copy."""

    kind: ClassVar[str] = "code"
    caption: str
    text: str
    folded: bool = False


Block = Words | Listing | Facts | Table | Tokens | Confusion | Charts | Pictures | Mistakes | Code


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, and what is under it."""

    name: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """Sections that belong together: those about one run, say; without a title they are the page's."""

    title: str
    sections: tuple[Section, ...]
    lead: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A page.

    Attributes:
        title: its heading.
        subject: what kind of page it is: "report".
        lead: what it comes to, in sentences.
        made: when and by what.
    """

    title: str
    subject: str
    parts: tuple[Part, ...]
    made: str
    lead: Sequence[Words] = ()
    facts: Facts = field(default_factory=lambda: Facts(()))

    @property
    def has_charts(self) -> bool:
        """Whether there is something that a script has to do."""
        blocks = (b for part in self.parts for section in part.sections for b in section.blocks)
        return any(isinstance(block, Charts) for block in blocks)
