"""An export is there whole or not at all, and nothing is replaced that is no export."""

import os
import shutil
import signal
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from bmtrain.errors import EnvironmentFault
from bmtrain.exports.placing import directory_beside, put_in_place, require_free, settle
from tests.faults.injection import Killed, faults_in


def saved_model(path, word="old"):
    (path / "variables").mkdir(parents=True)
    (path / "saved_model.pb").write_text(word)
    return path


def test_what_is_there_is_not_replaced_unless_asked(tmp_path):
    file = tmp_path / "a.onnx"
    require_free(file, is_directory=False, force=False)
    file.write_text("old")
    with pytest.raises(EnvironmentFault, match="it exists already") as caught:
        require_free(file, is_directory=False, force=False)
    assert caught.value.hint == "--force replaces it; -o PATH names another place"
    require_free(file, is_directory=False, force=True)


def test_force_replaces_files_and_saved_models_and_nothing_else(tmp_path):
    link, pipe, directory = tmp_path / "link", tmp_path / "pipe", tmp_path / "directory"
    link.symlink_to(tmp_path / "nowhere")
    os.mkfifo(pipe)
    directory.mkdir()
    for path in (link, pipe, directory):
        with pytest.raises(EnvironmentFault, match="it is not a file"):
            require_free(path, is_directory=False, force=True)
        with pytest.raises(EnvironmentFault, match="it is not a SavedModel"):
            require_free(path, is_directory=True, force=True)
    model = saved_model(tmp_path / "model")
    require_free(model, is_directory=True, force=True)
    (model / "thesis.tex").touch()
    with pytest.raises(EnvironmentFault, match="it is not a SavedModel"):
        require_free(model, is_directory=True, force=True)


def test_nobody_else_can_enter_while_it_is_written_and_nothing_of_it_stays(tmp_path):
    with directory_beside(tmp_path / "new" / "a.onnx") as directory:
        assert directory.parent == tmp_path / "new"
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        (directory / "half").touch()
    with suppress(KeyboardInterrupt), directory_beside(tmp_path / "new" / "a.onnx") as made:
        (made / "half").touch()
        raise KeyboardInterrupt
    assert list((tmp_path / "new").iterdir()) == []


def test_a_saved_model_takes_the_place_of_another(tmp_path):
    target = saved_model(tmp_path / "model")
    with directory_beside(target) as directory:
        put_in_place(saved_model(directory / "model", "new"), target)
    assert (target / "saved_model.pb").read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_a_saved_model_that_cannot_be_put_in_place_leaves_the_old_one(tmp_path, monkeypatch):
    target = saved_model(tmp_path / "model")

    def fail(self, other):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(EnvironmentFault, match="the disk is full"), directory_beside(target) as new:
        put_in_place(saved_model(new / "model", "new"), target)
    assert (target / "saved_model.pb").read_text() == "old"


def test_everything_is_flushed_before_it_has_its_name(tmp_path, monkeypatch):
    flushed, real = [], os.fsync
    target = tmp_path / "model"

    def fsync(descriptor):
        flushed.append((str(Path(f"/proc/self/fd/{descriptor}").readlink()), target.exists()))
        real(descriptor)

    with directory_beside(target) as directory:
        made = saved_model(directory / "model")
        monkeypatch.setattr("os.fsync", fsync)
        put_in_place(made, target)
    before = {path for path, was_there in flushed if not was_there}
    assert before == {str(made), str(made / "variables"), str(made / "saved_model.pb")}
    assert flushed[-1] == (str(tmp_path), True)


def export(target):
    """As the workflow does it."""
    with directory_beside(target) as directory:
        put_in_place(saved_model(directory / target.name, "new"), target)


def test_killed_at_any_call_the_old_one_or_the_new_one_is_there_when_it_is_settled(tmp_path):
    """The next export finds one whole SavedModel, and nothing besides."""
    target = tmp_path / "here" / "model"
    saved_model(target)
    with faults_in(sys.maxsize) as faults:
        export(target)
    was_gone, found = 0, []
    for fail_at in range(len(faults.made)):
        shutil.rmtree(target.parent)
        saved_model(target)
        with suppress(Killed), faults_in(fail_at, "killed"):
            export(target)
        was_gone += not target.exists()
        settle(target.parent)
        assert list(target.parent.iterdir()) == [target], fail_at
        assert {path.name for path in target.iterdir()} == {"saved_model.pb", "variables"}
        found.append((target / "saved_model.pb").read_text())
    assert was_gone, "no kill came between the two renames"
    assert found == sorted(found, reverse=True), "first the old one, then the new one"
    assert set(found) == {"old", "new"}


def test_a_killed_process_leaves_what_the_next_settles(tmp_path):
    target = saved_model(tmp_path / "model")
    code = f"""
import os, signal
from pathlib import Path
from bmtrain.exports.placing import directory_beside, put_in_place
Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
with directory_beside(Path({str(target)!r})) as directory:
    (directory / "model").mkdir()
    (directory / "model" / "saved_model.pb").write_text("new")
    put_in_place(directory / "model", Path({str(target)!r}))
"""
    ended = subprocess.run([sys.executable, "-c", code], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert not target.exists()
    settle(tmp_path)
    assert (target / "saved_model.pb").read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_what_a_living_export_is_at_work_in_is_left_alone(tmp_path):
    with directory_beside(tmp_path / "model") as directory:
        (directory / "half").touch()
        settle(tmp_path)
        assert (directory / "half").exists()
    settle(tmp_path / "absent")


def test_only_directories_named_as_ours_are_leftovers_and_no_link_is_followed(tmp_path):
    outside = saved_model(tmp_path / "outside")
    saved_model(outside / "model.replaced")
    here = tmp_path / "here"
    here.mkdir()
    (here / ".bmtrain-abcdefgh.exporting").symlink_to(outside)
    (here / ".thesis.exporting").mkdir()
    leftover = here / ".bmtrain-12345678.exporting"
    leftover.mkdir()
    (leftover / "link").symlink_to(outside)
    settle(here)
    left = {".bmtrain-abcdefgh.exporting", ".thesis.exporting"}
    assert {path.name for path in here.iterdir()} == left
    assert {path.name for path in outside.iterdir()} == {
        *("saved_model.pb", "variables", "model.replaced"),
    }


def test_an_export_made_meanwhile_is_not_replaced_by_the_one_that_was_moved_away(tmp_path):
    target = saved_model(tmp_path / "model", "newest")
    leftover = tmp_path / ".bmtrain-12345678.exporting"
    saved_model(leftover / "model.replaced")
    settle(tmp_path)
    assert (target / "saved_model.pb").read_text() == "newest"
    assert not leftover.exists()
