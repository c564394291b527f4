"""The config's JSON Schema (draft 2020-12), for editors."""

from __future__ import annotations

from typing import Any

from bmtrain.config.plugin_tables import NO_PLUGINS, Plugins
from bmtrain.config.schema import schema_with
from bmtrain.config.short_forms import LOSS_ALIASES, METRIC_ALIASES

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_EXTENDS = {
    "type": "string",
    "description": "A file, relative to this one, whose settings stand unless given here.",
}
_NO_FILE = {"type": "null", "description": "No other file; or the path of one, relative to this."}
#: What is written out as ``top_3_accuracy``.
_TOP_K = {
    "type": "object",
    "description": "Keras's top-k accuracy; the same as the name top_3_accuracy.",
    "properties": {
        "name": {
            "enum": ["top_k_categorical_accuracy", "sparse_top_k_categorical_accuracy"],
            "description": "Keras's name; one of them is as good as the other.",
        },
        "k": {
            "type": "integer",
            "minimum": 2,
            "maximum": 999_999,
            "default": 5,
            "description": "Right is an example whose label is among the k largest outputs.",
        },
    },
    "required": ["name"],
    "additionalProperties": False,
}
#: Of a plugin's section that has no docstring.
_UNDESCRIBED = "Of a plugin, which does not say what it is."
#: Suffix of the definitions that describe a part of a config.
_PART = "Part"


def json_schema(plugins: Plugins = NO_PLUGINS) -> dict[str, Any]:
    """The schema of a config file, short forms and what plugins add included.

    A file that extends another need not be whole; null restores a default.
    """
    schema = schema_with(plugins).model_json_schema()
    definitions = schema.pop("$defs")
    _allow_short_forms(schema, definitions)
    for section in (schema, *definitions.values()):
        _describe_selector(section)
        _allow_null(section)
    title = schema.pop("title")
    description = schema.pop("description")
    partial = {f"{name}{_PART}": _partial(section) for name, section in definitions.items()}
    whole = {**schema, "properties": {**schema["properties"], "extends": _NO_FILE}}
    part = _partial(schema)
    part["properties"]["extends"] = _EXTENDS
    return {
        "$schema": _DIALECT,
        "title": title,
        "description": description,
        "type": "object",
        "if": {"required": ["extends"], "properties": {"extends": {"type": "string"}}},
        "then": part,
        "else": whole,
        "$defs": definitions | partial,
    }


def _allow_short_forms(schema: dict[str, Any], definitions: dict[str, Any]) -> None:
    properties = schema["properties"]
    properties["optimizer"] = _or_name(properties["optimizer"], definitions, aliases={})
    properties["loss"] = _or_name(properties["loss"], definitions, aliases=LOSS_ALIASES)
    for alias, loss in LOSS_ALIASES.items():
        name = _selected(properties["loss"]["anyOf"][1], loss, definitions)["properties"]["name"]
        name.setdefault("enum", [name.pop("const", loss)]).append(alias)
    metric = properties["metrics"]["items"]["anyOf"]
    metric[0]["enum"] += list(METRIC_ALIASES)
    metric.append(_TOP_K)
    mlflow = definitions["TrackSection"]["properties"]["mlflow"]
    mlflow["anyOf"] = [{"type": "string", "minLength": 1}, {"type": "boolean"}, *mlflow["anyOf"]]


def _or_name(
    union: dict[str, Any], definitions: dict[str, Any], *, aliases: dict[str, str]
) -> dict[str, Any]:
    """A mapping with ``name``, or the name alone where nothing else is required."""
    names = [
        name
        for name in union["discriminator"]["mapping"]
        if _selected(union, name, definitions)["required"] == ["name"]
    ]
    short = {"enum": [*names, *aliases], "description": "The name alone: all options as they are."}
    described = {"description": union.pop("description")}
    return {"anyOf": [short, union], **described}


def _selected(union: dict[str, Any], name: str, definitions: dict[str, Any]) -> dict[str, Any]:
    reference: str = union["discriminator"]["mapping"][name]
    section: dict[str, Any] = definitions[reference.rpartition("/")[2]]
    return section


def _describe_selector(section: dict[str, Any]) -> None:
    """What selects a section is described by what the section is: an editor shows it there."""
    for name in ("type", "name"):
        selector = section.get("properties", {}).get(name)
        if selector is not None and "description" not in selector:
            section.setdefault("description", _UNDESCRIBED)
            selector["description"] = section["description"].partition("\n")[0]


def _allow_null(section: dict[str, Any]) -> None:
    """Null restores the default, where there is one."""
    required = section.get("required", ())
    for name, value in section.get("properties", {}).items():
        accepts = value.get("anyOf", [])
        if name in required or {"type": "null"} in accepts:
            continue
        about = {key: value.pop(key) for key in ("description", "default") if key in value}
        section["properties"][name] = {"anyOf": [value, {"type": "null"}], **about}


def _partial(node: Any) -> Any:
    """The schema of a part: nothing is required, and null may take a setting away."""
    if isinstance(node, list):
        return [_partial(item) for item in node]
    if not isinstance(node, dict):
        return f"{node}{_PART}" if isinstance(node, str) and node.startswith("#/$defs/") else node
    # Parts of several sections can look alike: any match will do.
    renamed = {"oneOf": "anyOf"}
    return {
        renamed.get(key, key): _partial(value) for key, value in node.items() if key != "required"
    }
