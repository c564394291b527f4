"""How messages name this program and its pip."""

import sys

from bmtrain.program import pip


def test_pip_is_that_of_the_running_python_from_the_current_directory(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", str(tmp_path / ".venv" / "bin" / "python"))
    assert pip("install", "onnx>=1") == ".venv/bin/python -m pip install 'onnx>=1'"
    monkeypatch.setattr(sys, "executable", "/opt/my python")
    assert pip("install", ".") == "'/opt/my python' -m pip install ."
