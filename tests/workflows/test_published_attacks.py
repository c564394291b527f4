"""Each published attack on Keras's model files, as it would look in a checkpoint of ours.

A checkpoint is a config of a closed schema and raw tensors: there is no place in it for
any of them. Each ends in exit 7, with nothing run, nothing opened, nothing made.
"""

import base64
import importlib.util
import marshal
import pickle
import shutil
import sys
import types
from pathlib import Path
from typing import Any

import pytest


def _load_attacks() -> types.ModuleType:
    path = Path(__file__).with_name("published_attacks.py")
    spec = importlib.util.spec_from_file_location("published_attacks", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["published_attacks"] = module  # pickle looks its classes up there
    spec.loader.exec_module(module)
    return module


_attacks = _load_attacks()
ATTACKS = _attacks.ATTACKS

#: Audit events by which code comes in, besides those of Python's own imports.
RUNNING = ("pickle.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "subprocess.", "socket.")


class Watch:
    """An audit hook cannot be taken out again: one for all, armed by a test."""

    def __init__(self) -> None:
        self.is_armed = False
        self.opened: list[str] = []
        self.run: list[str] = []
        sys.addaudithook(self._see)

    def _see(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.is_armed:
            return
        if event == "open":
            self.opened.append(str(arguments[0]))
        elif event.startswith(RUNNING):
            self.run.append(event)


@pytest.fixture(scope="module")
def watch():
    return Watch()


@pytest.fixture
def armed(watch):
    watch.opened, watch.run = [], []
    yield watch
    watch.is_armed = False


@pytest.fixture
def checkpoint(trained, tmp_path):
    """A copy of a good one, moved away from its run; to be changed."""
    path = tmp_path / "strangers" / "checkpoint"
    shutil.copytree(trained("graph", "training.engine=graph").checkpoint(), path)
    return path


@pytest.fixture
def attacked(command, project, armed, checkpoint):
    """How a command ends on the checkpoint, under the watch."""

    def run(verb):
        data = project / "points.csv"
        armed.is_armed = True
        ended = command(verb, checkpoint, *(["--data"] if verb == "eval" else []), data, "--json")
        armed.is_armed = False
        return ended

    return run


@pytest.mark.usefixtures("nothing_hangs")
@pytest.mark.parametrize("attack", ATTACKS)
def test_the_attack_ends_in_exit_7_and_nothing_else(checkpoint, forger, armed, attacked, attack):
    directory = checkpoint.parent.parent
    target = _attacks.Target(directory / "canary", directory / "secret")
    target.secret.write_text("the password\n")
    what, forge = ATTACKS[attack]
    forge(forger, checkpoint, target)
    before = sorted(directory.rglob("*"))
    for verb in ("eval", "predict"):
        ended = attacked(verb)
        assert ended.exit_code == 7, what
        assert ended.document["error"]["code"] == "checkpoint"
        assert "password" not in ended.out + ended.err
    ours = [path for path in armed.opened if path.startswith(str(directory))]
    assert ours
    assert all(path.startswith(f"{checkpoint}/") for path in ours)
    assert armed.run == []
    assert sorted(directory.rglob("*")) == before


def test_what_they_are_made_of_is_a_good_checkpoint(checkpoint, forger, attacked):
    assert attacked("eval").exit_code == 0
    forger.change(checkpoint, "experiment", model={"type": "layers", "layers": _attacks.LAYERS})
    assert attacked("eval").exit_code == 0


def test_the_samples_are_live(tmp_path):
    """The bytecode and the pickle do make the canary where something runs them."""
    target = _attacks.Target(tmp_path / "canary", tmp_path / "secret")
    bytecode = marshal.loads(base64.b64decode(_attacks.code(target)))
    types.FunctionType(bytecode, {})(1)
    assert target.canary.exists()
    target.canary.unlink()
    pickle.loads(pickle.dumps(_attacks.Pickled(target.canary)))
    assert target.canary.exists()


def test_every_attack_that_is_known_has_its_sample():
    """Those in the project's list of findings; a new one gets a row here."""
    known = {
        *("2024-3660", "2025-1550", "2025-8747", "2025-9905", "2025-9906", "2025-49655"),
        *("2025-12058", "2025-12638", "2025-12060", "2026-0897", "2026-1669", "2026-1462"),
        *("2026-12479", "2026-12481"),
    }
    assert {name.split(",")[0].removeprefix("CVE-") for name in ATTACKS} == known
