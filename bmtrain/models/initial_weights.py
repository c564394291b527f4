"""Initial weights, seeded by what they are for and where: nothing draws from a global generator."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import keras

#: Where a layer is: its number, or 3.layers.0 inside of layer 3.
Place = int | str

INITIALIZERS: dict[str, Callable[[int], keras.initializers.Initializer]] = {
    "zeros": lambda seed: keras.initializers.Zeros(),
    "ones": lambda seed: keras.initializers.Ones(),
    "glorot_uniform": keras.initializers.GlorotUniform,
    "glorot_normal": keras.initializers.GlorotNormal,
    "he_uniform": keras.initializers.HeUniform,
    "he_normal": keras.initializers.HeNormal,
    "lecun_uniform": keras.initializers.LecunUniform,
    "lecun_normal": keras.initializers.LecunNormal,
}


def derived_seed(seed: int, purpose: str, position: Place) -> int:
    """A 31-bit seed, a pure function of its arguments.

    Nothing draws from a global generator, so adding a layer or drawing in
    another order never changes what another place draws.
    """
    digest = hashlib.sha256(f"{seed}/{purpose}/{position}".encode()).digest()
    return int.from_bytes(digest[:4], "little") >> 1


def initializer(
    name: str, seed: int, variable: str, position: Place
) -> keras.initializers.Initializer:
    """That of a layer's ``variable``."""
    return INITIALIZERS[name](derived_seed(seed, variable, position))
