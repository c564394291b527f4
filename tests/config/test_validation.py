"""Whatever stands anywhere: it is taken, or refused in our words at its key."""

from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bmtrain.config.resolved import experiment_from_plain
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.errors import ConfigError

VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 10**30, 0.5, -0.5, 1e308, float("nan"), "", "x", "dense", [], {}, [1], [[]],
     ["x"], {"name": "adam"}, {"type": "dense"}, {"x": 1}, {"name": 3}, [{"type": "mlp"}], "\ud800"]
)  # fmt: skip
WHOLE = {
    "name": "x",
    "seed": 0,
    "data": {"source": "mnist", "splits": {"test": {"fraction": 0.1}}, "features": ["a"]},
    "model": {"type": "layers", "layers": [{"type": "dense", "units": 1}, {"type": "flatten"}]},
    "loss": {"name": "huber", "delta": 1.0},
    "metrics": ["mean_squared_error"],
    "optimizer": {"name": "adam"},
    "regularization": {"l2_lambda": 1.0},
    "training": {
        "epochs": 1,
        "batch_size": 8,
        "threads": "auto",
        "steps_per_call": "auto",
        "early_stopping": {"monitor": "train.loss"},
        "checkpoint": {"every_epochs": "auto", "keep": 2},
    },
    "expect": ["train.loss < 1"],
}


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items: Any = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else items
    return [path] + [found for key, inner in items for found in paths(inner, (*path, key))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    if isinstance(value, list):
        return [replaced(v, path[1:], new) if i == path[0] else v for i, v in enumerate(value)]
    return {k: replaced(v, path[1:], new) if k == path[0] else v for k, v in value.items()}


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(paths(WHOLE)), VALUES)
def test_any_value_anywhere_is_taken_or_refused_in_our_words(path, value):
    config = replaced(WHOLE, path, value)
    try:
        experiment_from_plain(config)
    except ConfigError as error:
        for diagnostic in error.diagnostics:
            keys = tuple(diagnostic.key.split(".")) if diagnostic.key else ()
            # A changed type shows in its neighbours.
            assert keys[: len(path) - 1] == tuple(map(str, path[:-1]))[: len(keys)]
            assert "Input should" not in diagnostic.message
            assert "another value" not in diagnostic.message


@pytest.mark.parametrize("key", ["batch_size", "threads", "steps_per_call"])
def test_a_mapping_where_a_number_or_a_word_belongs_is_told(key):
    config = replaced(WHOLE, ("training", key), {"x": 1})
    with pytest.raises(ConfigError) as caught:
        experiment_from_plain(config)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.key == f"training.{key}"
    assert diagnostic.message.startswith("expected ")
    assert diagnostic.message.endswith("got a mapping")


def test_every_section_reaches_the_schema_as_a_closed_frozen_mapping():
    found = set()

    def find(annotation):
        if hasattr(annotation, "model_fields") and annotation not in found:
            found.add(annotation)
            for info in annotation.model_fields.values():
                find(info.annotation)
        for argument in get_args(annotation):
            find(argument)

    find(ExperimentConfig)
    assert len(found) > 25
    for section in found:
        assert section.model_config["extra"] == "forbid"
        assert section.model_config["strict"]
        assert section.model_config["frozen"]
