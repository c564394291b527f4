"""No module on the way of a stranger's checkpoint imports or names what could run or unpack it.

The modules are found by their imports, those inside functions included, so that a new
one is looked at as soon as it is used.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import bmtrain

ROOT = Path(bmtrain.__file__).parent
#: ``eval``, ``predict``, ``export``, ``train RUN --resume``: their workflows, and what shows how they end.
STARTS = (
    *sorted((ROOT / "checkpoint").glob("*.py")),
    *sorted((ROOT / "workflows" / "training").glob("*.py")),
    *(
        ROOT / "workflows" / f"{name}.py"
        for name in ("restoring", "evaluate", "predict", "explain", "export", "train")
    ),
    ROOT / "cli" / "boundary.py",
    *(
        ROOT / "cli" / "rendering" / f"{name}.py"
        for name in ("evaluation", "training", "prediction_files", "explaining", "exporting")
    ),
)

MODULES = {
    *("pickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "copyreg"),
    *("h5py", "zipfile", "tarfile", "zipimport", "torch", "onnx", "tensorflow_hub"),
    *("importlib", "imp", "pkgutil", "runpy", "code", "codeop", "ctypes", "cffi", "pydoc"),
    *("subprocess", "multiprocessing", "pty", "socket", "ssl", "http", "urllib", "ftplib"),
    *("requests", "urllib3", "asyncio", "xmlrpc", "smtplib", "webbrowser", "socketserver"),
}
#: Of Python, of Keras and TensorFlow, of NumPy, PyYAML and the operating system.
NAMES = {
    *("eval", "exec", "compile", "__import__", "breakpoint", "globals", "vars"),
    *("load_model", "load_weights", "model_from_json", "model_from_config", "clone_model"),
    *("saving", "saved_model", "deserialize", "deserialize_keras_object", "from_config"),
    *("from_json", "custom_objects", "custom_object_scope", "CustomObjectScope", "get_file"),
    *("enable_unsafe_deserialization", "Lambda", "TFSMLayer", "TorchModuleWrapper", "StringLookup"),
    *("load_library", "load_op_library", "load_file_system_library", "py_function"),
    *("numpy_function", "gfile", "read_file", "allow_pickle", "unpack_archive", "extractall"),
    *("unsafe_load", "full_load", "UnsafeLoader", "FullLoader", "Loader", "add_constructor"),
    *("system", "popen", "fork", "execv", "execve", "execvp", "posix_spawn", "spawnv", "startfile"),
}
#: numpy.load and torch.load unpickle, yaml.load makes objects; json.load is none of them.
LOADING = {"np.load", "numpy.load", "torch.load", "yaml.load", "tf.load", "keras.load"}

#: (module, what it may import or name) -> why that is no way in.
EXCEPTIONS = {
    (
        "data/arrays/array_files.py",
        "zipfile",
    ): ".npz data is a zip archive: members are read one by one "
    "within their declared sizes, and parsed as plain arrays",
    ("data/raw/source.py", "zipfile"): "the exception that says that such data is damaged",
    ("config/yaml_reader.py", "Loader"): "yaml.parse streams events through CSafeLoader; no object "
    "is made of them",
    ("cli/rendering/prediction_arrays.py", "allow_pickle"): "False, where predictions are written",
    ("cli/rendering/prediction_arrays.py", "zipfile"): "an .npz archive that is written",
    ("runs/repository.py", "subprocess"): "git, for a run that begins here; a resumed one asks it "
    "nothing",
    ("runs/environment.py", "importlib"): "importlib.metadata: versions of installed packages",
    ("engine/compile_cache.py", "importlib"): "importlib.metadata: TensorFlow's version",
    **{
        ("exports/keras_file.py", name): "reads back the file that this process wrote, in a "
        "directory that nobody else can enter, in safe mode"
        for name in ("load_model", "saving")
    },
    ("exports/savedmodel.py", "saved_model"): "reads back what this process wrote, as above",
    ("exports/onnx_file.py", "onnx"): "writes protocol buffers; the graph is the table's",
    ("exports/onnx_graph.py", "onnx"): "makes them",
    ("exports/onnx_sequences.py", "onnx"): "makes those of sequences",
    ("engine/gpu_parts.py", "ctypes"): "whether libcuda.so.1 and others, constants, can be loaded, "
    "where a GPU was asked for and is missing",
    ("config/tracking_checks.py", "urllib"): "urllib.parse: takes an address apart, opens none",
    (
        "workflows/tracking/mlflow_run.py",
        "importlib",
    ): "importlib.util.find_spec: whether mlflow, a constant, is installed",
    ("workflows/tracking/mlflow_tracker.py", "subprocess"): "the process that talks to MLflow, a "
    "constant command, where the config asks for it; a run that is gone on with says so before",
}


def reached(starts: tuple[Path, ...], root: Path) -> set[Path]:
    """The starts and all modules of ``root``'s package that they import, and so on."""
    found, new = set(), set(starts)
    while new:
        found |= new
        new = {path for source in new for path in _imported(source, root)} - found
    return found


def _imported(source: Path, root: Path) -> Iterator[Path]:
    if source == root / "__init__.py":
        return  # what it offers to programs, which name plugins, is imported when it is asked for
    for name in imports(source):
        package, _, rest = name.partition(".")
        if package != root.name:
            continue
        path = root.joinpath(*rest.split(".")) if rest else root
        # ``from bmtrain.a import b``: b is a module, or something in a.
        for candidate in (path, path.parent):
            for file in (candidate.with_suffix(".py"), candidate / "__init__.py"):
                if file.exists() and file.is_relative_to(root):
                    yield file


def imports(source: Path) -> set[str]:
    """Full names: ``import a.b`` is a.b, ``from a import b`` a.b."""
    names = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source}: a relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def used(source: Path) -> set[str]:
    """Names, attributes and keyword arguments; ``a.load`` as well as ``load``."""
    names = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.Attribute):
            # re.compile compiles patterns; what Python's own function takes is its source.
            if node.attr not in {"eval", "exec", "compile"}:
                names.add(node.attr)
            if isinstance(node.value, ast.Name):
                names.add(f"{node.value.id}.{node.attr}")
        elif isinstance(node, ast.keyword) and node.arg is not None:
            names.add(node.arg)
    return names


def suspects(source: Path) -> set[str]:
    """What the module imports or names of all that is banned."""
    others = {name for name in imports(source) if not name.startswith(f"{ROOT.name}.")}
    modules = {name.partition(".")[0] for name in others}
    parts = {part for name in others for part in name.split(".")[1:]}
    return (modules & MODULES) | ((used(source) | parts) & NAMES) | (used(source) & LOADING)


def test_nothing_on_the_way_can_run_or_unpack_what_it_reads():
    found = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in reached(STARTS, ROOT)
        for name in suspects(path)
    }
    assert found == EXCEPTIONS.keys()


def test_the_way_is_the_whole_way():
    """Down to the engine, the readers of data and the schema; not to other commands."""
    names = {path.relative_to(ROOT).as_posix() for path in reached(STARTS, ROOT)}
    assert names >= {
        *("checkpoint/read.py", "strict_json.py", "tensor_files.py", "regular_files.py"),
        *(
            "config/sections/model.py",
            "config/yaml_reader.py",
            "data/arrays/npy_array.py",
            "data/arrays/idx.py",
        ),
        *(
            "engine/evaluation.py",
            "engine/loop.py",
            "models/layers/building.py",
            "models/optimizers.py",
        ),
        *("workflows/session.py", "workflows/training/resuming.py", "runs/directory.py"),
    }
    assert "cli/app.py" not in names


def test_nothing_on_the_way_can_load_a_plugin():
    """Plugins come to it as a value, from the command line and from programs."""
    names = {path.relative_to(ROOT).as_posix() for path in reached(STARTS, ROOT)}
    assert "config/plugin_records.py" in names
    assert not {name for name in names if name.startswith("plugins/")}


@pytest.mark.parametrize(
    ("text", "suspect"),
    [
        ("import pickle", "pickle"),
        ("def f():\n    import tarfile as t", "tarfile"),
        ("from keras.models import load_model", "load_model"),
        ("import keras\nkeras.saving.load_model('x')", "saving"),
        ("import keras\nkeras.layers.Lambda(1)", "Lambda"),
        ("import keras\nkeras.layers.Dense.from_config({})", "from_config"),
        ("import numpy as np\nnp.load('x')", "np.load"),
        ("f('x', allow_pickle=True)", "allow_pickle"),
        ("eval('1')", "eval"),
        ("import os\nos.system('x')", "system"),
        ("from os import system", "system"),
        ("import urllib.request", "urllib"),
        ("import tensorflow as tf\ntf.io.gfile.GFile('x')", "gfile"),
    ],
)
def test_a_module_that_is_new_on_the_way_is_looked_at(tmp_path, text, suspect):
    package = tmp_path / "ours"
    (package / "deep").mkdir(parents=True)
    for name, content in {
        "__init__.py": "",
        "start.py": "from ours.deep import between",
        "deep/__init__.py": "",
        "deep/between.py": "def f():\n    from ours.new import something",
        "new.py": text,
        "unrelated.py": "import pickle",
    }.items():
        (package / name).write_text(content)
    paths = reached((package / "start.py",), package)
    assert package / "unrelated.py" not in paths
    assert {name for path in paths for name in suspects(path)} >= {suspect}
