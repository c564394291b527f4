"""What the schema expects at a place, in words: read off the sections' annotations.

Every message says what was expected from here, whatever check failed, so that no
wording of pydantic's reaches the screen and no limit is written down twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic.fields import FieldInfo

from bmtrain.config.durations import DURATION
from bmtrain.config.sections.base import Section
from bmtrain.config.sections.data import FOLD, TABLE_PATH
from bmtrain.config.sections.metrics import TOP_K

#: An upper limit above this is technical: it is mentioned only when exceeded.
MAX_TELLING_LIMIT = 10_000

#: Texts with a form of their own; the schema knows it as a regular expression.
_FORMS = {
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$": "1 to 64 letters, digits, '.', '_' or '-', "
    "the first a letter or digit",
    TABLE_PATH: "the path of a table (./more.csv)",
    DURATION: "a duration such as '500 steps', '2 epochs' or '10%'",
    FOLD: "k/K, a fold from 1 to K of at least 2, 2/5 for example",
    TOP_K: "top_K_accuracy ({name: top_k_categorical_accuracy, k: K}) with a K >= 2",
    r"^(train|validation)\.[a-z0-9_]+$": "train.METRIC or validation.METRIC, "
    "for example validation.loss",
}


#: More names than this nobody reads in a message.
_MAX_CHOICES = 20


def one_of(choices: Sequence[str]) -> str:
    """The names to choose from, in words."""
    if len(choices) <= _MAX_CHOICES:
        return f"one of {', '.join(choices)}"
    return f"one of {', '.join(choices[:3])}, … ({len(choices)}; bmtrain schema lists them)"


@dataclass(frozen=True, slots=True)
class Kind:
    """An annotation of the schema with the limits around it, ``None`` (the default) left out."""

    annotation: Any
    metadata: tuple[Any, ...] = ()
    discriminator: str | None = None

    @classmethod
    def of(cls, annotation: Any, metadata: tuple[Any, ...] = ()) -> Kind:
        """Unpacks ``Annotated[…]``, ``… | None`` and pydantic's ``Field(…)``."""
        discriminator = None
        while True:
            for item in metadata:
                if isinstance(item, FieldInfo):
                    metadata = tuple(m for m in metadata if m is not item) + tuple(item.metadata)
                    discriminator = discriminator or _text(item.discriminator)
            if get_origin(annotation) is Annotated:
                annotation, *more = get_args(annotation)
                metadata = (*metadata, *more)
                continue
            branches = [arg for arg in _branches(annotation) if arg is not NoneType]
            if len(branches) == 1 and branches[0] is not annotation:
                annotation = branches[0]
                continue
            return cls(annotation, metadata, discriminator)

    @classmethod
    def of_field(cls, section: type[Section], name: str) -> Kind | None:
        """The kind of a section's key, or None if it has no such key."""
        info = section.model_fields.get(name)
        if info is None:
            return None
        kind = cls.of(info.annotation, tuple(info.metadata))
        found = kind.discriminator or _text(info.discriminator)
        return cls(kind.annotation, kind.metadata, found)

    @property
    def section(self) -> type[Section] | None:
        """The section class, where one is expected."""
        is_class = isinstance(self.annotation, type)
        return self.annotation if is_class and issubclass(self.annotation, Section) else None

    @property
    def branches(self) -> tuple[Kind, ...]:
        """The alternatives of a union; () if it is none."""
        args = [arg for arg in _branches(self.annotation) if arg is not NoneType]
        return tuple(Kind.of(arg) for arg in args) if len(args) > 1 else ()

    @property
    def item(self) -> Kind | None:
        """The kind of a list's items, where a list is expected."""
        if get_origin(self.annotation) is not tuple:
            return None
        return Kind.of(get_args(self.annotation)[0])

    @property
    def value(self) -> Kind | None:
        """The kind of a mapping's values, where one of names that users choose is expected."""
        if get_origin(self.annotation) is not dict:
            return None
        return Kind.of(get_args(self.annotation)[1])

    @property
    def is_mapping(self) -> bool:
        """Whether a mapping is expected, whichever."""
        return bool(self.section or self.value or self.discriminator)

    @property
    def number(self) -> Kind | None:
        """Of a number beside sections to choose from, what is expected of one; None for all else."""
        if not any(branch.discriminator is not None for branch in self.branches):
            return None
        return next((b for b in self.branches if b.annotation in (int, float)), None)

    @property
    def choices(self) -> tuple[str, ...]:
        """The names to choose from: a literal's, or what selects a union's section."""
        if get_origin(self.annotation) is Literal:
            return tuple(str(value) for value in get_args(self.annotation))
        if self.discriminator is None:
            # A name may stand alone, or in a mapping with options.
            return tuple(dict.fromkeys(n for branch in self.branches for n in branch.choices))
        return tuple(self.sections_by_selector())

    def sections_by_selector(self) -> dict[str, type[Section]]:
        """For a union with a discriminator: its value → the section it selects."""
        found = {}
        for branch in self.branches:
            section = branch.section
            assert section is not None
            selector = Kind.of_field(section, str(self.discriminator))
            assert selector is not None
            found.update(dict.fromkeys(selector.choices, section))
        return found

    def expected(self, *, all_limits: bool = False) -> str:
        """A phrase for "expected …".

        Args:
            all_limits: mention upper limits that are there for technical reasons too.
        """
        if self.discriminator is not None:
            return f"a mapping with '{self.discriminator}': {one_of(self.choices)}"
        if self.branches:
            named, *others = self.branches
            if named.choices and len(others) == 1 and others[0].discriminator is not None:
                selector = others[0].discriminator
                return f"{one_of(named.choices)}, or a mapping with '{selector}' and its options"
            return ", or ".join(branch.expected(all_limits=all_limits) for branch in self.branches)
        if self.section is not None:
            return f"a mapping with {_keys(self.section)}"
        if self.item is not None:
            return self._list(self.item)
        if self.value is not None:
            return f"a mapping of names to {_plural(self.value)}"
        if get_origin(self.annotation) is Literal:
            quoted = self.choices
            return quoted[0] if len(quoted) == 1 else one_of(quoted)
        return self._scalar(all_limits)

    def _scalar(self, all_limits: bool) -> str:
        noun = {int: "an integer", float: "a number", bool: "true or false", str: "a text"}
        if self.annotation in (int, float):
            return noun[self.annotation] + self._limits(all_limits)
        form = next((_FORMS[p] for p in map(_pattern, self.metadata) if p in _FORMS), None)
        least, most = self.size_limits
        if self.annotation is str and most is not None and form is None:
            return f"a text of {least} to {most} characters"
        return form or noun.get(self.annotation, "another value")

    def _limits(self, all_limits: bool) -> str:
        words = []
        for item in self.metadata:
            if isinstance(item, Ge):
                words.append(f" >= {item.ge}")
            elif isinstance(item, Gt):
                words.append(f" > {item.gt}")
            elif isinstance(item, Le) and (all_limits or _is_telling(item.le)):
                words.append(f" <= {item.le}")
            elif isinstance(item, Lt) and (all_limits or _is_telling(item.lt)):
                words.append(f" < {item.lt}")
        return " and".join(words)

    @property
    def size_limits(self) -> tuple[int, int | None]:
        """The fewest and the most items of a list or characters of a text; None: no limit."""
        least = next((item.min_length for item in self.metadata if isinstance(item, MinLen)), 0)
        most = next((item.max_length for item in self.metadata if isinstance(item, MaxLen)), None)
        return least, most

    def _list(self, item: Kind) -> str:
        least, most = self.size_limits
        if least == most:
            return f"a list of {least} {_plural(item)}"
        if most is not None:
            return f"a list of {least} to {most} {_plural(item)}"
        return f"a {'non-empty ' if least else ''}list of {_plural(item)}"


def _branches(annotation: Any) -> tuple[Any, ...]:
    is_union = get_origin(annotation) in (Union, UnionType)
    return get_args(annotation) if is_union else (annotation,)


def _text(discriminator: object) -> str | None:
    return discriminator if isinstance(discriminator, str) else None


def _pattern(metadata: object) -> str | None:
    return _text(getattr(metadata, "pattern", None))


def _is_telling(limit: object) -> bool:
    return isinstance(limit, int | float) and limit <= MAX_TELLING_LIMIT


def _keys(section: type[Section]) -> str:
    """``'epochs' (optional: 'batch_size', …)``, or ``any of …`` where none is required."""
    fields = section.model_fields.items()
    required = ", ".join(f"'{name}'" for name, info in fields if info.is_required())
    optional = ", ".join(f"'{name}'" for name, info in fields if not info.is_required())
    if not required:
        return f"any of {optional}"
    return f"{required} (optional: {optional})" if optional else required


def _plural(item: Kind) -> str:
    if item.discriminator is not None or item.section is not None:
        return "mappings"
    words = item.expected()
    if item.choices:
        return f"items, each {words}"
    for singular, plural in (("an integer", "integers"), ("a number", "numbers")):
        words = words.replace(singular, plural)
    return "texts" if words == "a text" else words
