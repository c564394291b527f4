"""SavedModel: TensorFlow's own directory, for TensorFlow Serving and every TensorFlow program.

The description lies in ``assets.extra/``, SavedModel's place for what belongs to others.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bmtrain import strict_json
from bmtrain.durable import environment_fault
from bmtrain.errors import EnvironmentFault
from bmtrain.exports.description import INPUTS, NAME
from bmtrain.exports.exporter import Content, Exporter, Run

DESCRIPTION = f"assets.extra/{NAME}.json"
#: Everything that a SavedModel may consist of: what ``--force`` may replace.
ENTRIES = frozenset({"saved_model.pb", "fingerprint.pb", "variables", "assets", "assets.extra"})


@contextmanager
def tensorflow_faults(what: str, path: Path) -> Iterator[None]:
    """TensorFlow writes by itself, and tells a full disk in words of its own: EnvironmentFault."""
    import tensorflow as tf  # started by the caller

    try:
        yield
    except tf.errors.OpError as error:
        said = (error.message or "").splitlines() or [type(error).__name__]
        full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if str(full.strerror) in said[0]:
            raise environment_fault(full, path, f"write {what}") from error
        raise EnvironmentFault(f"TensorFlow cannot write {what}: {said[0]}") from error


def _write(content: Content, path: Path) -> None:
    """Signature ``serving_default``: ``inputs`` (batch, *shape) in the data's dtype → outputs."""
    import tensorflow as tf

    facts = content.facts
    raw = tf.TensorSpec((None, *facts.input_shape), facts.input_dtype, name=INPUTS)
    with tensorflow_faults("a SavedModel", path):
        content.keras_model.export(
            str(path), format="tf_saved_model", verbose=False, input_signature=[raw]
        )
    description = path / DESCRIPTION
    description.parent.mkdir()
    description.write_bytes(strict_json.encode(content.description))


def _load(path: Path) -> Run:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))

    def run(features: NDArray[np.generic]) -> NDArray[np.float32]:
        serve = loaded.signatures["serving_default"]  # which does not keep ``loaded`` alive
        (outputs,) = serve(**{INPUTS: tf.constant(features)}).values()
        array: NDArray[np.float32] = outputs.numpy()
        return array

    return run


def _runtime() -> str:
    import tensorflow as tf

    return f"TensorFlow {tf.__version__}"


EXPORTER = Exporter(
    suffix="_savedmodel",
    is_directory=True,
    holds_description=True,
    write=_write,
    runtime=_runtime,
    load=_load,
    usage="model = tf.saved_model.load({path}); model.serve(inputs)",
)
