"""The five functions by which a plugin adds to the tables, and what they refuse.

They work while ``bmtrain.plugins.loading`` runs the plugin's file, and hand what is registered to
it: no table of this program is changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from inspect import currentframe
from typing import Any, Final, Literal, get_args

from bmtrain.config.kinds import Kind as Expected
from bmtrain.config.plugin_faults import is_plugin
from bmtrain.config.plugin_records import NAME
from bmtrain.config.plugin_signatures import misfit
from bmtrain.config.plugin_tables import (
    AugmentationEntry,
    Entry,
    FormatEntry,
    Kind,
    LayerEntry,
    LossEntry,
    MetricEntry,
    called,
    kind_of,
)
from bmtrain.config.sections.augmentation import Augmentation
from bmtrain.config.sections.base import Section
from bmtrain.config.sections.data import DataFormat
from bmtrain.config.sections.layers.union import Layer
from bmtrain.config.sections.loss import Loss, LossSection
from bmtrain.config.sections.metrics import Metric, MetricFacts, top_k
from bmtrain.config.short_forms import LOSS_ALIASES, METRIC_ALIASES
from bmtrain.errors import PluginError

#: Reported for every split; how many examples are summed up.
_OF_EVERY_RUN: Final = ("loss", "penalty", "objective", "examples")

BUILT_IN: Final[Mapping[Kind, frozenset[str]]] = {
    "layers": frozenset(Expected.of(Layer).choices),
    "losses": frozenset((*Expected.of(Loss).choices, *LOSS_ALIASES)),
    "metrics": frozenset((*Expected.of(Metric).choices, *METRIC_ALIASES, *_OF_EVERY_RUN)),
    "formats": frozenset(get_args(DataFormat)),
    "augmentations": frozenset(Expected.of(Augmentation).choices),
}

#: What each function is called with.
_TAKES: Final[Mapping[str, tuple[str, ...]]] = {
    "planner": ("config", "given"),
    "builder": ("config", "seed", "place"),
    "in_training": ("layer", "inputs", "seed", "place", "step"),
    "loss builder": ("config",),
    "per_example": ("labels", "outputs"),
    "finish": ("mean",),
    "of_split": ("labels", "outputs"),
    "reader": ("path",),
    "features": ("config", "features", "draws"),
    "inputs": ("config", "features", "draws"),
}

#: An entry, and the line of the plugin that registers it.
Registered = tuple[Entry, int]

_collected: ContextVar[list[Registered] | None] = ContextVar("collected", default=None)


@contextmanager
def collecting() -> Iterator[list[Registered]]:
    """Inside, what is registered comes into the list."""
    entries: list[Registered] = []
    token = _collected.set(entries)
    try:
        yield entries
    finally:
        _collected.reset(token)


def register_layer(
    section: type[Section],
    *,
    planner: Callable[..., Any],
    builder: Callable[..., Any],
    in_training: Callable[..., Any] | None = None,
) -> None:
    """Add a layer; its name is the ``type: Literal["…"]`` of its section.

    Args:
        section: its options, with ranges and descriptions: a subclass of ``plugins.Section``.
        planner: (config, given) -> PlannedLayer: what follows from the shape that it gets,
            without Keras; ``plugins.planned`` makes one. ``DataError`` where nothing can follow.
        builder: (config, seed, place) -> keras.layers.Layer, not yet called. Its variables have
            the planned shapes, in the planned order, and every initial value follows from the
            seed: see ``plugins.initializer``.
        in_training: (layer, inputs, seed, place, step) -> outputs: what is computed in training
            steps instead of ``layer(inputs, training=True)``. What is random is drawn there, from
            (seed, place, step): a generator in the layer would go on otherwise after a resume.

    Raises:
        PluginError: the name is taken, or one of these is not what is expected.
    """
    name = _name_in(section, "type", Section)
    _require_callable(planner=planner, builder=builder)
    if in_training is not None:
        _require_callable(in_training=in_training)
    _add(
        LayerEntry(
            name=name, section=section, planner=planner, builder=builder, in_training=in_training
        )
    )


def register_loss(section: type[LossSection], *, builder: Callable[..., Any]) -> None:
    """Add a loss; its name is the ``name: Literal["…"]`` of its section.

    Args:
        section: its options: a subclass of ``plugins.LossSection``. With the class variable
            ``is_crossentropy = True`` it is one of classification: its model's outputs are
            probabilities, or logits where the section has ``from_logits`` and it is true.
        builder: (config) -> (targets, outputs) -> losses (batch,) float32, whose mean is the
            figure, in TensorFlow or ``keras.ops``. Targets are one-hot (batch, classes), or
            (batch, outputs) of a regression.

    Raises:
        PluginError: as ``register_layer``.
    """
    name = _name_in(section, "name", LossSection)
    _require_callable(**{"loss builder": builder})
    _add(LossEntry(name=name, section=section, builder=builder))


def register_metric(  # noqa: PLR0913  # by name
    name: str,
    *,
    of: Literal["classes", "numbers"],
    more_is_better: bool,
    per_example: Callable[..., Any] | None = None,
    finish: Callable[[float], float] = float,
    of_split: Callable[..., Any] | None = None,
    least: float = 0.0,
    most: float = float("inf"),
) -> None:
    """Add a metric: by ``per_example`` a mean over examples, or by ``of_split`` of a whole split.

    Args:
        name: small letters, digits and ``_``.
        of: of classification, or of regression.
        more_is_better: what early stopping and ``compare`` take for better.
        per_example: (labels, outputs) -> (batch,) float32, in TensorFlow or ``keras.ops``; labels
            are int32 classes (batch,) or float32 targets (batch, outputs), outputs the model's.
        finish: (mean) -> figure: the root of a mean square, say.
        of_split: (labels, outputs) -> figure, in NumPy; outputs are float64 probabilities
            (examples, classes), also where the model gives logits, or (examples, outputs).
        least: that it can be; ``most`` as well: an expectation beyond is told before training.

    Raises:
        PluginError: as ``register_layer``.
    """
    if of not in ("classes", "numbers"):
        raise PluginError(f"of: expected 'classes' or 'numbers', got {of!r}")
    _require_one(per_example=per_example, of_split=of_split)
    _require_callable(finish=finish)
    facts = MetricFacts(
        of_classes=of == "classes",
        is_mean=per_example is not None,
        more_is_better=bool(more_is_better),
        least=float(least),
        most=float(most),
    )
    _add(
        MetricEntry(
            name=name, facts=facts, per_example=per_example, finish=finish, of_split=of_split
        )
    )


def register_format(
    name: str, *, reader: Callable[..., Any], suffixes: tuple[str, ...] = ()
) -> None:
    """Add a data format: a file of some kind as named arrays, which are those of an ``.npz`` file.

    Args:
        name: what ``data.format`` and ``--format`` take.
        reader: (path) -> mapping of names to NumPy arrays: x_train and y_train, perhaps
            x_validation, y_validation, x_test, y_test, and what ``data.sample_weight`` and
            ``data.splits.group`` name; for ``predict`` and ``eval --data`` x, and y. All that
            follows is that of arrays. ``DataError`` where the file is not what it should be.
        suffixes: of files that are of this format where none is said, ``.mat`` say.

    Raises:
        PluginError: as ``register_layer``.
    """
    from bmtrain.data.formats import DATA_SUFFIXES

    _require_callable(reader=reader)
    for suffix in suffixes:
        if not (re.fullmatch(r"\.[a-z0-9]+", str(suffix))):
            raise PluginError(f"suffixes: expected endings such as '.mat', got {suffix!r}")
        if suffix in DATA_SUFFIXES:
            raise PluginError(f"suffixes: {suffix!r} is that of a built-in format")
    _add(FormatEntry(name=name, reader=reader, suffixes=tuple(suffixes)))


def register_augmentation(
    section: type[Section],
    *,
    of: Literal["pictures", "texts", "numbers"],
    features: Callable[..., Any] | None = None,
    inputs: Callable[..., Any] | None = None,
) -> None:
    """Add an augmentation; its name is the ``type: Literal["…"]`` of its section.

    Args:
        section: its options: a subclass of ``plugins.Section``.
        of: what examples it is for; ``numbers``: whatever is no text.
        features: (config, features, draws) -> features: before they are scaled, in TensorFlow,
            (batch, …) of the data's dtype. The shape stays.
        inputs: the same after they are scaled, float32. One of both is given.
            What is random comes from ``draws``: uniform(per_example), between(low, high),
            normal(shape), each a pure function of (seed, epoch, example).

    Raises:
        PluginError: as ``register_layer``.
    """
    name = _name_in(section, "type", Section)
    if of not in ("pictures", "texts", "numbers"):
        raise PluginError(f"of: expected 'pictures', 'texts' or 'numbers', got {of!r}")
    _require_one(features=features, inputs=inputs)
    _add(AugmentationEntry(name=name, section=section, of=of, features=features, inputs=inputs))


def _add(entry: Entry) -> None:
    entries = _collected.get()
    if entries is None:
        raise PluginError("a plugin registers while --plugin loads it, at the top of its file")
    if not (NAME.fullmatch(str(entry.name))):
        raise PluginError(
            f"expected a name of small letters, digits and '_', 64 at most, got {entry.name!r}"
        )
    is_top_k = isinstance(entry, MetricEntry) and top_k(entry.name) is not None
    if entry.name in BUILT_IN[kind_of(entry)] or is_top_k:
        raise PluginError(
            f"{called(entry)} is built in, and a plugin changes nothing that is: choose another "
            "name"
        )
    if any(type(other) is type(entry) and other.name == entry.name for other, _ in entries):
        raise PluginError(f"{called(entry)} is registered twice in this file")
    entries.append((entry, _line_of_plugin()))


def _line_of_plugin() -> int:
    frame = currentframe()
    while frame is not None and not is_plugin(frame):
        frame = frame.f_back
    return 0 if frame is None else frame.f_lineno


def _name_in(section: Any, selector: str, base: type[Section]) -> str:
    """The name that a section class has by its ``type`` or ``name``."""
    if not (isinstance(section, type) and issubclass(section, base)):
        raise PluginError(f"expected a subclass of plugins.{base.__name__}, got {section!r:.100}")
    section.model_rebuild()
    section.model_json_schema()  # what has none is told here
    expected = Expected.of_field(section, selector)
    choices = () if expected is None else expected.choices
    if len(choices) != 1:
        raise PluginError(
            f'{section.__name__}: expected the key {selector}: Literal["its_name"], with one name'
        )
    return choices[0]


def _require_callable(**functions: Any) -> None:
    for name, function in functions.items():
        if not callable(function):
            raise PluginError(f"{name}: expected a function, got {function!r:.100}")
        if (told := misfit(function, _TAKES[name])) is not None:
            raise PluginError(f"{name} {told}")


def _require_one(**functions: Any) -> None:
    given = {name: function for name, function in functions.items() if function is not None}
    if len(given) != 1:
        raise PluginError(f"expected one of {' and '.join(functions)}, got {len(given)} of them")
    _require_callable(**given)
