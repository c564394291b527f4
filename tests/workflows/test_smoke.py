"""``bmtrain train --smoke``: a few steps of everything, and nothing left behind."""

import pytest

from bmtrain.errors import DataError
from bmtrain.events import RunFinished
from bmtrain.workflows import smoke as module
from bmtrain.workflows.smoke import SmokeRequest, smoke


@pytest.mark.slow
def test_a_config_that_holds_ends_with_0_and_leaves_nothing(bmtrain, project, tmp_path):
    ended = bmtrain(
        "train", project / "points.yaml", "training.epochs=1000", "--smoke", "--json",
        directory=tmp_path,
    )  # fmt: skip
    assert ended.exit_code == 0, ended.err
    document = ended.document
    trained, exported = document["steps"]
    assert "every bit is that of the undisturbed run" in trained["what"]
    assert "exported, read again and compared" in exported["what"]
    assert list((tmp_path / "runs").iterdir()) == []


def finished(directory, difference):
    """As verify-resume ends."""

    def events(request):
        directory.mkdir()
        assert "training.epochs=2" in request.overrides
        assert "expect=[]" in request.overrides
        yield RunFinished(
            {
                "kills": {"training": 0, "saving": 1},
                "first_difference": difference,
                "run_dir": str(directory),
            }
        )

    return events


@pytest.mark.parametrize("difference", [None, "metrics.jsonl: epoch 1: train.loss"])
def test_a_difference_is_exit_4_and_its_runs_are_kept(monkeypatch, project, tmp_path, difference):
    monkeypatch.setattr(module, "verify_resume", finished(tmp_path / "runs", difference))
    monkeypatch.setattr(module, "export", lambda request: iter(()))
    *_, last = smoke(SmokeRequest(config=project / "points.yaml"))
    assert isinstance(last, RunFinished)
    kept = difference is not None
    assert last.summary["exit_code"] == (4 if kept else 0)
    assert (tmp_path / "runs").exists() == kept
    assert (last.summary["run_dir"] is not None) == kept


def test_what_is_interrupted_while_it_exports_leaves_nothing(monkeypatch, project, tmp_path):
    def interrupted(_request):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "verify_resume", finished(tmp_path / "runs", None))
    monkeypatch.setattr(module, "export", interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(smoke(SmokeRequest(config=project / "points.yaml")))
    assert not (tmp_path / "runs").exists()


def test_data_that_is_wrong_is_told_before_anything_is_trained(project, tmp_path):
    config = tmp_path / "c.yaml"
    config.write_text((project / "points.yaml").read_text())
    with pytest.raises(DataError, match="no such file"):
        list(smoke(SmokeRequest(config=config)))


@pytest.mark.parametrize(
    "words", [["--resume"], ["--run-dir", "x"], ["--expect", "test.loss < 1"], ["--junit", "x.xml"]]
)
def test_what_makes_no_sense_with_it_is_a_usage_error(command, words):
    ended = command("train", "points.yaml", "--smoke", *words)
    assert ended.exit_code == 2
    assert "--smoke trains for itself" in ended.err
