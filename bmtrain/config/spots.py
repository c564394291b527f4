"""Where in a config pydantic found something: what the schema expects there, and what stands there."""

from __future__ import annotations

from dataclasses import dataclass

from bmtrain.config.kinds import Kind
from bmtrain.config.nodes import KeyPath, ListNode, MappingNode, Node, ScalarNode
from bmtrain.config.sections.experiment import ExperimentConfig


@dataclass(slots=True)
class Spot:
    """A place in the config: its key, what the schema expects there, and what stands there."""

    key: KeyPath
    kind: Kind | None  # None: the schema has no such key
    node: Node | None
    parent: Kind


def located(root: Node, loc: tuple[int | str, ...], schema: type[ExperimentConfig]) -> Spot | None:
    """Follow pydantic's location, which names the branch taken at each union besides the keys.

    None for an error about a branch that was not meant: a mapping's or a list's "not a number".
    """
    spot = Spot((), Kind(schema), root, Kind(schema))
    for part in loc:
        kind = spot.kind
        assert kind is not None
        if kind.discriminator is not None:
            spot.kind = Kind.of(kind.sections_by_selector()[str(part)])
        elif kind.branches:
            form = type(spot.node)
            if form is ScalarNode or not any(_form(branch) is form for branch in kind.branches):
                return spot
            chosen = _branch(kind, str(part))
            if chosen is None or _form(chosen) is not form:
                return None
            spot.kind = chosen
        else:
            spot = _step(spot, kind, part)
    return spot


def _form(kind: Kind) -> type[Node]:
    """What kind of node it is written as."""
    if kind.item is not None:
        return ListNode
    return MappingNode if kind.is_mapping else ScalarNode


def _branch(kind: Kind, label: str) -> Kind | None:
    """The branch of a union that pydantic calls ``label``, if it is a mapping or a list."""
    for branch in kind.branches:
        if branch.item is not None and label.startswith("tuple["):
            return branch
        if branch.value is not None and label.startswith("dict["):
            return branch
        if branch.discriminator is not None and label.startswith("tagged-union["):
            return branch
        if branch.section is not None and branch.section.__name__ == label:
            return branch
    return None


def _step(spot: Spot, kind: Kind, part: int | str) -> Spot:
    key = (*spot.key, part)
    node: Node | None = None
    if isinstance(spot.node, MappingNode):
        node = spot.node.child(str(part))
    elif isinstance(spot.node, ListNode) and isinstance(part, int):
        node = spot.node.items[part]
    if kind.section is not None:
        return Spot(key, Kind.of_field(kind.section, str(part)), node, kind)
    return Spot(key, kind.item or kind.value, node, kind)
