"""Draws what the README shows: docs/run.svg, a run in a terminal, and docs/report.png, a report.

    .venv/bin/python scripts/make_picture.py run
    .venv/bin/python scripts/make_picture.py report

The first trains configs/mnist.yaml in a terminal of 96 columns and keeps what stands there in the
end; the second trains configs/digits.yaml and looks at two parts of its report in Chromium.
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

from PIL import Image
from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "run.svg"
REPORT = ROOT / "docs" / "report.png"
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


#: Pixels of the page that are shown of each part, and their size in the picture.
WIDTH, HEIGHT, SCALE = 938, 1200, 0.8
DARK = "--blink-settings=preferredColorScheme=0"
#: Begins with the most confident errors. The page's own policy lets no other style in.
FROM_ERRORS = (
    "<style>header, nav, main > section:nth-of-type(-n+5) { display: none }</style></body>"
)
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy".*?>')


def seen_in_browser(page: Path, *switches: str) -> Image.Image:
    """What stands at the top of a page."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        sys.exit("make_picture: there is no Chromium here (Debian: apt-get install chromium)")
    picture = page.with_suffix(".png")
    command = [browser, "--headless", "--disable-gpu", "--hide-scrollbars", "--no-first-run"]
    command += ["--no-sandbox"] if os.geteuid() == 0 else []
    command += [f"--window-size={WIDTH},{HEIGHT}", f"--force-device-scale-factor={SCALE}"]
    command += [f"--user-data-dir={page.parent / 'profile'}", f"--screenshot={picture}", *switches]
    subprocess.run([*command, page.as_uri()], check=True, capture_output=True, timeout=120)
    return Image.open(io.BytesIO(picture.read_bytes())).convert("RGB")


def draw_report() -> None:
    """Train, report, look at it in light and dark."""
    with tempfile.TemporaryDirectory(prefix="bmtrain-picture-") as scratch:
        page, run = Path(scratch) / "page.html", f"{scratch}/runs/digits"
        for words in (
            ("train", "configs/digits.yaml", "--run-dir", run, "--quiet"),
            ("report", run, "-o", str(page)),
        ):
            subprocess.run([ROOT / ".venv/bin/bmtrain", *words], cwd=ROOT, check=True)
        light = seen_in_browser(page)
        page.write_text(POLICY.sub("", page.read_text()).replace("</body>", FROM_ERRORS))
        dark = seen_in_browser(page, DARK)
    both = Image.new("RGB", (light.width + dark.width, light.height))
    both.paste(light, (0, 0))
    both.paste(dark, (light.width, 0))
    both.save(REPORT, optimize=True)


def draw_run() -> None:
    """Train, draw, write."""
    with tempfile.TemporaryDirectory(prefix="bmtrain-picture-") as scratch:
        words = (str(ROOT / ".venv/bin/bmtrain"), *COMMAND[1:], "--run-dir", f"{scratch}/mnist")
        text = shown_in_terminal(*words).replace(f"{scratch}/", "runs/")
    text = text.replace(f"{ROOT}/", "")
    PICTURE.write_text(drawn(f"$ {' '.join(COMMAND)}\n{text}", " ".join(COMMAND)), encoding="utf-8")


DRAWN = {"run": draw_run, "report": draw_report}


def main() -> None:
    """The one that is asked for."""
    if len(sys.argv) != 2 or sys.argv[1] not in DRAWN:
        sys.exit(f"usage: make_picture.py {'|'.join(DRAWN)}")
    DRAWN[sys.argv[1]]()


if __name__ == "__main__":
    main()
