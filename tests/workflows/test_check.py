"""``bmtrain check`` through the command: sections in order, nothing trained, no TensorFlow."""

import subprocess
import sys

import pytest

from bmtrain.workflows.check import CheckRequest, check


@pytest.fixture
def sections(project):
    def run(*overrides):
        request = CheckRequest(config=project / "points.yaml", overrides=overrides)
        return {section.title: section.findings for section in check(request)}

    return run


def test_sections_come_in_order_each_as_soon_as_it_is_known(project):
    following = check(CheckRequest(config=project / "points.yaml"))
    assert [next(following).title for _ in range(3)] == ["config", "data", "model"]
    assert next(following, None) is None


def test_a_sound_experiment_has_no_errors_and_tells_its_size(sections):
    found = sections()
    levels = {finding.level for findings in found.values() for finding in findings}
    assert "error" not in levels
    (model,) = [finding for finding in found["model"] if finding.level == "ok"]
    assert "5 layers, 91 parameters" in model.message
    assert "points.yaml is valid: experiment points" in found["config"][0].message


def test_what_is_rarely_meant_is_a_warning_in_its_section(sections):
    found = sections("training.early_stopping={patience: 9}")
    assert any(
        "patience 9 never ends" in f.message for f in found["config"] if f.level == "warning"
    )
    wide = "model={layers: [{type: dense, units: 7, activation: softmax}]}"
    found = sections(wide)
    (warning,) = [f for f in found["model"] if f.level == "warning"]
    assert "7 outputs for 3 classes" in warning.message


def test_checking_makes_no_run_and_needs_no_tensorflow(bmtrain, project, tmp_path):
    ended = bmtrain("check", project / "points.yaml", "--json", directory=tmp_path)
    assert ended.exit_code == 0, ended.err
    assert list(tmp_path.iterdir()) == []
    code = (
        "import sys\nfrom bmtrain.cli.main import main\n"
        "code = main(['check', 'points.yaml'])\n"
        "sys.exit(code or any(n in sys.modules for n in ('tensorflow', 'keras')))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=project, capture_output=True, check=False
    )
    assert said.returncode == 0, said.stderr
