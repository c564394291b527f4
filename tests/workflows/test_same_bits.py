"""The same experiment gives the same bits, however its steps are grouped and wherever it runs."""

import json

import pytest

from bmtrain.config.load import load_config

LONG_CALLS = [pytest.param(number, marks=pytest.mark.long) for number in (7, 1000)]


def assert_same(run, other):
    assert run.ended.exit_code == other.ended.exit_code == 0, run.ended.err + other.ended.err
    assert run.epochs_but_times == other.epochs_but_times
    assert run.bits() == other.bits()
    assert run.bits("best_checkpoint") == other.bits("best_checkpoint")
    assert run.summary["metrics"] == other.summary["metrics"]
    predictions = "predictions/test.safetensors"
    assert (run.path / predictions).read_bytes() == (other.path / predictions).read_bytes()


@pytest.mark.parametrize("steps_per_call", [1, *LONG_CALLS])
def test_call_lengths_change_neither_weights_nor_log_under_xla(trained, reference, steps_per_call):
    """An epoch has 24 steps: one a call, seven with three left over, and the whole epoch."""
    run = trained(f"xla-{steps_per_call}", f"training.steps_per_call={steps_per_call}")
    assert_same(run, reference)


@pytest.mark.parametrize("steps_per_call", [1, *LONG_CALLS])
def test_call_lengths_change_neither_weights_nor_log_in_a_graph(trained, steps_per_call):
    expected = trained("graph", "training.engine=graph")
    run = trained(
        f"graph-{steps_per_call}",
        "training.engine=graph",
        f"training.steps_per_call={steps_per_call}",
    )
    assert_same(run, expected)


def test_the_engine_is_recorded_and_the_two_differ(trained, reference):
    graph = trained("graph", "training.engine=graph")
    assert (reference.summary["engine"]["mode"], graph.summary["engine"]["mode"]) == (
        "xla",
        "graph",
    )
    assert reference.bits() != graph.bits()


@pytest.mark.long
def test_another_seed_gives_other_bits(trained):
    graph = trained("graph", "training.engine=graph")
    assert trained("seed", "training.engine=graph", "seed=4").bits() != graph.bits()


def test_the_resolved_config_is_the_same_experiment(trained, reference):
    resolved = reference.path / "config.yaml"
    again = trained("resolved", config=resolved)
    assert_same(again, reference)
    assert (again.path / "config.yaml").read_bytes() == resolved.read_bytes()
    assert load_config(resolved).warnings == ()


def test_without_a_compilation_cache_and_with_a_hostile_home_the_bits_are_the_same(
    trained, reference, tmp_path
):
    """A keras.json that would change float type, epsilon and axes, and another backend."""
    (tmp_path / ".keras").mkdir()
    (tmp_path / ".keras" / "keras.json").write_text(
        json.dumps(
            {
                "floatx": "float64",
                "epsilon": 0.1,
                "backend": "jax",
                "image_data_format": "channels_first",
            }
        )
    )
    run = trained(
        "hostile",
        HOME=str(tmp_path),
        KERAS_BACKEND="torch",
        KERAS_HOME=str(tmp_path / ".keras"),
        TF_ENABLE_ONEDNN_OPTS="0",
        TF_XLA_FLAGS="--tf_xla_auto_jit=2",
        BMTRAIN_XLA_CACHE="0",
    )
    assert_same(run, reference)
    assert "off (BMTRAIN_XLA_CACHE=0)" in (run.path / "log.txt").read_text()


@pytest.mark.long
def test_a_cold_run_compiles_three_functions_and_a_damaged_cache_changes_nothing(
    trained, reference, make_once
):
    """Full batch, short batch, evaluation; then every entry is damaged in another way."""
    home = make_once("cache-home", lambda _: None)
    one_step = "training.steps_per_call=1"
    cold = trained("cold", one_step, HOME=str(home))
    assert_same(cold, reference)
    (root,) = (home / ".cache" / "bmtrain" / "xla").iterdir()
    entries = sorted((root / "store").iterdir())
    assert len(entries) == 3
    assert [path.name for path in root.iterdir()] == ["store"]  # nothing private is left

    entries[0].write_bytes(entries[0].read_bytes()[:-7])
    content = bytearray(entries[1].read_bytes())
    content[len(content) // 2] ^= 4
    entries[1].write_bytes(content)
    entries[2].write_bytes(b"")
    repaired = trained("repaired", one_step, HOME=str(home))
    assert_same(repaired, reference)
    log = (repaired.path / "log.txt").read_text()
    for entry in entries:
        assert f"{entry.name} is damaged or unknown; deleted" in log
    assert [name_of(path) for path in sorted((root / "store").iterdir())] == [
        name_of(path) for path in entries
    ]


def name_of(entry):
    """XLA's, without the sha256 of what it compiled this time."""
    return entry.stem
