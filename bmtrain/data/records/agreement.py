"""Whether a converted set is what a config asks for."""

from __future__ import annotations

from pathlib import Path

from bmtrain.config.sections.data import DataSection, TokensSection
from bmtrain.data.records.fixed_records import Description
from bmtrain.data.wording.quoting import listed, quoted
from bmtrain.errors import ConfigError


def require_same(section: DataSection, description: Description, directory: Path) -> None:
    """ConfigError where the config wants other columns than were converted, or otherwise."""
    beside, coding = description.beside, description.coding
    tokens = None if coding is None else coding.tokens
    text = coding.texts[0] if coding and tokens else None
    wanted: list[tuple[str | None, str | None, tuple[str, ...]]] = [
        (section.label, beside.label, ("data", "label")),
        (section.sample_weight, beside.weight, ("data", "sample_weight")),
        (section.splits.group, beside.group, ("data", "splits", "group")),
        (section.text, text, ("data", "text")),
    ]
    for name, there, key in wanted:
        if name is not None and name != there:
            is_there = "none" if there is None else quoted(there)
            raise ConfigError(f"{directory.name} was converted with {is_there}", key=key)
    if section.features is not None and section.features != description.columns:
        columns = listed(description.columns or ())
        message = f"{directory.name} was converted with other features: {columns or 'none'}"
        raise ConfigError(message, key=("data", "features"))
    if tokens is not None:
        _require_tokens(section, tokens, str(text), directory)
    else:
        _require_categories(section, description, directory)


def _require_categories(section: DataSection, description: Description, directory: Path) -> None:
    coding = description.coding
    texts = () if coding is None else coding.texts
    if set(section.categorical) != set(texts):
        raise ConfigError(
            f"{directory.name} was converted with {listed(texts) or 'none'}",
            key=("data", "categorical"),
            hint=f"data.categorical: [{', '.join(texts)}]",
        )
    gaps, wanted = coding is not None and coding.gaps, section.missing != "error"
    if gaps != wanted and (gaps or texts):
        was = "mean, median or indicator" if gaps else "error"
        raise ConfigError(f"{directory.name} was converted with {was}", key=("data", "missing"))


def _require_tokens(
    section: DataSection, tokens: TokensSection, text: str, directory: Path
) -> None:
    if section.text is None:
        message = f"{directory.name} was converted with the texts of {quoted(text)}"
        raise ConfigError(message, key=("data",), hint=f"data.text: {text}")
    for name in ("level", "lowercase", "length"):
        there = getattr(tokens, name)
        if getattr(section.tokens, name) != there:
            message = f"{directory.name} was converted with {there}"
            raise ConfigError(message, key=("data", "tokens", name))
