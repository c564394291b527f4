"""``python -m bmtrain`` is ``bmtrain``."""

import sys

from bmtrain.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
