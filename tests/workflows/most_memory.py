"""A command in this process, and the most anonymous memory that it took: ``FILE WORD …``.

The bytes go into ``FILE``; anonymous is what a process has not mapped from a file.
"""

import sys
import threading
import time
from pathlib import Path

from bmtrain.cli.main import main


def _anonymous_bytes() -> int:
    with Path("/proc/self/status").open() as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon")) * 1024


def _watch(most: list[int]) -> None:
    while True:
        most[0] = max(most[0], _anonymous_bytes())
        time.sleep(0.005)


if __name__ == "__main__":
    most = [0]
    threading.Thread(target=_watch, args=(most,), daemon=True).start()
    told, *words = sys.argv[1:]
    exit_code = main(words)
    Path(told).write_text(str(most[0]))
    sys.exit(exit_code)
