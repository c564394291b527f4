"""scripts/bench --suite ablation: each variant is a config, and all parts are taken out by one."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from bmtrain.config.load import load_config

ROOT = Path(__file__).parents[2]
BEST = ROOT / "configs" / "mnist_best.yaml"


@pytest.fixture
def ablation(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    return importlib.import_module("bench_ablation")


def test_each_variant_is_a_config_that_nothing_is_said_against(ablation):
    variants = {
        name: load_config(BEST, overrides) for name, overrides in ablation.variants().items()
    }
    assert all(loaded.warnings == () for loaded in variants.values())
    experiments = [loaded.experiment for loaded in variants.values()]
    assert all(experiments.count(experiment) == 1 for experiment in experiments)


def test_without_all_parts_it_is_the_reference_experiment_but_for_its_steps(ablation):
    left = load_config(BEST, ablation.variants()["without all"]).experiment
    reference = load_config(ROOT / "configs" / "mnist.yaml").experiment
    for key in ("data", "model", "loss", "metrics", "optimizer", "regularization"):
        assert getattr(left, key) == getattr(reference, key), key


def test_what_a_part_gained_is_the_difference_of_means(ablation, monkeypatch, capsys):
    class Measured:
        def bmtrain(self, seed, *overrides, config):
            assert config == BEST
            accuracy = 0.98 + 0.002 * int(seed.removeprefix("seed=")) - 0.005 * len(overrides)
            return {"test_accuracy": accuracy, "whole_s": 1.0, "cost": {"cpu_s_of_start": 1.0}}

    figures = ablation.measure_ablation(Measured(), [0, 1])
    assert figures["whole"]["mean"] == pytest.approx(0.981)
    assert figures["whole"]["gained"] == 0
    assert figures["without EMA"]["gained"] == pytest.approx(0.01)
    assert figures["without schedule"]["each"] == pytest.approx([0.975, 0.977])
    assert capsys.readouterr().err.count("\n") == 2 * len(ablation.variants())
