"""``KEY=VALUE``, ``KEY>=VALUE`` …: which of the runs are meant."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bmtrain.config.expectations import SPLITS
from bmtrain.config.short_forms import METRIC_ALIASES
from bmtrain.config.suggestions import did_you_mean, listed_or, nearest
from bmtrain.config.yaml_scalars import OutOfRange, resolve_plain
from bmtrain.errors import UsageError

_FORM = re.compile(r"\s*([A-Za-z0-9_.-]+?)\s*(<=|>=|!=|==|=|<|>)(.*)", re.ASCII | re.DOTALL)
_ORDERS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """What a run must be like.

    ``=`` of a list holds where the value is in it. What a run does not have equals nothing,
    and neither does it come before or after anything.
    """

    key: str
    operator: str
    text: str
    value: Any

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """Whether a run with these facts is meant."""
        if self.operator in _ORDERS:
            return self._is_ordered(facts.get(self.key))
        is_equal = self.key in facts and self._equals(facts[self.key])
        return is_equal == (self.operator == "=")

    def _is_ordered(self, actual: Any) -> bool:
        if _is_number(actual) and _is_number(self.value):
            return _ORDERS[self.operator](actual, self.value)
        # A time is a text whose order is that of time.
        return isinstance(actual, str) and _ORDERS[self.operator](actual, self.text)

    def _equals(self, actual: Any) -> bool:
        if isinstance(actual, list):
            return any(self._equals(item) for item in actual)
        if _is_number(actual) and _is_number(self.value):
            return bool(actual == self.value)
        same = type(actual) is type(self.value) and actual == self.value
        return same or (isinstance(actual, str) and actual == self.text)


def parse_condition(text: str) -> Condition:
    """Read one condition.

    Raises:
        UsageError: not of that form.
    """
    found = _FORM.fullmatch(text)
    if found is None or not found[3].strip():
        shown = text if len(text) <= 60 else f"{text[:59]}…"
        raise UsageError(
            f"expected KEY=VALUE, or with !=, <, <=, > or >=, got {shown!r}",
            where="--where",
            hint="for example --where 'optimizer.learning_rate>=0.01'",
        )
    raw = found[3].strip()
    try:
        value = resolve_plain(raw)
    except OutOfRange:
        value = raw
    return Condition(whole_name(found[1]), found[2].replace("==", "="), raw, value)


def whole_name(key: str) -> str:
    """``test.acc`` is ``test.accuracy``."""
    split, _, metric = key.partition(".")
    return f"{split}.{METRIC_ALIASES.get(metric, metric)}" if split in SPLITS else key


def require_known(key: str, known: Iterable[str], option: str) -> None:
    """The key is one of those that are known.

    Raises:
        UsageError: it is not; the nearest are named.
    """
    names = sorted(set(known))
    if key not in names:
        hint = did_you_mean(key, names) or _by_last_part(key, names)
        raise UsageError(f"no run here has '{key[:100]}'{hint}", where=option)


def _by_last_part(key: str, names: list[str]) -> str:
    """``lr`` means ``optimizer.learning_rate``."""
    last = key.rpartition(".")[2]
    lasts = {name.rpartition(".")[2] for name in names}
    wanted = {last, *nearest(last, sorted(lasts))}
    found = [name for name in names if name.rpartition(".")[2] in wanted]
    return f"; did you mean {listed_or(found)}?" if 0 < len(found) <= len(SPLITS) + 1 else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
