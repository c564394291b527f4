"""Somebody else's package named bmtrain, installed or lying about, and files that are not ours."""

import base64
import hashlib
import shutil
import sys
from importlib import metadata
from pathlib import Path

import pytest

from bmtrain.workflows.diagnosis import namesakes
from bmtrain.workflows.diagnosis.namesakes import namesake_findings


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A directory of installed packages, on the path of modules; no other one has a bmtrain."""
    path = tmp_path / "site"
    path.mkdir()
    others = [entry for entry in sys.path if not (Path(entry) / "bmtrain").is_dir()]
    monkeypatch.setattr(sys, "path", [*others, str(path)])
    monkeypatch.chdir(tmp_path)
    return path


def install(site, name, version, files, *, top_level=None):
    """As pip does: the files, and a RECORD with their sha256."""
    information = site / f"{name.replace('-', '_')}-{version}.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    )
    lines = []
    for file, text in files.items():
        path = site / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
        lines.append(f"{file},sha256={digest.decode()},{len(text)}")
    (information / "RECORD").write_text("\n".join(lines) + "\n")
    if top_level:
        (information / "top_level.txt").write_text(f"{top_level}\n")


def levels(name="bmtrain-keras"):
    return [(finding.level, finding.message, finding.remedy) for finding in namesake_findings(name)]


def test_without_another_all_is_well(site):
    install(site, "other", "1.0", {"other/__init__.py": "", "not_bmtrain/__init__.py": ""})
    assert levels() == [("ok", "no other package is named bmtrain", None)]


@pytest.mark.parametrize(
    ("files", "top_level"),
    [
        ({"bmtrain/nn/layer.py": ""}, None),
        ({"bmtrain.py": ""}, None),
        ({"elsewhere.pth": ""}, "bmtrain"),
    ],
)
def test_another_distribution_with_the_package_is_a_problem(site, files, top_level):
    install(site, "bmtrain", "1.0.1", files, top_level=top_level)
    level, message, remedy = levels()[0]
    assert level == "problem"
    assert message.startswith("bmtrain 1.0.1 is another program's")
    assert " -m pip uninstall bmtrain bmtrain-keras, then install this one anew" in remedy


@pytest.mark.parametrize("name", ["bmtrain/__init__.py", "bmtrain.py"])
def test_another_package_that_could_be_imported_is_named(site, name):
    other = site / name
    other.parent.mkdir(exist_ok=True)
    other.write_text("")
    ((level, message, remedy),) = levels()
    assert level == "warning"
    assert str(site / "bmtrain") in message
    assert remedy.startswith("rename or remove it")


def test_a_directory_without_an_init_file_is_no_package(site):
    (site / "bmtrain").mkdir()
    assert [level for level, *_ in levels()] == ["ok"]


@pytest.fixture
def ours(site, monkeypatch):
    """This program as pip installs it, but small."""
    install(
        site, "ours", "1.0", {"bmtrain/__init__.py": "", "bmtrain/a.py": "1", "bmtrain/b.py": ""}
    )
    monkeypatch.setattr(namesakes, "_imported", lambda: site / "bmtrain")
    monkeypatch.setattr(metadata, "distributions", lambda: [metadata.distribution("ours")])
    return site / "bmtrain"


def test_what_is_as_it_was_installed_is_fine(ours):
    assert [level for level, *_ in levels("ours")] == ["ok"]


def test_files_that_another_installation_changed_or_took_along_are_named(ours):
    (ours / "a.py").write_text("2")
    (ours / "b.py").unlink()
    ((level, message, remedy),) = levels("ours")
    assert level == "problem"
    assert message == "not as installed: bmtrain/a.py, bmtrain/b.py"
    assert "install it anew" in remedy


def test_of_many_changed_files_some_are_named(ours):
    shutil.rmtree(ours)
    ours.mkdir()
    (ours / "__init__.py").write_text("another's")
    assert levels("ours")[0][1].startswith("not as installed: bmtrain/__init__.py, bmtrain/a.py")
