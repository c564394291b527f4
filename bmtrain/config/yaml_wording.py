"""The YAML parser's findings in words that help."""

from __future__ import annotations

import yaml
from yaml.events import NodeEvent

#: The parser's words, and what usually lies behind them.
_HINTS = (
    (
        "that cannot start any token",
        "tabs cannot indent; a text that starts with @ ` % needs quotes",
    ),
    ("mapping values are not allowed", "quote a text with ': ' in it; align the keys of a mapping"),
    ("did not find expected key", "check the indentation and the quotes"),
    ("could not find expected ':'", "a key needs ': ' after it"),
    ("did not find expected ',' or", "a bracket is not closed"),
    ("found unexpected end of stream", "a quote is not closed"),
    ("block sequence entries are not allowed", "a list starts on a line of its own"),
)


def syntax_message(error: yaml.YAMLError) -> str:
    """What the parser says, and what to look for."""
    reason = str(getattr(error, "problem", None) or getattr(error, "reason", None) or error)
    hint = next((hint for words, hint in _HINTS if words in reason), None)
    return f"not valid YAML: {reason}" + (f"; {hint}" if hint else "")


def shown_tag(event: NodeEvent) -> str:
    """``tag:yaml.org,2002:int`` as people write it: ``!!int``."""
    tag = str(getattr(event, "tag", ""))
    shown = tag.replace("tag:yaml.org,2002:", "!!")
    return shown if len(shown) <= 60 else shown[:59] + "…"
