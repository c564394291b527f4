"""A tree of nodes to an ExperimentConfig, or every problem with its place.

Pydantic decides what is wrong; place and words are ours.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bmtrain.config.guesses import Guess, as_meant, guessed
from bmtrain.config.kinds import Kind, one_of
from bmtrain.config.merging import SELECTORS
from bmtrain.config.nodes import (
    KeyPath,
    ListNode,
    MappingNode,
    Node,
    ScalarNode,
    find,
    is_null,
    to_plain,
)
from bmtrain.config.nulls import without_restored
from bmtrain.config.origins import place_of
from bmtrain.config.plugin_tables import NO_PLUGINS, Plugins
from bmtrain.config.schema import schema_with
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.config.source_text import MAX_PROBLEMS, Problem
from bmtrain.config.spots import Spot, located
from bmtrain.config.suggestions import nearest
from bmtrain.config.wording import comma_hint, misplaced_key, plugin_hint, scalar_hint

#: How deep misspelt keys within misspelt keys are followed.
_MAX_GUESSES = 10

#: What a check of a plugin's own section says: "Value error, " and its words.
_SAID_BY_A_CHECK = frozenset({"value_error", "assertion_error"})
_TOO_LARGE = frozenset({"less_than", "less_than_equal"})
_SELECTOR = frozenset({"union_tag_not_found", "union_tag_invalid"})
#: Of a list; pydantic also says so when the items themselves are wrong.
_WRONG_SIZE = frozenset({"too_short", "too_long"})


@dataclass(frozen=True, slots=True)
class _Fault:
    """A problem, and what is meant if that is clear."""

    problem: Problem
    guess: Guess | None = None
    is_missing: bool = False


def validate(
    root: Node, *, is_whole: bool = True, plugins: Plugins = NO_PLUGINS
) -> ExperimentConfig | list[Problem]:
    """The experiment that ``root`` describes, or what is wrong with it (at least one problem).

    Where ``root`` is not whole, what it lacks is not wrong; nothing else may be, either.

    Beside something misspelt, whose meaning is near, the rest is checked as if it were spelt
    right: what would come next is told now, and what only follows from it is not told at all.
    """
    schema = schema_with(plugins)
    told: list[_Fault] = []
    meant_keys: set[KeyPath] = set()
    for remaining in reversed(range(_MAX_GUESSES)):
        checked = _checked(root, schema)
        if isinstance(checked, ExperimentConfig):
            if not told:
                return checked
            break
        # What stands at a key that was guessed may be meant otherwise.
        faults = [f for f in checked if f.guess or f.problem.key not in meant_keys]
        faults = [f for f in faults if is_whole or not f.is_missing]
        guesses = [f.guess for f in faults if f.guess is not None and f.guess.fits(root)]
        if not guesses or not remaining:
            told += faults
            break
        told += [fault for fault in faults if fault.guess in guesses]
        meant_keys |= {guess.meant_key for guess in guesses if guess.is_key}
        root = as_meant(root, guesses)
    problems: dict[tuple[KeyPath, str], Problem] = {}
    for fault in told:
        problems.setdefault((fault.problem.key, fault.problem.message), fault.problem)
    return list(problems.values())


def _checked(root: Node, schema: type[ExperimentConfig]) -> ExperimentConfig | list[_Fault]:
    try:
        restored = without_restored(root, Kind(schema))
        return schema.model_validate(to_plain(restored))
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
    faults: dict[tuple[KeyPath, str], _Fault] = {}
    hidden: set[KeyPath] = set()
    for details in found:  # of a union one for each branch: the same in our words
        if len(faults) < MAX_PROBLEMS:
            if (fault := _fault(root, details, schema)) is not None:
                faults.setdefault((fault.problem.key, fault.problem.message), fault)
        elif (spot := located(root, details["loc"], schema)) is not None:
            hidden.add(spot.key)
    shown = list(faults.values())
    if not (hidden := hidden - {key for key, _ in faults}):
        return shown
    more = f"{len(hidden)} more errors are not shown"
    return [*(_Fault(f.problem) for f in shown), _Fault(Problem(shown[-1].problem.place, more))]


def _fault(root: Node, details: ErrorDetails, schema: type[ExperimentConfig]) -> _Fault | None:
    spot, error_type = located(root, details["loc"], schema), details["type"]
    if spot is None:
        return None
    if error_type in _SAID_BY_A_CHECK:
        return _Fault(
            Problem(place_of(root, spot.key), details["msg"].partition(", ")[2], spot.key)
        )
    if error_type == "extra_forbidden" or spot.kind is None:
        return _unknown_key(root, spot)
    if error_type == "missing":
        return _missing(root, spot.key, spot.kind.expected())
    if error_type in _SELECTOR and isinstance(spot.node, MappingNode):
        return _wrong_selector(root, spot, spot.kind)
    if error_type in _WRONG_SIZE and not _has_wrong_size(spot, spot.kind):
        return None
    all_limits = error_type in _TOO_LARGE
    kind = spot.kind
    is_name = isinstance(spot.node, ScalarNode) and isinstance(spot.node.value, str)
    if isinstance(spot.node, ScalarNode) and not (is_name and spot.node.text.isidentifier()):
        kind = kind.number or kind
    return _unexpected(root, spot, kind.expected(all_limits=all_limits))


def _wrong_selector(root: Node, spot: Spot, kind: Kind) -> _Fault:
    """A mapping whose ``name`` or ``type`` is missing or unknown."""
    assert kind.discriminator is not None
    key = (*spot.key, kind.discriminator)
    expected = one_of(kind.choices)
    _, node = find(root, key)
    if is_null(node):
        return _misspelt_selector(root, spot, kind) or _missing(root, key, expected)
    return _unexpected(root, Spot(key, kind, node, kind), expected)


def _misspelt_selector(root: Node, spot: Spot, kind: Kind) -> _Fault | None:
    """The key that was meant to be the ``name`` or ``type`` of its mapping, if there is one."""
    assert isinstance(spot.node, MappingNode)
    selector = str(kind.discriminator)
    known = {name for s in kind.sections_by_selector().values() for name in s.model_fields}
    for name in spot.node.entries:
        if name not in known and (name in SELECTORS or nearest(name, (selector,))):
            key = (*spot.key, name)
            message = f"unknown key; did you mean '{selector}'?"
            return _Fault(Problem(find(root, key)[0], message, key), Guess(key, selector, True))
    return None


def _has_wrong_size(spot: Spot, kind: Kind) -> bool:
    assert isinstance(spot.node, ListNode)
    least, most = kind.size_limits
    return len(spot.node.items) < least or (most is not None and len(spot.node.items) > most)


def _unknown_key(root: Node, spot: Spot) -> _Fault:
    section = spot.parent.section
    assert section is not None
    name = str(spot.key[-1])
    key_place, _ = find(root, spot.key)
    _, siblings = find(root, spot.key[:-1])
    hint = comma_hint(name, siblings, section) or misplaced_key(name, section, spot.key[:-1])
    guess = guessed(spot.key, name, section.model_fields, is_key=True)
    return _Fault(Problem(key_place, "unknown key" + hint, spot.key), guess)


def _missing(root: Node, key: KeyPath, expected: str) -> _Fault:
    found, node = find(root, key)
    # A null is a key without a value: its place is better than its parent's.
    place = found if node is not None else place_of(root, key)
    return _Fault(Problem(place, f"missing; expected {expected}", key), is_missing=True)


def _unexpected(root: Node, spot: Spot, expected: str) -> _Fault:
    node, kind = spot.node, spot.kind
    assert node is not None
    assert kind is not None
    got = node.shown()
    if isinstance(node, ListNode) and node.items:
        got = f"a list of {len(node.items)}"
    hint = scalar_hint(node, kind)
    written = node.value if isinstance(node, ScalarNode) else None
    of_plugin = ""
    if isinstance(written, str):
        of_plugin = plugin_hint(spot.key, written, kind.choices, hint)
    message = f"expected {expected}, got {got}{hint}{of_plugin}"
    problem = Problem(place_of(root, spot.key), message, spot.key)
    if not isinstance(written, str) or of_plugin:  # what else a plugin's name means nobody knows
        return _Fault(problem)
    return _Fault(problem, guessed(spot.key, written, kind.choices))
