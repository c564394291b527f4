"""scripts/setup against a stand-in Python: what it runs, what it says, how it recovers."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

# Answers `-c` like the Python that runs the tests, makes environments out of copies of
# itself, and writes down every pip command instead of obeying it.
STAND_IN = f"""#!/bin/bash
set -eu
while [[ $1 == -I || $1 == -u ]]; do shift; done
if [[ $1 == -c ]]; then
    if [[ -f "${{0%/*}}/no-ensurepip" && $2 == *ensurepip* ]]; then exit 4; fi
    exec {sys.executable} -I "$@"
fi
case "$2" in
    venv)
        rm -rf "$4"; mkdir -p "$4/bin"; cp "$0" "$4/bin/python"; touch "$4/pyvenv.cfg"
        echo venv >>"$CALLS" ;;
    pip)
        if [[ $3 == --version ]]; then exit; fi
        echo "pip $*" >>"$CALLS"
        if [[ -n ${{STALL:-}} ]]; then sleep "$STALL"; fi
        echo "  Downloading tensorflow.whl (572.4 MB)"
        if [[ -n ${{OFFLINE:-}} ]]; then
            echo "ERROR: No matching distribution found for absl-py==2.5.1"; exit 1
        fi
        echo "Installing collected packages: absl-py"
        if [[ -n ${{KILLED:-}} ]]; then kill -KILL $$; fi
        echo '#!/bin/sh' >"${{0%/*}}/bmtrain"; chmod +x "${{0%/*}}/bmtrain" ;;
esac
"""


class Checkout:
    """A checkout with the scripts and the pins, and a PATH with one Python."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "a checkout"
        self.root.mkdir()
        for name in ("scripts", "requirements"):
            shutil.copytree(REPOSITORY / name, self.root / name)
        shutil.copy(REPOSITORY / "pyproject.toml", self.root)
        self.path = folder / "bin"
        self.path.mkdir()
        self.calls = folder / "calls"
        self.put_python("python3.12")

    def put_python(self, name: str, text: str = STAND_IN) -> Path:
        file = self.path / name
        file.write_text(text)
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        return file

    def start(self, level: str = "runtime", **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.root / "scripts" / "setup"), level],
            cwd="/",
            env={
                "PATH": f"{self.path}:/usr/bin:/bin",
                "CALLS": str(self.calls),
                # /usr/bin may hold a fitting Python of the machine's own.
                "BMTRAIN_PYTHON": str(self.path / "python3.12"),
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def setup(self, level: str = "runtime", **environment: str) -> tuple[int, str, str]:
        process = self.start(level, **environment)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def pip_installs(self) -> list[str]:
        lines = self.calls.read_text().splitlines() if self.calls.exists() else []
        return [line for line in lines if line.startswith("pip")]

    def venvs(self) -> int:
        return self.calls.read_text().splitlines().count("venv") if self.calls.exists() else 0


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_the_first_start_installs_the_pins_and_bmtrain_and_says_so_on_stderr_only(checkout):
    code, out, err = checkout.setup()
    assert (code, out) == (0, "")
    assert "creating .venv with Python 3" in err
    assert "downloading tensorflow.whl (572.4 MB)" in err
    assert err.splitlines()[-1] == "set-up: done"
    pins, itself = checkout.pip_installs()
    assert "-r requirements/runtime.txt -r requirements/build.txt" in pins
    assert "--no-deps --no-build-isolation --editable ." in itself


def test_the_pins_have_what_every_export_needs():
    pins = (REPOSITORY / "requirements" / "runtime.txt").read_text().splitlines()
    names = {line.partition("==")[0] for line in pins if "==" in line}
    assert {"onnx", "onnxruntime"} <= names


def test_the_second_start_does_nothing_and_says_nothing(checkout):
    checkout.setup()
    assert checkout.setup() == (0, "", "")
    assert len(checkout.pip_installs()) == 2


def test_the_program_knows_what_it_was_called_as(checkout):
    checkout.setup()
    (checkout.root / ".venv/bin/bmtrain").write_text('#!/bin/sh\necho "$BMTRAIN_PROGRAM" "$@"\n')
    called = [checkout.root.name + "/scripts/bmtrain", "train"]
    said = subprocess.run(
        called,
        cwd=checkout.root.parent,
        env={"PATH": f"{checkout.path}:/usr/bin:/bin", "CALLS": str(checkout.calls)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert said.stdout == "a\\ checkout/scripts/bmtrain train\n"


def test_the_dev_tools_include_what_bmtrain_needs(checkout):
    assert checkout.setup("dev")[0] == 0
    assert checkout.setup("runtime") == (0, "", "")


def test_a_program_on_the_path_is_called_by_its_name_alone(checkout):
    checkout.setup()
    (checkout.root / ".venv/bin/bmtrain").write_text('#!/bin/sh\necho "$BMTRAIN_PROGRAM" "$@"\n')
    links = checkout.root.parent / "links"
    links.mkdir()
    (links / "bmtrain").symlink_to(checkout.root / "scripts/bmtrain")
    path = f"{links}:{checkout.path}:/usr/bin:/bin"
    for called, told in [("bmtrain", "bmtrain"), (f"{checkout.root}/scripts/bmtrain", None)]:
        said = subprocess.run(
            ["bash", "-c", f"'{called}' train"],
            env={"PATH": path, "CALLS": str(checkout.calls)},
            check=True,
            capture_output=True,
            text=True,
        )
        assert said.stdout == f"{told or called.replace(' ', chr(92) + ' ')} train\n"


@pytest.mark.parametrize(
    "file", ["pyproject.toml", "requirements/runtime.txt", "requirements/build.txt"]
)
def test_a_changed_input_is_installed_into_the_same_environment(checkout, file):
    checkout.setup()
    with (checkout.root / file).open("a") as text:
        text.write("# changed\n")
    assert checkout.setup()[0] == 0
    assert (checkout.venvs(), len(checkout.pip_installs())) == (1, 4)
    assert checkout.setup() == (0, "", "")


def test_a_moved_checkout_is_set_up_again(checkout):
    checkout.setup()
    checkout.root = checkout.root.rename(checkout.root.with_name("moved"))
    assert "done" in checkout.setup()[2]


def test_an_install_that_was_killed_while_it_wrote_packages_starts_from_an_empty_environment(
    checkout,
):
    assert checkout.setup(KILLED="yes")[0] == 6
    code, _, err = checkout.setup()
    assert code == 0
    assert "making it anew" in err
    assert checkout.venvs() == 2


def test_without_an_index_one_message_says_so_and_the_environment_is_kept(checkout):
    code, out, err = checkout.setup(OFFLINE="yes")
    assert (code, out) == (6, "")
    assert "no package index that can be reached has every pinned package" in err
    assert checkout.setup()[0] == 0
    assert checkout.venvs() == 1


def test_two_starts_at_once_install_once(checkout):
    first, second = checkout.start(STALL="1"), checkout.start(STALL="1")
    outcomes = [process.communicate(timeout=60)[1] for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0)
    assert len(checkout.pip_installs()) == 2
    assert sum("waiting for it" in err for err in outcomes) == 1


def test_an_environment_whose_python_is_gone_is_made_anew(checkout):
    checkout.setup()
    (checkout.root / ".venv/bin/python").unlink()
    assert "making it anew" in checkout.setup()[2]
    assert checkout.venvs() == 2


def test_a_folder_named_venv_that_is_none_is_left_alone(checkout):
    precious = checkout.root / ".venv" / "precious"
    precious.parent.mkdir()
    precious.write_text("mine")
    code, _, err = checkout.setup()
    assert code == 6
    assert "is no virtual environment" in err
    assert precious.read_text() == "mine"


def test_a_python_without_ensurepip_is_named_with_the_package_that_brings_it(checkout):
    (checkout.path / "no-ensurepip").touch()
    code, _, err = checkout.setup()
    assert code == 6
    assert "cannot create environments" in err
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert f"sudo apt install python{version}-venv" in err


def test_a_python_that_does_not_fit_is_refused_by_name(checkout):
    old = checkout.put_python("python2", "#!/bin/sh\nexit 3\n")
    code, out, err = checkout.setup(BMTRAIN_PYTHON=str(old))
    assert (code, out) == (6, "")
    assert "is not a Python 3.11, 3.12 or 3.13 that runs" in err
    assert not (checkout.root / ".venv").exists()


def test_names_that_do_not_run_are_passed_over(checkout, tmp_path):
    checkout.put_python("python3.13", "#!/bin/sh\necho 'command not found' >&2\nexit 127\n")
    code, _, err = checkout.setup(BMTRAIN_PYTHON="")
    assert code == 0
    assert "command not found" not in err


def test_no_fitting_python_is_said_once_with_what_to_do(checkout, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("bash", "env", "readlink", "grep", "rm", "tee", "ls"):
        (tools / name).symlink_to(str(shutil.which(name)))
    code, out, err = checkout.setup(BMTRAIN_PYTHON="", PATH=str(tools))
    assert (code, out) == (6, "")
    assert "needs Python 3.11, 3.12 or 3.13" in err
    assert "BMTRAIN_PYTHON=" in err


def test_an_unknown_level_is_a_usage_error(checkout):
    assert checkout.setup("everything")[0] == 2


def test_the_pins_name_no_index_and_no_path():
    for file in (REPOSITORY / "requirements").glob("*.txt"):
        text = file.read_text()
        assert "://" not in text, file
        assert "--" not in text, file
