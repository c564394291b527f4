"""Why a command line cannot be parsed, in the words of all other errors, and what to type instead."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from bmtrain.errors import UsageError
from bmtrain.program import program

_NOT_ONE = re.compile(r"'(?P<got>[^']*)' is not one of (?P<choices>'.*')\.?")
#: By difflib's ratio, from 0 to 1.
_LIKENESS: Final = 0.75
#: The parser's words and its validator's, which speak of an input, and ours.
_OURS: Final = (
    (re.compile(r"Value error, "), ""),
    (re.compile(r"Input should be a valid integer.*"), "expected an integer"),
    (re.compile(r"Input should be a valid number.*"), "expected a number"),
    (re.compile(r"Input should be greater than or equal to "), "expected a number >= "),
    (re.compile(r"Input should be less than or equal to "), "expected a number <= "),
    (
        re.compile(r"Got unexpected extra argument(?:s|\(s\))? \((.*)\)"),
        r"there are more arguments than the command takes: \1",
    ),
)


def wrong_command_line(error: Any) -> UsageError:
    """The error of the parser as one of ours; ``error`` has ``format_message()``."""
    message = " ".join(str(error.format_message()).split())  # choices are on lines of their own
    if (option := getattr(error, "option_name", None)) is not None:
        message, hint = _unknown_option(error, str(option))
        return UsageError(message, hint=hint or _help_hint(error))
    for theirs, ours in _OURS:
        message = theirs.sub(ours, message)
    if (found := _NOT_ONE.search(message)) is not None:
        choices = re.findall(r"'([^']*)'", found["choices"])
        message = message.removesuffix(".") + _meant(found["got"], choices)
    return UsageError(message, hint=_help_hint(error))


def _unknown_option(error: Any, option: str) -> tuple[str, str | None]:
    """``--epochs`` is no option but, written otherwise, a setting of the config."""
    if option == "--plugin" and hasattr(error, "possibilities"):  # there is none such
        return error.message, "leave it out: this command runs no plugin, and needs none"
    message = error.message + _meant(option, getattr(error, "possibilities", None) or ())
    parameters = getattr(getattr(error.ctx, "command", None), "params", ())
    if not any(parameter.name == "overrides" for parameter in parameters):
        return message, None
    from difflib import get_close_matches

    from bmtrain.config.keys import dotted_keys

    keys = {key: key.rpartition(".")[2] for key in dotted_keys()}
    name = option.lstrip("-").replace("-", "_")
    near = get_close_matches(name, keys.values(), n=1, cutoff=_LIKENESS)
    meant = [f"{key}=VALUE" for key, last in keys.items() if near == [last]][:3]
    if not meant:
        return message, None
    return error.message, f"settings of the config take no dashes: {' or '.join(meant)}"


def _meant(word: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, list(known), n=1, cutoff=_LIKENESS)
    return f"; did you mean '{near[0]}'?" if near else ""


def _help_hint(error: Any) -> str:
    path = getattr(getattr(error, "ctx", None), "command_path", None) or program()
    return f"try `{path} --help`"
