"""Which column of a table is what, as the config says: label, weight, group, features."""

from __future__ import annotations

from collections.abc import Mapping

from bmtrain.config.sections.data import DataSection
from bmtrain.data.raw.columns import Column
from bmtrain.data.wording.near_names import did_you_mean
from bmtrain.data.wording.quoting import listed, quoted
from bmtrain.errors import ConfigError, DataError

_Key = tuple[str | int, ...]


def config_keys(section: DataSection, label: str) -> dict[str, _Key]:
    """The columns that are no features, and where the config names each."""
    keys: dict[str, _Key] = {label: ("data", "label")}
    if section.sample_weight is not None:
        keys.setdefault(section.sample_weight, ("data", "sample_weight"))
    if section.splits.group is not None:
        keys.setdefault(section.splits.group, ("data", "splits", "group"))
    return keys


def column_roles(section: DataSection, label: str) -> dict[str, str]:
    """The columns that are no features, and what they are; ConfigError where one is two things."""
    roles = {label: "the label"}
    asked: list[tuple[str | None, str, _Key]] = [
        (section.sample_weight, "the weight of the examples", ("data", "sample_weight")),
        (section.splits.group, "the group of the examples", ("data", "splits", "group")),
    ]
    for name, role, key in asked:
        if name is None:
            continue
        if name in roles:
            raise ConfigError(f"{quoted(name)} is {roles[name]}", key=key)
        roles[name] = role
    if section.text in roles:
        raise ConfigError(f"{quoted(section.text)} is {roles[section.text]}", key=("data", "text"))
    return roles


def require_sound(features: tuple[str, ...], roles: Mapping[str, str]) -> None:
    """DataError or ConfigError where there is no feature, or one has a role or is listed twice."""
    if not features:
        others = " and ".join(roles.values())
        raise DataError(f"the table has no column beside {others}", key=("data", "label"))
    seen = set()
    for index, name in enumerate(features):
        if name in roles:
            message = f"{quoted(name)} is {roles[name]}"
            raise ConfigError(message, key=("data", "features", index))
        if name in seen:
            raise ConfigError(f"{quoted(name)} is listed twice", key=("data", "features", index))
        seen.add(name)


def feature_columns(
    names: tuple[str, ...], section: DataSection, roles: Mapping[str, str]
) -> tuple[Column, ...]:
    """How each feature column is read; ConfigError where the section names another as one."""
    for index, name in enumerate(section.categorical):
        if name in roles:
            raise ConfigError(
                f"{quoted(name)} is {roles[name]}, no feature: leave it out here",
                key=("data", "categorical", index),
            )
        if name not in names:
            raise ConfigError(
                f"{quoted(name)} is no feature; the features are: {listed(names)}",
                key=("data", "categorical", index),
                hint=did_you_mean(name, names),
            )
    if section.text is not None:
        return (Column(section.text, "texts", is_feature=False),)
    may_be_missing = section.missing != "error"
    return tuple(
        Column(name, "texts" if name in section.categorical else "numbers", may_be_missing)
        for name in names
    )
