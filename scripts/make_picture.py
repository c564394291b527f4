"""Draws docs/run.svg, what the README shows of a run: the words of a real one in a terminal.

    .venv/bin/python scripts/make_picture.py

It trains configs/mnist.yaml in a terminal of 96 columns and keeps what stands there in the end.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import sys
import tempfile
import termios
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "run.svg"
COLUMNS, LINES = 96, 50
COMMAND = ("bmtrain", "train", "configs/mnist.yaml")
#: What the line holds before it is no more there.
ERASED = re.compile(r"[^\n]*\r\x1b\[2K")


def shown_in_terminal(*words: str) -> str:
    """All lines that a command leaves in a terminal, with their colours."""
    process, terminal = pty.fork()
    if process == 0:
        environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
        os.chdir(ROOT)
        os.execve(words[0], words, environment | {"TERM": "xterm-256color"})  # noqa: S606
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    said = b""
    try:
        while part := os.read(terminal, 65536):
            said += part
    except OSError:  # how Linux says that nobody writes any more
        pass
    _, status = os.waitpid(process, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"make_picture: the command failed:\n{said.decode()}")
    return ERASED.sub("", said.decode().replace("\r\n", "\n"))


def drawn(text: str, title: str) -> str:
    """The text as an SVG; it names no font that would have to be fetched."""
    console = Console(record=True, width=COLUMNS, file=open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
    console.print(Text.from_ansi(text))
    svg = console.export_svg(title=title, unique_id="run")
    return re.sub(r"@font-face \{.*?\}\n", "", svg, flags=re.DOTALL)


def main() -> None:
    """Train, draw, write."""
    with tempfile.TemporaryDirectory(prefix="bmtrain-picture-") as scratch:
        words = (str(ROOT / ".venv/bin/bmtrain"), *COMMAND[1:], "--run-dir", f"{scratch}/mnist")
        text = shown_in_terminal(*words).replace(f"{scratch}/", "runs/")
    text = text.replace(f"{ROOT}/", "")
    PICTURE.write_text(drawn(f"$ {' '.join(COMMAND)}\n{text}", " ".join(COMMAND)), encoding="utf-8")


if __name__ == "__main__":
    main()
