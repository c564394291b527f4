"""The commands and how each can end: what --help says of exit codes."""

from __future__ import annotations

from typing import Final

_ENDINGS: Final = {
    "0": "done",
    "1": "an internal error: a bug in bmtrain",
    "2": "the command line, the config or a plugin is wrong",
    "3": "the data is missing or wrong, or does not fit the config",
    "4": "an expectation was missed",
    "5": "training diverged: a loss or a weight is not finite",
    "6": "the environment: disk, permissions, memory, device, run directory in use",
    "7": "there is no checkpoint, or it is damaged, of a newer format or does not fit",
    "129 130 143": "interrupted by SIGHUP, SIGINT, SIGTERM",
}
_DIFFERENCE: Final = "a proof found a difference"
_RESUME_REFUSED: Final = ", or a resume was refused"
_RESUMING: Final = {"", "train"}
_PROVING: Final = {"verify-resume", "reproduce", "export"}
_SIGNALS: Final = "129 130 143"
#: How each command can end, but for a bug and a signal; "" is all of them together.
COMMANDS: Final = {
    "": "0 2 3 4 5 6 7",
    "init": "0 2 3 6",
    "train": "0 2 3 4 5 6 7",
    "eval": "0 2 3 6 7",
    "predict": "0 2 3 6 7",
    "check": "0 2 3 5 6",
    "export": "0 2 3 4 6 7",
    "explain": "0 2 3 6 7",
    "convert": "0 2 3 6",
    "schema": "0 2 6",
    "runs": "0 2 6",
    "compare": "0 2 3 6 7",
    "report": "0 2 3 6 7",
    "verify-resume": "0 2 3 4 5 6 7",
    "reproduce": "0 2 3 4 5 6 7",
    "doctor": "0 2 6",
    "completion": "0 2 6",
}


def exit_codes(command: str = "") -> str:
    """The exit codes of a command, as the end of its help."""
    codes = sorted([*COMMANDS[command].split(), "1", _SIGNALS], key=list(_ENDINGS).index)
    endings = _ENDINGS | ({"7": _ENDINGS["7"] + _RESUME_REFUSED} if command in _RESUMING else {})
    if command in _PROVING:
        endings["4"] = _DIFFERENCE
    elif not command:
        endings["4"] += f", or {_DIFFERENCE}"
    rows = [f"  {code:<{len(_SIGNALS)}}  {endings[code]}" for code in codes]
    # \b has Typer leave the lines as they are.
    return "\b\n" + "\n".join(["Exit codes:", *rows])
