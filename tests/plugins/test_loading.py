"""What ``--plugin`` names is run once, as it is; whatever is wrong with it is told with its line."""

import hashlib
import os
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from bmtrain import plugins
from bmtrain.config.load import load_config
from bmtrain.config.plugin_tables import KINDS
from bmtrain.errors import ConfigError, PluginError
from bmtrain.plugins.loading import MAX_BYTES, load_plugins
from bmtrain.plugins.registration import BUILT_IN

TWINS = Path(__file__).with_name("twins.py")

HEAD = "from typing import Literal\nfrom bmtrain import plugins\n"
SECTION = "class Mine(plugins.Section):\n    type: Literal['{}']\n"
LAYER = SECTION + "plugins.register_layer(Mine, planner=plugins.planned, builder=print)\n"


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """(text, name) -> the plugin's path, in the current directory."""
    monkeypatch.chdir(tmp_path)

    def write(text, name="mine.py"):
        (tmp_path / name).write_text(text)
        return Path(name)

    return write


def refused(*paths):
    with pytest.raises(PluginError) as caught:
        load_plugins(paths)
    assert caught.value.exit_code == 2
    return caught.value


def test_what_a_file_registers_is_in_its_tables_and_its_bytes_are_known():
    loaded = load_plugins([TWINS])
    assert {kind: set(loaded.of_kind(kind)) for kind in KINDS} == {
        "layers": {"twin_dense", "twin_dropout"},
        "losses": {"twin_squared_error"},
        "metrics": {"twin_absolute_error", "twin_max_error"},
        "formats": {"lines"},
        "augmentations": {"twin_noise"},
    }
    (file,) = loaded.files
    assert file.sha256 == hashlib.sha256(TWINS.read_bytes()).hexdigest()
    assert not (TWINS.parent / "__pycache__" / "twins.cpython-311.pyc").exists()


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("x = 1\ndef f(:\n", (2, 7, 1), "invalid syntax"),
        ("x = 'ä' / 2\n", (1, 5, 7), "TypeError: unsupported operand type(s) for /"),
        ("def f():\n    return {}['a']\nf()\n", (2, 12, 7), "KeyError: 'a' (in f)"),
        ("import sys\nsys.exit(0)\n", (2, 1, 11), "it ends the program (SystemExit)"),
        ("if True:\n    import not_there.at_all\n", (2, 5, 23), "no module 'not_there'"),
        ("import json, keras.layers\n", (1, 1, 25), "keras.layers is imported when the file is l"),
        ("class A:\n    from tensorflow import io\n", (2, 5, 25), "import it inside the functions"),
        (HEAD + LAYER.format("Mine"), (5, 1, 68), "small letters, digits and '_', 64 at most"),
        (HEAD + LAYER.format("dense"), (5, 1, 68), "the layer 'dense' is built in"),
        (HEAD + LAYER.format("a") + "plugins.register_format('b', reader=3)", (6, 1, 38), "got 3"),
        (HEAD + 2 * LAYER.format("a"), (8, 1, 68), "the layer 'a' is registered twice"),
        (HEAD + "plugins.register_layer(int, planner=1, builder=1)", (3, 1, 49), "a subclass of"),
        (
            HEAD + SECTION.format("a").replace("'", "int") + "1/0",
            (4, 19, 7),
            "name 'intaint' is not",
        ),
        (
            HEAD + "plugins.register_metric('a', of='classes', more_is_better=True)",
            (3, 1, 63),
            "expected one of per_example and of_split, got 0 of them",
        ),
        (
            HEAD + "plugins.register_format('a', reader=print, suffixes=('.csv',))",
            (3, 1, 62),
            "'.csv' is that of a built-in format",
        ),
    ],
)
def test_what_is_wrong_is_told_with_file_line_and_column(plugin, text, place, message):
    error = refused(plugin(text))
    (found,) = error.diagnostics
    assert found.source == "mine.py"
    assert (found.line, found.column, found.length) == place
    assert found.source_line == text.splitlines()[place[0] - 1]
    assert message in found.message
    assert "mine" not in " ".join(name for name in sys.modules if "bmtrain_plugin" in name)


OF_LAYER = SECTION.format("a") + "plugins.register_layer(Mine, {})\n"
OF_LOSS = SECTION.format("a").replace("type:", "name:").replace(".Section", ".LossSection")
OF_METRIC = "plugins.register_metric('a', of='numbers', more_is_better=True, {})\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            OF_LAYER.format("planner=plugins.planned, builder=lambda config: 1"),
            "builder takes (config, seed, place), got (config)",
        ),
        (
            OF_LAYER.format("planner=lambda config: 1, builder=print"),
            "planner takes (config, given), got (config)",
        ),
        (
            OF_LAYER.format("planner=print, builder=print, in_training=lambda layer, x: x"),
            "in_training takes (layer, inputs, seed, place, step), got (layer, x)",
        ),
        (
            OF_LOSS + "plugins.register_loss(Mine, builder=lambda: 1)\n",
            "loss builder takes (config), got ()",
        ),
        (
            OF_METRIC.format("per_example=lambda outputs: 1"),
            "per_example takes (labels, outputs), got (outputs)",
        ),
        (
            OF_METRIC.format("of_split=lambda outputs, *, x: 1"),
            "of_split takes (labels, outputs), got (outputs, *, x)",
        ),
        (
            "def read(path: str, name: str) -> None: ...\nplugins.register_format('a', reader=read)",
            "reader takes (path), got (path, name)",
        ),
        (
            SECTION.format("a")
            + "plugins.register_augmentation(Mine, of='numbers', inputs=lambda x: x)",
            "inputs takes (config, features, draws), got (x)",
        ),
    ],
)
def test_a_function_that_takes_other_arguments_is_told_where_it_is_registered(
    plugin, text, message
):
    (found,) = refused(plugin(HEAD + text)).diagnostics
    assert found.message == message
    assert found.source_line.startswith("plugins.register_")


def test_what_a_decorator_makes_of_a_function_is_what_is_called(plugin):
    wrapped = "@wraps(print)\ndef build(*given): ...\nbuild.__wrapped__ = lambda: 1\n"
    text = HEAD + "from functools import wraps\n" + wrapped
    assert load_plugins(
        [plugin(text + OF_LAYER.format("planner=plugins.planned, builder=build"))]
    ).layers


@pytest.mark.parametrize("kind", KINDS)
def test_no_name_that_is_built_in_can_be_taken(plugin, kind):
    name = min(BUILT_IN[kind])
    section = HEAD + SECTION.format(name)
    text = {
        "layers": section + "plugins.register_layer(Mine, planner=print, builder=print)",
        "losses": section.replace("type:", "name:").replace(".Section", ".LossSection")
        + "plugins.register_loss(Mine, builder=print)",
        "metrics": f"{HEAD}plugins.register_metric({name!r}, of='numbers', of_split=print, "
        "more_is_better=True)",
        "formats": f"{HEAD}plugins.register_format({name!r}, reader=print)",
        "augmentations": section
        + "plugins.register_augmentation(Mine, of='numbers', inputs=print)",
    }[kind]
    assert f"the {KINDS[kind][1]} '{name}' is built in" in str(refused(plugin(text)))


def test_a_name_that_another_plugin_has_is_told_with_its_line(plugin):
    first, second = (plugin(HEAD + LAYER.format("same"), f"{name}.py") for name in "ab")
    (found,) = refused(first, second).diagnostics
    assert (found.source, found.line) == ("b.py", 5)
    assert found.message.startswith("the layer 'same' is added by a.py, too: rename it")


def test_a_file_that_is_none_is_told(plugin, tmp_path, nothing_hangs):
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "large.py").write_bytes(b"#" * (MAX_BYTES + 1))
    assert "no such file" in str(refused(Path("missing.py")))
    for path, words in {
        ".": "not a regular file",
        "pipe.py": "not a regular file",
        "large.py": "a file of more than 1 MB",
        plugin("x = 1\n", "empty.py"): "it registers nothing",
        plugin("a\0b", "null.py"): "null bytes",
        plugin("(" * 5000, "deep.py"): "",
    }.items():
        assert words in str(refused(Path(path)))


def test_named_twice_it_is_loaded_once_and_its_words_are_no_result(plugin, capfd, tmp_path):
    path = plugin(HEAD + "print('hello')\n" + LAYER.format("mine"))
    (tmp_path / "link.py").symlink_to(path)
    first = load_plugins([path, Path("link.py"), path.absolute()])
    assert len(first.files) == 1
    assert load_plugins([path]) is first
    assert capfd.readouterr() == ("", "hello\n")


def test_a_file_that_was_changed_is_another_plugin(plugin):
    first = load_plugins([plugin(HEAD + LAYER.format("mine"))])
    second = load_plugins([plugin(HEAD + LAYER.format("mine") + "# more\n")])
    assert first.files[0].sha256 != second.files[0].sha256


def test_tensorflow_that_something_imported_imports_is_told_at_the_plugins_line(
    plugin, tmp_path, monkeypatch
):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    (tmp_path / "wants_keras.py").write_text("import keras.layers\n")
    (found,) = refused(plugin("x = 1\nimport wants_keras\n")).diagnostics
    assert found.line == 2
    assert re.match(r"keras(.layers)? is imported when the file is loaded", found.message)


def test_what_is_for_type_checkers_may_name_keras(plugin):
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import keras\n"
    assert load_plugins([plugin(text + HEAD + LAYER.format("mine"))]).layers


def test_nothing_registers_outside_of_a_plugin_that_is_loaded():
    with pytest.raises(PluginError, match="while --plugin loads it"):
        plugins.register_format("mine", reader=print)


def test_a_loaded_plugin_adds_to_no_config_that_does_not_name_it(tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text(
        "name: x\ndata: {source: ./a.lines}\nmodel: {layers: [{type: twin_dense, units: 1}]}\n"
        "loss: twin_squared_error\noptimizer: adam\ntraining: {epochs: 1}\n"
    )
    loaded = load_config(config, plugins=load_plugins([TWINS]))
    assert str(loaded.experiment.loss.name) == "twin_squared_error"
    with pytest.raises(ConfigError, match="got 'twin_dense'"):
        load_config(config)


def test_the_plugin_that_the_readme_shows_loads(plugin):
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```python\n(from typing [^`]*register_loss[^`]*)```", readme)
    loaded = load_plugins([plugin(text)])
    assert (set(loaded.losses), set(loaded.metrics)) == ({"quantile"}, {"coverage"})


def test_it_is_told_also_where_tensorflow_was_started_by_something_else(plugin, monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", ModuleType("keras"))
    (found,) = refused(plugin("x = 1\nimport keras\n" + HEAD + LAYER.format("mine"))).diagnostics
    assert (found.line, found.message.partition(" is ")[0]) == (2, "keras")
