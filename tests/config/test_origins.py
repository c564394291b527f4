import pytest

from bmtrain.config.nodes import MappingNode


def test_the_origin_of_a_loaded_setting_can_be_pointed_at(load):
    loaded = load("training.epochs=7")
    diagnostic = loaded.origins.diagnostic(("model", "layers", 1, "units"), "too few")
    assert (diagnostic.line, diagnostic.column, diagnostic.length) == (7, 28, 3)
    assert (diagnostic.key, diagnostic.message) == ("model.layers.1.units", "too few")
    epochs = loaded.origins.diagnostic(("training", "epochs"), "too many", severity="warning")
    assert (epochs.source, epochs.severity) == ("override 1", "warning")


@pytest.mark.parametrize(
    ("key", "line"),
    [
        (("data", "label"), 3),
        (("model", "layers", 1, "use_bias"), 7),
        (("model", "layers", 99), 5),
        (("model", "layers"), 5),
        (("regularization", "l2_lambda"), 0),
        ((), 0),
    ],
)
def test_a_setting_that_is_not_written_points_at_the_nearest_parent(load, key, line):
    loaded = load()
    assert isinstance(loaded.origins.root, MappingNode)
    assert loaded.origins.diagnostic(key, "x").line == line


@pytest.mark.parametrize("key", ["seed", "name"])
@pytest.mark.parametrize("line", [1, 2])
def test_a_collection_under_the_first_key_points_at_it_as_under_any_other(load, key, line):
    from bmtrain.errors import ConfigError

    text = "# a comment\n" * (line - 1) + f"{key}: [1]\n"
    with pytest.raises(ConfigError) as caught:
        load(text=text)
    found = [entry for entry in caught.value.diagnostics if entry.key == key]
    assert [(entry.line, entry.column) for entry in found] == [(line, 1)]
