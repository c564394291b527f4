"""Short forms, written out before anything is merged.

- ``optimizer: adam`` → ``{name: adam}``
- ``loss: mse`` → ``{name: mean_squared_error}``
- ``model: {layers: [...]}`` → ``{type: layers, layers: [...]}``
- ``metrics: [acc, rmse]`` → ``[accuracy, root_mean_squared_error]``
- ``metrics: [{name: top_k_categorical_accuracy, k: 3}]`` → ``[top_3_accuracy]``
- ``monitor: validation.acc`` → ``validation.accuracy``
- ``mlflow: sqlite:///mlflow.db`` → ``{uri: sqlite:///mlflow.db}``; ``true`` → ``{}``
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bmtrain.config.nodes import Entry, ListNode, MappingNode, Node, ScalarNode

LOSS_ALIASES = {
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
}
METRIC_ALIASES = {
    "acc": "accuracy",
    "mse": "mean_squared_error",
    "rmse": "root_mean_squared_error",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "auc": "roc_auc",
    "mcc": "matthews_corrcoef",
    "ece": "expected_calibration_error",
    # Keras's names; its k is 5 where none is given.
    "top_k_categorical_accuracy": "top_5_accuracy",
    "sparse_top_k_categorical_accuracy": "top_5_accuracy",
}


def write_out(root: MappingNode) -> MappingNode:
    """The same config in which every short form is written out; nothing else changes."""
    for key, change in _CHANGES.items():
        entry = root.entries.get(key)
        if entry is not None:
            root = root.with_entry(key, Entry(entry.key_place, change(entry.value)))
    return root


def _named(node: Node) -> Node:
    """``adam`` → ``{name: adam}``."""
    if isinstance(node, ScalarNode) and isinstance(node.value, str):
        return MappingNode({"name": Entry(node.place, node)}, node.place)
    return node


def _loss(node: Node) -> Node:
    node = _named(node)
    if isinstance(node, MappingNode):
        return _at(node, "name", lambda name: _alias(name, LOSS_ALIASES))
    return node


def _model(node: Node) -> Node:
    if isinstance(node, MappingNode) and "layers" in node.entries and "type" not in node.entries:
        layers = node.entries["layers"].value
        if isinstance(layers, MappingNode) and layers.is_path:
            return node  # a step into layers that are there: it makes no layers of a preset
        layers_type = ScalarNode("layers", "layers", node.entries["layers"].key_place)
        return node.with_entry("type", Entry(node.place, layers_type))
    return node


def _metrics(node: Node) -> Node:
    if isinstance(node, ListNode):
        return replace(node, items=tuple(_metric(item) for item in node.items))
    if isinstance(node, MappingNode) and node.is_path:
        for key in node.entries:
            node = _at(node, key, _metric)
    return node


def _metric(node: Node) -> Node:
    """A name; of Keras's top-k accuracy also a mapping with its k."""
    if not isinstance(node, MappingNode) or not node.entries.keys() <= {"name", "k"}:
        return _alias(node, METRIC_ALIASES)
    name, k = node.child("name"), node.child("k")
    if not isinstance(name, ScalarNode) or "top_k" not in str(name.value):
        return node
    if not isinstance(k, ScalarNode):
        return _alias(name, METRIC_ALIASES) if k is None else node
    written_out = f"top_{k.value}_accuracy"
    return ScalarNode(written_out, written_out, k.place)


def _training(node: Node) -> Node:
    if not isinstance(node, MappingNode):
        return node

    return _at(node, "early_stopping", _monitored)


def _optimizer(node: Node) -> Node:
    node = _named(node)
    return _at(node, "learning_rate", _monitored) if isinstance(node, MappingNode) else node


def _monitored(section: Node) -> Node:
    return _at(section, "monitor", _figure) if isinstance(section, MappingNode) else section


def _figure(node: Node) -> Node:
    if isinstance(node, ScalarNode) and isinstance(node.value, str):
        return replace(node, value=written_out_figure(node.value))
    return node


def written_out_figure(figure: str) -> str:
    """``validation.acc`` → ``validation.accuracy``."""
    split, dot, metric = figure.partition(".")
    return f"{split}{dot}{METRIC_ALIASES.get(metric, metric)}"


def _track(node: Node) -> Node:
    return _at(node, "mlflow", _mlflow) if isinstance(node, MappingNode) else node


def _mlflow(node: Node) -> Node:
    if not isinstance(node, ScalarNode):
        return node
    if node.value is True:
        return MappingNode({}, node.place)
    if node.value is False:
        return replace(node, value=None)
    if isinstance(node.value, str):
        return MappingNode({"uri": Entry(node.place, node)}, node.place)
    return node


def _alias(node: Node, aliases: dict[str, str]) -> Node:
    if isinstance(node, ScalarNode) and isinstance(node.value, str):
        return replace(node, value=aliases.get(node.value, node.value))
    return node


def _at(node: MappingNode, key: str, change: Callable[[Node], Node]) -> MappingNode:
    entry = node.entries.get(key)
    if entry is None:
        return node
    return node.with_entry(key, Entry(entry.key_place, change(entry.value)))


_CHANGES: dict[str, Callable[[Node], Node]] = {
    "optimizer": _optimizer,
    "loss": _loss,
    "model": _model,
    "metrics": _metrics,
    "training": _training,
    "track": _track,
}
