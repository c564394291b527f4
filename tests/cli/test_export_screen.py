"""What export shows."""

import json

import pytest


def test_export_shows_a_line_per_format_and_how_it_is_loaded(bmtrain, requests, fake):
    ended = bmtrain(
        *("export", "runs/mnist-1", "--to", "onnx", "--to", "keras", "--to", "onnx"),
        *("-o", "out", "--data", "x.csv", "--format", "csv", "--tolerance", "0.5", "--force"),
    )
    assert (
        ended.out
        == """\
checkpoint     runs/mnist-1/checkpoints/step-00009375
outputs        probabilities of 10 classes
compared on    1,000 of the 10,000 examples of the test split
✔ onnx         points.onnx and points.onnx.json, 409 kB; ONNX Runtime 1.32.0: largest difference 7.2e-07

in Python      onnxruntime.InferenceSession('points.onnx')
"""
    )
    assert ended.err == "exporting…\n"
    asked = fake.ExportRequest(
        fake.Path("runs/mnist-1"),
        ("onnx", "keras"),
        fake.Path("out"),
        fake.Path("x.csv"),
        "csv",
        0.5,
        True,
    )
    assert requests[0] == [asked]


def test_a_difference_is_shown_whatever_is_asked_for(bmtrain):
    refusal = (
        "✘ onnx         ONNX Runtime 1.32.0 gives other outputs than the checkpoint: largest "
        "difference 2.5e-01, 1.2e-01 of their size; nothing was kept. --tolerance allows more\n"
    )
    words = ["export", "run", "--to", "onnx"]
    ended = bmtrain(*words, scenario="differs")
    assert ended.exit_code == 4
    assert ended.out.endswith(refusal)
    quiet = bmtrain(*words, "--quiet", scenario="differs")
    assert (quiet.exit_code, quiet.out, quiet.err) == (4, "", refusal)
    as_json = bmtrain(*words, "--json", scenario="differs")
    assert (json.loads(as_json.out)["exit_code"], as_json.err) == (4, refusal)


def test_quiet_says_nothing_of_a_success(bmtrain):
    ended = bmtrain("export", "run", "--to", "onnx", "--quiet")
    assert (ended.exit_code, ended.out, ended.err) == (0, "", "")


def test_ascii_columns_stand_below_one_another(bmtrain, monkeypatch):
    monkeypatch.setenv("LC_ALL", "C")
    lines = bmtrain("export", "run", "--to", "onnx").out.splitlines()
    assert lines[3].startswith("[ok] onnx         points.onnx")
    assert lines[0].index("runs/") == lines[3].index("points.onnx")


def test_json_tells_what_was_exported_before_a_failure(bmtrain):
    ended = bmtrain("export", "run", "--to", "onnx", "--json", scenario="full")
    document = json.loads(ended.out)
    assert (ended.exit_code, document["error"]["code"]) == (6, "environment")
    assert [entry["format"] for entry in document["exports"]] == ["onnx"]


def test_ctrl_c_ends_it(bmtrain):
    assert bmtrain("export", "run", "--to", "onnx", scenario="ctrl-c").exit_code == 130


@pytest.mark.parametrize("words", [(), ("--to", "tflite"), ("--to", "onnx", "--tolerance", "-1")])
def test_what_is_no_format_or_tolerance_is_told(bmtrain, words):
    ended = bmtrain("export", "run", *words)
    assert ended.exit_code == 2
    assert ended.err.startswith("error: ")


def test_nothing_waiting_stays_on_the_line_of_a_result(terminal):
    """Both streams write to one terminal: the live line is taken away before each other."""
    shown = terminal("done", "export", "run", "--to", "onnx").out
    for line in shown.split("\r\n"):
        last = line.rpartition("\x1b[2K")[2]
        assert "exporting" not in last, line
