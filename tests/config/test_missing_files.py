"""A config that is not there: which one may have been meant."""

import shlex

import pytest

from bmtrain.config.load import load_config
from bmtrain.errors import ConfigError


def refused(path):
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert caught.value.where == str(path)
    return caught.value


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("okk.yaml", ["ok.yaml"]),
        ("ok", ["ok.yaml"]),
        ("ok.yml", ["ok.yaml"]),
        ("OK.yaml", ["ok.yaml"]),
        ("mnits.yaml", ["mnist.yaml"]),
        ("ridge.yaml", ["ridge_long.yml", "ridge_wide.yaml"]),
        ("nothing_like_it.yaml", []),
        ("notes.yaml", []),
        ("data.yaml", []),
    ],
)
def test_a_missing_file_is_named_with_the_nearest_ones_beside_it(tmp_path, typed, meant):
    for name in ("ok", "mnist", "ridge_wide"):
        (tmp_path / f"{name}.yaml").touch()
    (tmp_path / "ridge_long.yml").touch()
    (tmp_path / "notes.txt").touch()
    (tmp_path / "data.yaml.d").mkdir()
    message = refused(tmp_path / typed).message
    quoted = [f"'{tmp_path / name}'" for name in meant]
    assert message == "no such file" + (f"; did you mean {' or '.join(quoted)}?" if quoted else "")


def test_a_file_in_no_directory_is_just_not_there(tmp_path):
    assert refused(tmp_path / "none" / "a.yaml").message == "no such file"


def test_a_run_directory_is_gone_on_with_by_another_option(tmp_path, monkeypatch):
    monkeypatch.setenv("BMTRAIN_PROGRAM", "scripts/bmtrain")
    run_dir = tmp_path / "my run"
    run_dir.mkdir()
    (run_dir / "config.yaml").touch()
    error = refused(run_dir)
    assert error.message == "a directory; expected a YAML file"
    assert error.hint == (
        f"if it is a run, go on with it: scripts/bmtrain train '{run_dir}' --resume"
    )


@pytest.mark.parametrize("name", ["my flowers.csv", "DIGITS.NPZ", "a.npy", "a.parquet"])
def test_data_in_the_place_of_a_config_is_told_how_to_get_one(tmp_path, monkeypatch, name):
    monkeypatch.setenv("BMTRAIN_PROGRAM", "")
    (tmp_path / name).write_text("a,b\n1,2\n")
    error = refused(tmp_path / name)
    assert error.message == "a file of data; expected a YAML file"
    words = shlex.split(error.hint.partition(": ")[2])
    assert words == ["bmtrain", "init", "--data", str(tmp_path / name)]
