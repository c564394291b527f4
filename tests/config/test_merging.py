from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from bmtrain.config.merging import SELECTORS, merge
from bmtrain.config.nodes import Entry, ListNode, MappingNode, ScalarNode, to_plain
from bmtrain.config.source_text import Place, Problem, SourceText

PLACE = Place(SourceText("test", (), Path()))
KEYS = st.sampled_from(["a", "b", "name", "type"])
VALUES = st.recursive(
    st.integers(0, 3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
CONFIGS = st.dictionaries(KEYS, VALUES, max_size=4)


def tree(value):
    if isinstance(value, dict):
        return MappingNode({key: Entry(PLACE, tree(item)) for key, item in value.items()}, PLACE)
    if isinstance(value, list):
        return ListNode(tuple(tree(item) for item in value), PLACE)
    return ScalarNode(value, str(value), PLACE)


def merged(*configs):
    problems: list[Problem] = []
    root = tree(configs[0])
    for config in configs[1:]:
        root = merge(root, tree(config), problems)
    assert problems == []
    return to_plain(root)


def frozen(value):
    return to_plain(tree(value))


def test_mappings_merge_and_lists_and_scalars_replace():
    base = {"data": {"source": 1, "x": [1, 2]}, "seed": 3}
    over = {"data": {"x": [5]}, "seed": 4, "new": 1}
    assert merged(base, over) == {"data": {"source": 1, "x": (5,)}, "seed": 4, "new": 1}


def test_a_changed_name_takes_the_old_options_away():
    base = {"optimizer": {"name": "adam", "beta_1": 0.8, "learning_rate": 0.1}}
    assert merged(base, {"optimizer": {"name": "sgd"}}) == {"optimizer": {"name": "sgd"}}


def test_the_same_name_keeps_the_old_options():
    base = {"optimizer": {"name": "adam", "beta_1": 0.8}}
    over = {"optimizer": {"name": "adam", "epsilon": 1}}
    assert merged(base, over) == {"optimizer": {"name": "adam", "beta_1": 0.8, "epsilon": 1}}


def test_the_experiment_may_be_renamed():
    assert merged({"name": "a", "seed": 1}, {"name": "b"}) == {"name": "b", "seed": 1}


def test_null_stands_until_the_end():
    assert merged({"a": {"b": 1, "c": 2}}, {"a": {"b": None}}) == {"a": {"b": None, "c": 2}}
    assert merged({"a": {"b": 1}}, {"a": None}) == {"a": None}
    assert merged({"a": {"b": 1}}, {"a": None}, {"a": {"c": 2}}) == {"a": {"c": 2}}


@given(CONFIGS)
def test_merging_with_nothing_changes_nothing(config):
    assert merged(config, {}) == frozen(config)
    assert merged({}, config) == frozen(config)


@given(CONFIGS)
def test_merging_twice_is_merging_once(config):
    assert merged(config, config) == frozen(config)


@given(CONFIGS, CONFIGS)
def test_what_is_laid_over_is_there_afterwards(base, over):
    """Every scalar and list of ``over`` stands in the result."""
    result = merged(base, over)

    def check(expected, found):
        if isinstance(expected, dict):
            for key, value in expected.items():
                check(value, found[key])
        else:
            assert found == expected

    check(frozen(over), result)


@given(CONFIGS, CONFIGS)
def test_keys_come_from_either_side(base, over):
    assert set(merged(base, over)) == set(base) | set(over)


def without_selectors(value):
    if isinstance(value, dict):
        return {k: without_selectors(v) for k, v in value.items() if k not in SELECTORS}
    return value


@given(CONFIGS, CONFIGS, CONFIGS)
def test_merging_mappings_is_associative(first, second, third):
    """Where no mapping meets a scalar, and nothing selects: then replacing depends on the order."""
    a, b, c = ({"k": without_selectors(config)} for config in (first, second, third))
    left, right = merged(frozen_dict(merged(a, b)), c), merged(a, frozen_dict(merged(b, c)))
    if same_shape(a, b) and same_shape(b, c) and same_shape(a, c):
        assert left == right


def frozen_dict(value):
    if isinstance(value, dict):
        return {key: frozen_dict(item) for key, item in value.items()}
    return list(value) if isinstance(value, tuple) else value


def same_shape(first, second):
    if isinstance(first, dict) != isinstance(second, dict):
        return False
    if not isinstance(first, dict):
        return True
    return all(same_shape(first[key], second[key]) for key in first.keys() & second.keys())
