"""A tree of nodes to an ExperimentConfig, or every problem with its place.

Pydantic decides what is wrong; place and words are ours.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError

from bmtrain.config.kinds import Kind
from bmtrain.config.nodes import (
    KeyPath,
    ListNode,
    MappingNode,
    Node,
    find,
    is_null,
    to_plain,
)
from bmtrain.config.origins import place_of
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.config.source_text import Problem
from bmtrain.config.wording import misplaced_key, scalar_hint

#: Where more is wrong, the rest is only counted.
MAX_PROBLEMS = 100

_TOO_LARGE = frozenset({"less_than", "less_than_equal"})
_SELECTOR = frozenset({"union_tag_not_found", "union_tag_invalid"})
#: Of a list; pydantic also says so when the items themselves are wrong.
_WRONG_SIZE = frozenset({"too_short", "too_long"})


def validate(root: Node) -> ExperimentConfig | list[Problem]:
    """The experiment that ``root`` describes, or what is wrong with it (at least one problem)."""
    try:
        return ExperimentConfig.model_validate(to_plain(root))
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
    problems: dict[tuple[KeyPath, str], Problem] = {}
    for details in found[:MAX_PROBLEMS]:
        problem = _problem(root, details["type"], details["loc"])
        if problem is not None:
            problems.setdefault((problem.key, problem.message), problem)
    if len(found) > MAX_PROBLEMS:
        more = f"{len(found) - MAX_PROBLEMS} more errors are not shown"
        problems[(), more] = Problem(list(problems.values())[-1].place, more)
    return list(problems.values())


@dataclass(slots=True)
class _Spot:
    """A place in the config: its key, what the schema expects there, and what stands there."""

    key: KeyPath
    kind: Kind | None  # None: the schema has no such key
    node: Node | None
    parent: Kind


def _problem(root: Node, error_type: str, loc: tuple[int | str, ...]) -> Problem | None:
    spot = _locate(root, loc)
    if spot is None:
        return None
    if error_type == "extra_forbidden" or spot.kind is None:
        return _unknown_key(root, spot)
    if error_type == "missing":
        return _missing(root, spot.key, spot.kind.expected())
    if error_type in _SELECTOR and isinstance(spot.node, MappingNode):
        return _wrong_selector(root, spot, spot.kind)
    if error_type in _WRONG_SIZE and not _has_wrong_size(spot, spot.kind):
        return None
    return _unexpected(root, spot, spot.kind.expected(all_limits=error_type in _TOO_LARGE))


def _wrong_selector(root: Node, spot: _Spot, kind: Kind) -> Problem:
    """A mapping whose ``name`` or ``type`` is missing or unknown."""
    assert kind.discriminator is not None
    key = (*spot.key, kind.discriminator)
    expected = f"one of {', '.join(kind.choices)}"
    _, node = find(root, key)
    if is_null(node):
        return _missing(root, key, expected)
    return _unexpected(root, _Spot(key, kind, node, kind), expected)


def _has_wrong_size(spot: _Spot, kind: Kind) -> bool:
    assert isinstance(spot.node, ListNode)
    least, most = kind.size_limits
    return len(spot.node.items) < least or (most is not None and len(spot.node.items) > most)


def _locate(root: Node, loc: tuple[int | str, ...]) -> _Spot | None:
    """Follow pydantic's location, which names the branch taken at each union besides the keys.

    None for an error about a branch that was not meant: a mapping's "not a number".
    """
    spot = _Spot((), Kind(ExperimentConfig), root, Kind(ExperimentConfig))
    for part in loc:
        kind = spot.kind
        assert kind is not None
        if kind.discriminator is not None:
            spot.kind = Kind.of(kind.sections_by_selector()[str(part)])
        elif kind.branches:
            chosen = _branch(kind, str(part))
            if isinstance(spot.node, MappingNode) != (chosen is not None):
                return None if isinstance(spot.node, MappingNode) else spot
            if chosen is None:
                return spot
            spot.kind = chosen
        else:
            spot = _step(spot, kind, part)
    return spot


def _branch(kind: Kind, label: str) -> Kind | None:
    """The branch of a union that pydantic calls ``label``, if it is a section."""
    for branch in kind.branches:
        if branch.section is not None and branch.section.__name__ == label:
            return branch
    return None


def _step(spot: _Spot, kind: Kind, part: int | str) -> _Spot:
    key = (*spot.key, part)
    node: Node | None = None
    if isinstance(spot.node, MappingNode):
        node = spot.node.child(str(part))
    elif isinstance(spot.node, ListNode) and isinstance(part, int):
        node = spot.node.items[part]
    if kind.section is not None:
        return _Spot(key, Kind.of_field(kind.section, str(part)), node, kind)
    return _Spot(key, kind.item, node, kind)


def _unknown_key(root: Node, spot: _Spot) -> Problem:
    section = spot.parent.section
    assert section is not None
    key_place, _ = find(root, spot.key)
    message = "unknown key" + misplaced_key(str(spot.key[-1]), section, spot.key[:-1])
    return Problem(key_place, message, spot.key)


def _missing(root: Node, key: KeyPath, expected: str) -> Problem:
    place, node = find(root, key)
    # A null is a key without a value: its place is better than its parent's.
    return Problem(
        place if node is not None else place_of(root, key), f"missing; expected {expected}", key
    )


def _unexpected(root: Node, spot: _Spot, expected: str) -> Problem:
    node, kind = spot.node, spot.kind
    assert node is not None
    assert kind is not None
    got = node.shown()
    if isinstance(node, ListNode) and node.items:
        got = f"a list of {len(node.items)}"
    hint = scalar_hint(node, kind)
    return Problem(place_of(root, spot.key), f"expected {expected}, got {got}{hint}", spot.key)
