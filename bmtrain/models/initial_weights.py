"""Initial weights, seeded by what they are for and where: nothing draws from a global generator."""

from __future__ import annotations

import hashlib
from typing import Any

import keras

from bmtrain.config.sections.base import Section

#: Where a layer is: its number, or 3.layers.0 inside of layer 3.
Place = int | str

INITIALIZERS: dict[str, type[keras.initializers.Initializer]] = {
    "zeros": keras.initializers.Zeros,
    "ones": keras.initializers.Ones,
    "constant": keras.initializers.Constant,
    "identity": keras.initializers.Identity,
    "orthogonal": keras.initializers.Orthogonal,
    "random_normal": keras.initializers.RandomNormal,
    "truncated_normal": keras.initializers.TruncatedNormal,
    "random_uniform": keras.initializers.RandomUniform,
    "variance_scaling": keras.initializers.VarianceScaling,
    "glorot_uniform": keras.initializers.GlorotUniform,
    "glorot_normal": keras.initializers.GlorotNormal,
    "he_uniform": keras.initializers.HeUniform,
    "he_normal": keras.initializers.HeNormal,
    "lecun_uniform": keras.initializers.LecunUniform,
    "lecun_normal": keras.initializers.LecunNormal,
}
#: Which draw nothing.
_CERTAIN = frozenset({"zeros", "ones", "constant", "identity"})


def derived_seed(seed: int, purpose: str, position: Place) -> int:
    """A 31-bit seed, a pure function of its arguments.

    Nothing draws from a global generator, so adding a layer or drawing in
    another order never changes what another place draws.
    """
    digest = hashlib.sha256(f"{seed}/{purpose}/{position}".encode()).digest()
    return int.from_bytes(digest[:4], "little") >> 1


def initializer(
    config: str | Section, seed: int, variable: str, position: Place
) -> keras.initializers.Initializer:
    """That of a layer's ``variable``: its name alone, or with Keras's options."""
    options: dict[str, Any] = {"name": config} if isinstance(config, str) else config.model_dump()
    name = options.pop("name")
    if name not in _CERTAIN:
        options["seed"] = derived_seed(seed, variable, position)
    return INITIALIZERS[name](**options)
