"""What is told of a machine without telling whose it is: it is meant to be pasted into an issue."""

from __future__ import annotations

import os
import pwd
import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bmtrain.workflows.diagnosis.finding import Examined

#: Names that say nothing about anybody.
_NOBODY = frozenset({"root", "user", "nobody", "runner", "localhost", "ubuntu", "home"})


def anonymous(examined: Examined) -> Examined:
    """The same with ``~`` for the home directory, USER and HOST for their names."""
    hide = _hiding()
    findings = tuple(
        replace(
            finding,
            message=hide(finding.message),
            remedy=None if finding.remedy is None else hide(finding.remedy),
        )
        for finding in examined.findings
    )
    return Examined(examined.title, findings, _hidden(examined.facts, hide))


def _hidden(value: Any, hide: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, Mapping):
        return {name: _hidden(entry, hide) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(entry, hide) for entry in value]
    return value


def _hiding() -> Callable[[str], str]:
    patterns = [(_path(home), "~") for home in _homes()]
    patterns += [(_word(name), "HOST") for name in _host_names()]
    patterns += [(_word(name), "USER") for name in _user_names()]

    def hide(text: str) -> str:
        for pattern, stand_in in patterns:
            text = pattern.sub(stand_in, text)
        return text

    return hide


def _path(path: str) -> re.Pattern[str]:
    return re.compile(rf"{re.escape(path)}(?![\w.-])")


def _word(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")


def _homes() -> list[str]:
    homes = {os.environ.get("HOME", ""), _account("pw_dir")}
    homes |= {str(Path(home).resolve()) for home in homes if home}
    return sorted((home for home in homes if len(home) > 1), key=len, reverse=True)


def _user_names() -> list[str]:
    names = {os.environ.get(name, "") for name in ("USER", "LOGNAME", "SUDO_USER")}
    return _telling(names | {_account("pw_name")})


def _host_names() -> list[str]:
    host = socket.gethostname()
    return _telling({host, host.partition(".")[0]})


def _telling(names: set[str]) -> list[str]:
    telling = (name for name in names if len(name) > 1 and name.lower() not in _NOBODY)
    return sorted(telling, key=len, reverse=True)


def _account(field: str) -> str:
    try:
        return str(getattr(pwd.getpwuid(os.getuid()), field))
    except KeyError:  # a container's user without an entry
        return ""
