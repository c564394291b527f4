"""What a plugin adds is checked like what is built in; what a run records of it is only data."""

import copy
import dataclasses
from pathlib import Path

import jsonschema
import pytest

from bmtrain.config.json_schema import json_schema
from bmtrain.config.load import load_config
from bmtrain.config.plugin_records import (
    changed_files,
    parse_records,
    plugin_records,
    require_named,
)
from bmtrain.config.plugin_stand_ins import stand_ins
from bmtrain.config.plugin_tables import NO_PLUGINS
from bmtrain.config.resolved import experiment_from_plain, plain, resolved_yaml
from bmtrain.errors import CheckpointError, ConfigError
from bmtrain.plugins.loading import load_plugins

TWINS = Path(__file__).parents[1] / "plugins" / "twins.py"

CONFIG = """\
name: twins
data: {source: ./line.lines}
model:
  layers:
    - {type: residual, layers: [{type: twin_dense, units: 3}]}
    - {type: twin_dense, units: 1}
loss: twin_squared_error
metrics: [twin_absolute_error, twin_max_error]
optimizer: {name: sgd, learning_rate: 0.1}
training: {epochs: 2, augmentation: [{type: twin_noise, stddev: 0.5}]}
expect: ["test.twin_max_error <= 1"]
"""


@pytest.fixture
def plugins():
    return load_plugins([TWINS])


@pytest.fixture
def load(tmp_path, plugins):
    def read(*changes, overrides=(), plugins=plugins):
        text = CONFIG
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "config.yaml"
        path.write_text(text)
        return load_config(path, overrides, plugins=plugins)

    return read


@pytest.fixture
def experiment(load):
    return load().experiment


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("units: 1}", "units: 0}", (6, 33), "expected an integer >= 1 and <= 1000, got 0"),
        ("[{type: twin_dense, units: 3}]", "[{type: twin_dens, units: 3}]", (5, 40), "'twin_den"),
        ("units: 1}", "unit: 1}", (6, 26), "unknown key; did you mean 'units'?"),
        (": twin_squared_error", ": twin_square_error", (7, 7), "did you mean 'twin_squared_er"),
        ("[twin_absolute", "[twin_abslute", (8, 11), "did you mean 'twin_absolute_error'?"),
        ("stddev: 0.5", "stddev: 0", (10, 65), "expected a number > 0, got 0"),
        ("{source: ./line.lines}", "{source: ./a, format: line}", (2, 29), "mean 'lines'?"),
        ("test.twin_max", "train.twin_max", (11, 10), "'twin_max_error' is of whole splits"),
        ("test.twin_max_error <= 1", "test.twin_max_error < 0", (11, 10), "can never hold"),
        ("name: twins", "plugin: ./twins.py\nname: twins", (1, 1), "and nowhere else: --plugin F"),
    ],
)
def test_a_config_is_held_against_what_the_plugin_adds(load, old, new, place, message):
    with pytest.raises(ConfigError) as caught:
        load((old, new))
    found = caught.value.diagnostics[0]
    assert (found.line, found.column) == place
    assert message in found.message


def test_resolved_it_reads_back_and_null_restores_a_plugins_default(
    load, experiment, plugins, tmp_path
):
    text = resolved_yaml(experiment)
    (tmp_path / "again.yaml").write_text(text)
    assert load_config(tmp_path / "again.yaml", plugins=plugins).experiment == experiment
    assert experiment_from_plain(plain(experiment), plugins=plugins) == experiment
    layer = "model.layers.1={type: twin_dropout, rate: 0.1}"
    changed = load(overrides=(layer, "model.layers.1.rate=null")).experiment
    assert changed.model.layers[1].rate == 0.5


def test_what_a_plugins_own_check_says_is_told_at_its_key(tmp_path):
    (tmp_path / "odd.py").write_text(
        "from typing import Literal\nfrom bmtrain import plugins\n"
        "class Odd(plugins.Section):\n    type: Literal['odd']\n    size: int\n"
        "    @plugins.field_validator('size')\n    def is_odd(cls, size):\n"
        "        if size % 2 == 0:\n            raise ValueError('odd sizes only, no others')\n"
        "        return size\n"
        "plugins.register_layer(Odd, planner=plugins.planned, builder=print)\n"
    )
    path = tmp_path / "config.yaml"
    path.write_text(
        "name: x\ndata: {source: mnist}\nmodel: {layers: [{type: odd, size: 4}]}\n"
        "loss: mse\noptimizer: adam\ntraining: {epochs: 1}\n"
    )
    with pytest.raises(ConfigError) as caught:
        load_config(path, plugins=load_plugins([tmp_path / "odd.py"]))
    (found,) = caught.value.diagnostics
    assert (found.key, found.message) == ("model.layers.0.size", "odd sizes only, no others")


def test_the_json_schema_knows_the_plugins_names_and_ranges(plugins, experiment):
    schema = json_schema(plugins)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    document = plain(experiment)
    assert validator.is_valid(document)
    assert not jsonschema.Draft202012Validator(json_schema()).is_valid(document)
    for change in ({"units": 0}, {"type": "twin"}, {"rate": 0.5}):
        wrong = copy.deepcopy(document)
        wrong["model"]["layers"][1] |= change
        assert not validator.is_valid(wrong)


def test_a_section_without_a_docstring_is_described_all_the_same(tmp_path):
    (tmp_path / "bare.py").write_text(
        "from typing import Literal\nfrom bmtrain import plugins\n"
        "class Bare(plugins.Section):\n    type: Literal['bare']\n    size: int = 3\n"
        "plugins.register_layer(Bare, planner=plugins.planned, builder=print)\n"
    )
    bare = json_schema(load_plugins([tmp_path / "bare.py"]))["$defs"]["Bare"]
    assert bare["properties"]["type"]["description"] == bare["description"]
    assert bare["description"] == "Of a plugin, which does not say what it is."
    assert bare["description"] not in str(json_schema())  # what is built in says it


@pytest.mark.parametrize(
    ("override", "end"),
    [
        ("model.layers.1.type=scaled_up", "'scaled_up'; or name {}"),
        ("model.layers.0.layers.0.type=scaled_up", "'scaled_up'; or name {}"),
        ("loss=pinball", "'pinball'; or name {}"),
        ("loss.name=pinball", "'pinball'; or name {}"),
        ("metrics.0=coverage", "'coverage'; or name {}"),
        ("data.format=mat", "'mat'; or name {}"),
        ("training.augmentation.0.type=sepia", "'sepia'; or name {}"),
        ("model.layers.1.type=my_dense", "did you mean 'dense'? Or name {}"),
        ("model.layers.1={type: dens, units: 1}", "did you mean 'dense'?"),
        ("optimizer.name=pinball", "got 'pinball'"),
    ],
)
def test_an_unknown_name_that_a_plugin_may_add_is_told_how_to_add_it(load, override, end):
    changes = [
        ("twin_dense, units: 3", "dense, units: 3"),
        ("twin_dense, units: 1", "dense, units: 1"),
    ]
    changes += [("twin_squared", "mean_squared"), ("twin_absolute_error, twin_max_error", "mse")]
    changes += [("type: twin_noise", "type: noise"), ("test.twin_max_error", "test.loss")]
    with pytest.raises(ConfigError) as caught:
        load(*changes, overrides=(override,), plugins=NO_PLUGINS)
    (found,) = caught.value.diagnostics
    assert found.message.endswith(end.format("the plugin that adds it: --plugin FILE"))


def test_a_record_says_what_the_config_uses_and_reads_back(experiment, plugins):
    (record,) = plugin_records(experiment)
    assert record.file == "twins.py"
    assert record.sha256 == plugins.files[0].sha256
    assert record.registers["layers"] == ("twin_dense", "twin_dropout")
    assert {kind: list(names) for kind, names in record.uses.items()} == {
        "layers": ["twin_dense"],
        "losses": ["twin_squared_error"],
        "metrics": ["twin_absolute_error", "twin_max_error"],
        "augmentations": ["twin_noise"],
    }
    assert parse_records([record.document()]) == (record,)


GOOD = {"file": "a.py", "sha256": "0" * 64, "registers": {}, "uses": {}}


@pytest.mark.parametrize(
    "change",
    [
        {"file": "/tmp/a.py"},
        {"file": "..\\a.py"},
        {"file": ""},
        {"file": "a\n.py"},
        {"file": "a" * 300},
        {"file": 1},
        {"sha256": "0"},
        {"path": "/tmp/a.py"},
        {"registers": []},
        {"registers": {"modules": []}},
        {"registers": {"layers": ["os.system"]}},
        {"registers": {"layers": ["a"] * 1001}},
        {"uses": {"layers": ["a"]}},
        {"uses": {"layers": {"a": {"path": True}}}},
        {"uses": {"losses": {"a": {}}}},
        {"uses": {"metrics": {"a": {"is_mean": True}}}},
        {"uses": {"losses": {"a": {"is_crossentropy": "x"}}}},
    ],
)
def test_a_record_is_taken_apart_value_by_value(change):
    assert parse_records([GOOD])
    with pytest.raises(ValueError, match=r"^plugins: "):
        parse_records([GOOD | change])


@pytest.mark.parametrize("value", [None, {}, "a.py", [1], [GOOD] * 101])
def test_what_is_no_list_of_records_is_refused(value):
    with pytest.raises(ValueError, match=r"^plugins: "):
        parse_records(value)


def test_what_is_missing_is_named_with_the_files_name_and_sha256(experiment, plugins):
    records = plugin_records(experiment)
    require_named(records, plugins, "here")
    with pytest.raises(CheckpointError) as caught:
        require_named(records, NO_PLUGINS, "here")
    assert "it needs the layer 'twin_dense', the loss 'twin_sq" in caught.value.message
    assert f"of the plugin twins.py (sha256 {records[0].sha256})" in caught.value.message
    assert "--plugin twins.py" in str(caught.value.hint)


def test_a_plugin_is_another_only_where_its_names_are_used(experiment, plugins, load):
    (record,) = plugin_records(experiment)
    other = dataclasses.replace(record, sha256="0" * 64)
    assert not list(changed_files([record], plugins))
    assert [file.name for _, file in changed_files([other], plugins)] == ["twins.py"]
    assert not list(changed_files([dataclasses.replace(other, uses={})], plugins))


def test_a_recorded_config_is_understood_without_the_plugin(experiment, load):
    known = stand_ins(parse_records([r.document() for r in plugin_records(experiment)]))
    again = load(plugins=known).experiment
    assert plain(again) == plain(experiment)
    for name in experiment.metrics:
        facts = experiment.metric_facts(name)
        assert again.metric_facts(name).more_is_better == facts.more_is_better
        assert again.metric_facts(name).is_mean == facts.is_mean
    assert known.paths == ()
