"""``data:`` where the examples come from and how they are split and scaled."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from bmtrain.config.plugin_tables import NO_PLUGINS, Plugins
from bmtrain.config.sections.base import Section
from bmtrain.config.sections.image import ImageSection

Fraction = Annotated[float, Field(gt=0, lt=1)]

#: k/K; that k is at most K is checked with the rest of the config.
FOLD = r"^[1-9][0-9]{0,3}/[1-9][0-9]{0,3}$"

#: A path, not a number between quotes: it has a slash, or a dot before a letter.
TABLE_PATH = r"[/\\]|\.[A-Za-z]"
TableFile = Annotated[str, Field(max_length=4096, pattern=TABLE_PATH)]

DataFormat = Literal["auto", "idx", "npz", "npy", "csv", "jsonl", "parquet", "images"]
NormalizeKind = Literal["auto", "unit", "standardize", "none"]
MissingKind = Literal["error", "mean", "median", "indicator"]
TokenLevel = Literal["word", "character", "byte"]
TaskKind = Literal["auto", "classification", "regression"]
StorageKind = Literal["auto", "resident", "stream"]


class TestSplit(Section):
    """A drawn test split that replaces a published one."""

    fraction: Fraction = Field(description="Fraction of the source's training part.")
    replace: bool = Field(
        default=False,
        description="Put the published test split aside and draw one instead.",
    )


class SplitsSection(Section):
    """Which part of the source's training examples is held out. Test is drawn first."""

    validation: Fraction | TableFile | None = Field(
        default=None,
        description="Fraction of the source's training part; or a file beside a table, of the "
        "same columns: all of it.",
    )
    test: Fraction | TestSplit | TableFile | None = Field(
        default=None,
        description="The same; {fraction, replace: true} where the source has a test split of "
        "its own.",
    )
    group: str | None = Field(
        default=None,
        min_length=1,
        max_length=4096,
        description="A column of a table, no feature then; of arrays g for g_train, g_validation, "
        "g_test: no value of it is on both sides of a split. Fractions are met as far as whole "
        "groups allow.",
    )
    fold: str | None = Field(
        default=None,
        pattern=FOLD,
        description="k/K: of what training has, dealt into K folds, fold k is the validation split.",
    )

    @property
    def files(self) -> dict[Literal["validation", "test"], Path]:
        """The splits that are files of their own."""
        named = {"validation": self.validation, "test": self.test}
        return {split: Path(file) for split, file in named.items() if isinstance(file, str)}  # type: ignore[misc]


class TokensSection(Section):
    """What becomes of a text: a sequence of token numbers, as long for every example.

    0 is padding, 1 every token that the vocabulary lacks. The vocabulary is that of the
    training examples.
    """

    level: TokenLevel = Field(
        default="word",
        description="word: letters, digits and marks in a row, any other sign is a word of its "
        "own; character: code points; byte: of UTF-8, the vocabulary is all of them.",
    )
    vocabulary: Annotated[int, Field(ge=3, le=100_000)] = Field(
        default=10_000,
        description="Number of tokens at most, padding and unknown included: the most frequent.",
    )
    length: Annotated[int, Field(ge=1, le=100_000)] = Field(
        default=128, description="Tokens of an example: longer texts lose their end."
    )
    lowercase: bool = Field(default=True, description="Whether A and a are the same.")


class DataSection(Section):
    """The source of the examples, its format, splits and scaling."""

    #: What its format is looked up in besides the built-in ones.
    plugins: ClassVar[Plugins] = NO_PLUGINS

    source: str = Field(
        min_length=1,
        max_length=4096,
        description="A bundled set's name (a bare word), or a path (it has a slash or a dot).",
    )
    format: DataFormat = Field(default="auto", description="auto: told from the path.")
    task: TaskKind = Field(
        default="auto",
        description="auto: classification under a cross-entropy loss, else regression. "
        "Classification under a regression loss learns one-hot targets.",
    )
    label: str | None = Field(
        default=None, description="The label column of a table; a bundled table knows its own."
    )
    features: tuple[str, ...] | None = Field(
        default=None, min_length=1, description="Feature columns of a table; all others if absent."
    )
    text: str | None = Field(
        default=None, description="The column of a table whose texts are the only feature."
    )
    tokens: TokensSection = Field(
        default_factory=TokensSection, description="How the texts of data.text become inputs."
    )
    categorical: tuple[str, ...] = Field(
        default=(),
        description="Feature columns of a table that hold categories: an input for each category "
        "of the training examples, and one for all others.",
    )
    missing: MissingKind = Field(
        default="error",
        description="What a missing cell of a table becomes. error: there must be none; mean, "
        "median: that of the training examples; indicator: their mean, and an input that says so. "
        "Under all but error a missing category is a category of its own.",
    )
    sample_weight: str | None = Field(
        default=None,
        min_length=1,
        max_length=4096,
        description="What each example counts in the loss: a column of a table, no feature then; "
        "of arrays w for w_train, w_validation, w_test.",
    )
    image: ImageSection | None = Field(
        default=None,
        description="Pictures: a folder with a directory for each class, or train, validation and "
        "test directories of them; or a table of paths and labels.",
    )
    normalize: NormalizeKind = Field(
        default="auto",
        description="auto: unit for uint8, standardize for tables, none else. "
        "Tokens are never scaled. Statistics come from the training split only.",
    )
    storage: StorageKind = Field(
        default="auto",
        description="resident: features are held in memory. stream: they stay in their file, and "
        "blocks of them are read as they are needed; no result changes by a bit. auto: stream "
        "where they would take more than a quarter of the available memory.",
    )
    splits: SplitsSection = Field(
        default_factory=SplitsSection, description="Which examples are held out, and how drawn."
    )
    train_examples: Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        description="Keep only this many training examples, drawn after the splits, "
        "stratified as they are.",
    )
