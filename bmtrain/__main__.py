"""``python -m bmtrain`` is ``bmtrain``."""

from bmtrain.cli.main import run

if __name__ == "__main__":
    run()
