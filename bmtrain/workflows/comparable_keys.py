"""What is compared when a run is gone on with, by its dotted key."""

from __future__ import annotations

from typing import Final

from bmtrain.config.keys import dotted_keys
from bmtrain.config.suggestions import nearest
from bmtrain.errors import UsageError

#: Beside the config's keys: what the data was, how the run was computed, what it had kept.
ENGINE: Final = (
    "engine.mode",
    "engine.device",
    "engine.processor",
    "engine.gpu",
    "engine.threads",
    "engine.lowerings",
    "engine.precision",
    "engine.bmtrain",
    "engine.tensorflow",
    "engine.keras",
    "engine.numpy",
)
OTHERS: Final = ("data.fingerprint", "best_checkpoint", "plugins")
#: Below it the keys are positions in a list.
_LISTS: Final = ("model.layers", "metrics", "expect", "data.features")


def require_comparable(key: str) -> None:
    """Whether the key, or one above or below it, is ever compared.

    Raises:
        UsageError: it never is; names the nearest key.
    """
    known = {*dotted_keys(), *ENGINE, *OTHERS}
    above = {name.rpartition(".")[0] for name in known} - {""}
    above |= {name.partition(".")[0] for name in known}
    if key in known | above or any(key.startswith(f"{name}.") for name in _LISTS):
        return
    near = nearest(key, tuple(sorted(known | above)))
    meant = f"; did you mean '{near[0]}'?" if near else ""
    raise UsageError(
        f"--allow-changed: nothing that is compared has the key '{key}'{meant}",
        hint="a refused resume names the keys that differ",
    )
