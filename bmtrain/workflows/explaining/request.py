"""What is to be explained, on which examples, by which methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from bmtrain.config.plugin_tables import NO_PLUGINS, Plugins
from bmtrain.errors import UsageError
from bmtrain.explanations.parts import Kind

Method = Literal["integrated_gradients", "occlusion", "permutation", "weights"]

#: What suits examples of each kind.
SUITED: Final[dict[Kind, tuple[Method, ...]]] = {
    "picture": ("integrated_gradients", "occlusion", "weights"),
    "text": ("integrated_gradients", "occlusion"),
    "table": ("integrated_gradients", "occlusion", "permutation", "weights"),
    "array": ("integrated_gradients",),
}
_WHY_NOT: Final[dict[str, str]] = {
    "permutation": "it deals out the columns of a table anew",
    "weights": "it shows the weights of a first layer that sees pixels or columns",
    "occlusion": "it takes patches, tokens or columns away",
}
NUM_EXAMPLES: Final = 5
MAX_EXAMPLES: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainRequest:
    """Which checkpoint, on which examples of which split or data, how, and where to.

    Attributes:
        examples: their numbers, from 0; None: the first five, or the ``worst``.
        worst: so many examples that the model is most wrong about.
        target: the class or target that is explained, by name or number; None: of classes the
            one that is predicted, of several targets the first.
        methods: none: what suits the data.
        repeats: permutations of each column.
        plugins: what was named; their layers, losses and metrics are known.
        output: the directory; None: ``explanations`` in the run, or here beside the name.
    """

    checkpoint: Path
    split: str | None = None
    data: Path | None = None
    format: str = "auto"
    ignore_unknown_columns: bool = False
    examples: tuple[int, ...] | None = None
    worst: int | None = None
    target: str | None = None
    methods: tuple[Method, ...] = ()
    repeats: int = 10
    output: Path | None = None
    force: bool = False
    plugins: Plugins = NO_PLUGINS

    @property
    def needs_labels(self) -> bool:
        """Whether other data than the model's own must have labels."""
        return self.worst is not None or "permutation" in self.methods

    def check(self) -> None:
        """UsageError where options contradict each other."""
        if self.data is not None and self.split is not None:
            raise UsageError("--split is of the model's own data: give either --split or --data")
        if self.ignore_unknown_columns and self.data is None:
            raise UsageError("--ignore-unknown-columns is about --data")
        if self.examples is not None and self.worst is not None:
            raise UsageError("give either --examples or --worst")
        number = len(self.examples or ()) or self.worst or 0
        if number > MAX_EXAMPLES:
            raise UsageError(f"at most {MAX_EXAMPLES} examples are explained at once, got {number}")


def chosen_methods(request: ExplainRequest, kind: Kind) -> tuple[Method, ...]:
    """Those that are asked for, in the order of ``Method``, or those that suit the data.

    Raises:
        UsageError: one of them does not suit it.
    """
    suited = SUITED[kind]
    if not request.methods:
        has_labels = request.data is None or request.needs_labels
        return tuple(method for method in suited if method != "permutation" or has_labels)
    return suited_methods(request.methods, kind, suited)


def suited_methods(
    asked: Sequence[str], kind: Kind, suited: Sequence[Method], name: str = "--method "
) -> tuple[Method, ...]:
    """Those that are asked for, in the order of ``Method``.

    Args:
        suited: the ones that there are for examples of this kind.
        name: what the caller calls them.

    Raises:
        UsageError: one of them is none of these.
    """
    for method in asked:
        if method not in suited:
            why = _WHY_NOT.get(method)
            does_not = f" does not suit {_words(kind)}: {why}" if why else " is not known here"
            raise UsageError(f"{name}{method}{does_not}", hint=f"what does: {', '.join(suited)}")
    return tuple(method for method in get_args(Method) if method in asked)


def numbers_in(text: str) -> tuple[int, ...]:
    """``0,5,17`` as numbers, each once.

    Raises:
        UsageError: that is no list of whole numbers from 0 on.
    """
    parts: Sequence[str] = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) <= 12 for part in parts):
        raise UsageError(
            f"--examples: expected the numbers of examples, counted from 0, got '{text}'",
            hint="as in --examples 0,5,17",
        )
    return tuple(dict.fromkeys(map(int, parts)))


def _words(kind: Kind) -> str:
    return {"picture": "pictures", "text": "texts", "table": "tables", "array": "these arrays"}[
        kind
    ]
