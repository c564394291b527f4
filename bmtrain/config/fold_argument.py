"""``--fold k/K`` and ``--folds K``: a fold laid over a config, in the place of its validation split."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bmtrain.config.nodes import Entry, MappingNode, Node, ScalarNode, find, is_null
from bmtrain.config.source_text import Place, Problem, SourceText

_SPLITS = ("data", "splits")


@dataclass(frozen=True, slots=True)
class FoldArgument:
    """What was typed, ``--folds 5`` say, and the fold that it means, ``1/5``."""

    option: str
    text: str
    fold: str

    def node(self, order: int) -> MappingNode:
        """``data: {splits: {validation: null, fold: k/K}}``; what is wrong is told of the option."""
        source = SourceText.of(self.option, self.text, Path.cwd(), order, has_keys=False)
        place = Place(source, 1, 1, max(1, len(source.lines[0])))
        values = {"validation": ScalarNode(None, "null", place)}
        values["fold"] = ScalarNode(self.fold, self.fold, place)
        node = MappingNode({key: Entry(place, value) for key, value in values.items()}, place)
        for key in reversed(_SPLITS):
            node = MappingNode({key: Entry(place, node)}, place)
        return node

    def set_aside(self, root: Node) -> list[Problem]:
        """Warnings of what a config says and the fold replaces; a drawn validation split is none."""
        found = []
        for key in ("validation", "fold"):
            path = (*_SPLITS, key)
            _, node = find(root, path)
            if is_null(node) or not isinstance(node, ScalarNode):
                continue
            if key == "fold" or isinstance(node.value, str):
                message = (
                    f"{node.shown()} is set aside: {self.option} {self.text} validates on "
                    "examples of the training part"
                )
                found.append(Problem(node.place, message, path, "warning"))
        return found
