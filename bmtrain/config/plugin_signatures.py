"""Whether a plugin's function can be called with what it is promised, and calling it."""

from __future__ import annotations

import inspect
import linecache
from collections.abc import Callable
from typing import Any

from bmtrain.errors import Diagnostic, PluginError


def misfit(function: Callable[..., Any], promised: tuple[str, ...]) -> str | None:
    """``takes (config, seed, place), got (config)``; None: it fits, or nobody can tell."""
    try:
        # What a decorator makes of it is called, not what the decorator was given.
        signature = inspect.signature(function, follow_wrapped=False)
    except (TypeError, ValueError):
        return None
    try:
        signature.bind(*promised)
    except TypeError:
        bare = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
        got = signature.replace(parameters=bare, return_annotation=signature.empty)
        return f"takes ({', '.join(promised)}), got {str(got)[:200]}"
    return None


def fault_in(function: Any, message: str, hint: str | None = None) -> PluginError:
    """An error with the line in which the function begins, where it has one."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return PluginError(message, hint=hint)
    text = linecache.getline(code.co_filename, code.co_firstlineno).rstrip("\n")
    begins = len(text) - len(text.lstrip())
    diagnostic = Diagnostic(
        source=code.co_filename,
        message=message,
        line=code.co_firstlineno,
        column=begins + 1,
        length=max(1, len(text) - begins),
        source_line=text,
    )
    return PluginError(message, hint=hint, diagnostics=[diagnostic])


def given_by(what: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """What the function gives.

    Raises:
        PluginError: it cannot be called so; what it raises itself is raised.
    """
    try:
        return function(*arguments)
    except TypeError as error:
        if error.__traceback__ is None or error.__traceback__.tb_next is not None:
            raise
        raise fault_in(function, f"{what}: {error}") from error
