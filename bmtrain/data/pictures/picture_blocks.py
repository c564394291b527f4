"""Pictures for a trained model block by block: files by name, or the paths of a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from bmtrain.data.encodings.image_encoding import ImageEncoding
from bmtrain.data.examples.dataset import DataFacts
from bmtrain.data.pictures.picture_sources import required_encoding, resolved_paths, table_column
from bmtrain.data.pictures.pictures import decoded_pictures
from bmtrain.data.raw.columns import Column
from bmtrain.data.raw.source import RawArray
from bmtrain.data.tables.table_formats import TABLE_FORMATS, TableFormatName, example_file

PictureBlock = tuple[RawArray, tuple[Path, ...]]


def picture_blocks(
    files: Iterable[Path], encoding: ImageEncoding, num_rows: int
) -> Iterator[PictureBlock]:
    """Pictures (rows, height, width, channels) and their files, ``num_rows`` at a time.

    Raises:
        DataError: at the first block with a picture that cannot be read.
    """
    remaining = iter(files)
    while block := tuple(islice(remaining, num_rows)):
        yield decoded_pictures(block, encoding), block


def table_pictures(path: Path, facts: DataFacts, name: TableFormatName) -> Iterator[Path]:
    """The pictures that a table names, in its order; DataError at the first wrong row."""
    encoding = required_encoding(facts, str(path))
    table = example_file(path, name)
    column = table_column(table, facts, encoding, name)
    for part in TABLE_FORMATS[name].blocks(table, (Column(column, "texts"),)):
        yield from resolved_paths(part, column, table.parent)
