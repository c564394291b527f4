"""The wheel alone: built here, installed in an empty environment, run from / ."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

import bmtrain

REPOSITORY = Path(__file__).parents[2]
CONFIG = """\
name: small
data: {source: mnist, train_examples: 2000}
model: {type: mlp, hidden: [16]}
loss: sparse_categorical_crossentropy
metrics: [accuracy]
optimizer: adam
training: {epochs: 1}
expect: ["test.accuracy >= 0.5"]
"""

pytestmark = pytest.mark.wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built without isolation: the pinned hatchling, no network."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=REPOSITORY, check=True, capture_output=True)
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin/ of an environment with the wheel; its dependencies are this environment's."""
    venv = tmp_path_factory.mktemp("empty") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    python = venv / "bin" / "python"
    install = ["install", "--no-deps", "--no-index", "--quiet", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", "--python", str(python), *install], check=True)
    (site_packages,) = venv.glob("lib/python3*/site-packages")
    # A folder named in a .pth has its own .pth files left alone, the editable install's too.
    (site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return venv / "bin"


def run(command: list[str], home: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "BMTRAIN_RUNS": str(home)}
    return subprocess.run(
        command, cwd="/", env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_wheel_holds_the_package_its_data_and_its_licences_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    metadata = f"bmtrain_keras-{bmtrain.__version__}.dist-info"
    assert {Path(name).parts[0] for name in names} == {"bmtrain", metadata}
    for part in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        assert f"bmtrain/data/bundled/mnist/{part}-ubyte.gz" in names
    for table in ("penguins", "bikeshare", "speeches", "splice", "pbmc"):
        assert f"bmtrain/data/bundled/{table}/{table}.csv" in names
    pictures = [name for name in names if name.startswith("bmtrain/data/bundled/digits/pictures/")]
    assert len(pictures) == 1000
    for data_set in ("mnist", "digits", "penguins", "bikeshare", "speeches", "splice", "pbmc"):
        assert f"bmtrain/data/bundled/{data_set}/README.md" in names
        assert f"{metadata}/licenses/bmtrain/data/bundled/{data_set}/README.md" in names
    assert "bmtrain/py.typed" in names
    assert f"{metadata}/licenses/LICENSE" in names
    assert not [name for name in names if name.endswith(".pyc")]


def test_the_data_in_the_wheel_has_the_sums_that_are_shipped_with_it(wheel):
    with zipfile.ZipFile(wheel) as archive:
        data = "bmtrain/data/bundled"
        lines = archive.read(f"{data}/SHA256SUMS").decode().splitlines()
        assert len(lines) == 9  # four of MNIST, and a table of each of the others
        for digest, name in (line.split("  ") for line in lines):
            assert hashlib.sha256(archive.read(f"{data}/{name}")).hexdigest() == digest


def test_every_source_file_is_in_the_wheel(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    sources = {str(file.relative_to(REPOSITORY)) for file in REPOSITORY.glob("bmtrain/**/*.py")}
    assert sources <= names


def test_the_recipes_in_the_wheel_are_the_configs(wheel):
    with zipfile.ZipFile(wheel) as archive:
        recipes = {
            name.removeprefix("bmtrain/recipes/"): archive.read(name)
            for name in archive.namelist()
            if name.startswith("bmtrain/recipes/")
        }
    configs = REPOSITORY / "configs"
    files = [path for path in configs.rglob("*.*") if path.suffix in {".py", ".yaml"}]
    assert recipes == {str(path.relative_to(configs)): path.read_bytes() for path in files}


def test_the_installed_command_writes_a_recipe_that_it_can_check(installed, tmp_path):
    bmtrain_command = str(installed / "bmtrain")
    assert "mnist " in run([bmtrain_command, "init", "--list"], tmp_path).stdout
    config = str(tmp_path / "config.yaml")
    written = run([bmtrain_command, "init", "smoke", "-o", config], tmp_path)
    assert written.returncode == 0, written.stderr
    assert run([bmtrain_command, "check", config], tmp_path).returncode == 0


def test_the_installed_package_is_the_one_in_the_environment(installed, tmp_path):
    found = run(
        [str(installed / "python"), "-c", "import bmtrain; print(bmtrain.__file__)"], tmp_path
    )
    assert Path(found.stdout).is_relative_to(installed.parent)


def test_the_installed_command_knows_its_version(installed, tmp_path):
    found = run([str(installed / "bmtrain"), "--version"], tmp_path)
    assert found.returncode == 0, found.stderr
    assert bmtrain.__version__ in found.stdout


def test_the_installed_command_checks_and_trains_the_bundled_set_from_the_root_folder(
    installed, tmp_path
):
    config = tmp_path / "small.yaml"
    config.write_text(CONFIG)
    checked = run([str(installed / "bmtrain"), "check", str(config)], tmp_path)
    assert checked.returncode == 0, checked.stderr
    run_dir = tmp_path / "run"
    command = ["train", str(config), "--run-dir", str(run_dir), "--json"]
    trained = run([str(installed / "bmtrain"), *command], tmp_path)
    assert trained.returncode == 0, trained.stderr
    summary = json.loads(trained.stdout)
    assert summary["status"] == "completed"
    assert summary["steps_completed"] == 63  # 2000 examples, 32 at a time
    assert summary["metrics"]["test"]["accuracy"] >= 0.5
    assert (run_dir / "summary.json").is_file()
