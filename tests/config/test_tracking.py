"""``track:`` in a config: short forms, paths of databases, and addresses that are none."""

import jsonschema
import pytest

from bmtrain.config.json_schema import json_schema
from bmtrain.config.resolved import resolved_yaml

SERVER = "http://127.0.0.1:5000"


def tracked(load, config, written, *overrides):
    return load(*overrides, text=config(more=f"track: {written}")).experiment.track.mlflow


@pytest.mark.parametrize(
    ("written", "uri", "experiment"),
    [
        (f"{{mlflow: '{SERVER}'}}", SERVER, None),
        (f"{{mlflow: {{uri: '{SERVER}', experiment: digits}}}}", SERVER, "digits"),
        ("{mlflow: true}", None, None),
        ("{mlflow: {experiment: digits}}", None, "digits"),
        ("{mlflow: 'postgresql+psycopg://host/db'}", "postgresql+psycopg://host/db", None),
    ],
)
def test_an_address_alone_will_do(load, config, written, uri, experiment):
    section = tracked(load, config, written)
    assert (section.uri, section.experiment, section.checkpoint) == (uri, experiment, False)


@pytest.mark.parametrize("written", ["{mlflow: false}", "{mlflow: null}", "{tensorboard: true}"])
def test_without_being_asked_nothing_is_sent(load, config, written):
    assert tracked(load, config, written) is None


def test_an_override_changes_the_address_alone(load, config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    written = f"{{mlflow: {{uri: '{SERVER}', experiment: digits}}}}"
    section = tracked(load, config, written, "track.mlflow=sqlite:///mine.db")
    assert (section.uri, section.experiment) == (f"sqlite:///{tmp_path}/mine.db", "digits")
    assert tracked(load, config, written, "track.mlflow=false") is None


@pytest.mark.parametrize("shape", ["{{mlflow: '{}'}}", "{{mlflow: {{uri: '{}'}}}}"])
def test_a_databases_file_is_beside_the_config(load, config, tmp_path, shape):
    assert tracked(load, config, shape.format("sqlite:///../my runs/a.db")).uri == (
        f"sqlite:///{tmp_path.parent}/my runs/a.db"
    )
    assert tracked(load, config, shape.format("sqlite:////data/a.db")).uri == "sqlite:////data/a.db"


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("./mlruns", "MLflow begins no new directories of runs"),
        ("file:///data/mlruns", "MLflow begins no new directories of runs"),
        ("ftp://host", "got 'ftp://'"),
        ("http://", "got no host"),
        ("http://host:many", "http://HOST:PORT"),
        ("sqlite://mine.db", "three slashes"),
        ("sqlite:///", "three slashes"),
    ],
)
def test_what_is_no_address_is_told_at_its_place(errors, config, uri, words):
    (told,) = errors(text=config(more=f"track: {{mlflow: '{uri}'}}"))
    assert told.key == "track.mlflow.uri"
    assert told.line
    assert words in told.message


@pytest.mark.parametrize(
    "uri",
    [
        "https://ada:lovelace@host",
        "https://lovelace@host",
        "postgresql://ada:lovelace@host/db",
        "https://host/?api_token=lovelace",
        "mysql://host/db?password=lovelace",
    ],
)
def test_a_password_is_refused_and_not_repeated(errors, config, uri):
    (told,) = errors(text=config(more=f"track: {{mlflow: '{uri}'}}"))
    assert "MLFLOW_TRACKING_PASSWORD" in told.message
    assert "lovelace" not in told.message


def test_the_resolved_config_is_the_same(load, config):
    text = config(more=f"track: {{mlflow: '{SERVER}'}}")
    resolved = resolved_yaml(load(text=text).experiment)
    assert load(text=resolved).experiment == load(text=text).experiment


def test_the_schema_knows_the_short_forms():
    definitions = json_schema()["$defs"]
    used = {name: definitions[name] for name in ("TrackSection", "MlflowSection")}
    validator = jsonschema.Draft202012Validator({"$ref": "#/$defs/TrackSection", "$defs": used})
    for mlflow in (SERVER, True, None, {"uri": SERVER}, {"checkpoint": True}):
        assert validator.is_valid({"mlflow": mlflow})
    assert not validator.is_valid({"mlflow": 5})
