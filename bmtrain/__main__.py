"""``python -m bmtrain`` is ``bmtrain``, and the command of that name begins here."""

import signal

# Until the command's own handlers are set Ctrl-C ends it by the signal, not in a traceback of
# Python's. What is ignored stays ignored.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from bmtrain.cli.main import run

__all__ = ["run"]

if __name__ == "__main__":
    run()
