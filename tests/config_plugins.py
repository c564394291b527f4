"""The plugins that a config of configs/ says in its header it is trained with."""

from __future__ import annotations

import re
from pathlib import Path

from bmtrain.config.plugin_tables import Plugins
from bmtrain.plugins.loading import load_plugins

ROOT = Path(__file__).parents[1]


def plugin_paths(config: Path) -> list[Path]:
    """Those of the command in its header."""
    return [ROOT / name for name in re.findall(r"--plugin (\S+)", config.read_text("utf-8"))]


def plugins_of(config: Path) -> Plugins:
    """The same, loaded."""
    return load_plugins(plugin_paths(config))
