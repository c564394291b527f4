"""``convert``: the set is whole or not there, and trains to the bits of its source."""

import json
from pathlib import Path

import pytest


@pytest.fixture
def convert(bmtrain, project, tmp_path):
    def run(*words):
        return bmtrain("convert", *words, directory=tmp_path)

    return run


def bits(run_dir):
    summary = json.loads((run_dir / "summary.json").read_text())
    checkpoint = run_dir / "checkpoints" / Path(summary["checkpoint"]).name
    lines = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
    log = [{key: value for key, value in line.items() if key != "time"} for line in lines]
    return (checkpoint / "model.safetensors").read_bytes(), log, summary["metrics"]


@pytest.mark.long
def test_a_converted_table_trains_to_the_bits_of_the_table(bmtrain, convert, project, tmp_path):
    """Standardised by its columns, drawn splits, streamed; and eval finds its data again."""
    config = project / "points.yaml"
    ended = convert(config, "points.set", "--json")
    assert ended.exit_code == 0, ended.err
    assert ended.document["columns"] == ["x", "y", "z", "noise"]
    for name, *words in (
        ("table",),
        ("set", f"data.source={tmp_path / 'points.set'}", "data.storage=stream"),
    ):
        run = bmtrain("train", config, *words, "--run-dir", tmp_path / name, directory=tmp_path)
        assert run.exit_code == 0, run.err
    assert bits(tmp_path / "table") == bits(tmp_path / "set")
    judged = bmtrain("eval", tmp_path / "set", "--json", directory=tmp_path)
    assert judged.exit_code == 0, judged.err
    assert (
        judged.document["metrics"]
        == json.loads((tmp_path / "set" / "summary.json").read_text())["metrics"]["test"]
    )


def test_the_screen_names_the_source_without_detours_and_sizes_in_three_digits(
    command, project, tmp_path, monkeypatch
):
    (tmp_path / "here").mkdir()
    (tmp_path / "points.csv").write_bytes((project / "points.csv").read_bytes())
    monkeypatch.chdir(tmp_path / "here")
    ended = command("convert", "../points.csv", "points.set", "--label", "side")
    assert ended.exit_code == 0, ended.err
    lines = [line.split(maxsplit=1) for line in ended.out.splitlines()]
    assert lines[0] == ["source", str(tmp_path / "points.csv")]
    num_bytes = (tmp_path / "here" / "points.set" / "x_train.npy").stat().st_size
    assert ["file", f"x_train.npy, {num_bytes / 1000:.3g} kB"] in lines


def test_what_is_there_is_never_replaced(convert, project, tmp_path):
    (tmp_path / "mine").mkdir()
    ended = convert(project / "points.csv", "mine", "--label", "side")
    assert ended.exit_code == 6
    assert "exists already" in ended.err
    assert list((tmp_path / "mine").iterdir()) == []


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("points.csv", "out"), 2, "a table needs data.label"),
        (("points.csv", "out", "--label", "sid"), 3, "did you mean 'side'"),
        (("points.csv", "out", "data.label=side"), 2, "KEY=VALUE overrides a config"),
        (("points.yaml", "out", "--label", "side"), 2, "override it with KEY=VALUE"),
        (("none.csv", "out"), 3, "no such file"),
        (("points.yaml", "no/out"), 6, "no such file or directory"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, tuple) else None,
)
def test_what_is_wrong_is_one_message_and_leaves_nothing(
    convert, project, tmp_path, words, code, text
):
    ended = convert(project / words[0], *words[1:])
    assert ended.exit_code == code, ended.err
    assert text in " ".join(ended.err.split())
    assert list(tmp_path.iterdir()) == []
