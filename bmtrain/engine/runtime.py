"""TensorFlow, started once, in a pinned environment.

Everything that must be set before TensorFlow is imported is set here and
nowhere else: an inherited ``KERAS_BACKEND=torch`` breaks the import, a user's
``keras.json`` changes the float type and epsilon without a word.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bmtrain.engine.compile_cache import CompileCache, open_compile_cache
from bmtrain.engine.gpu_parts import missing_gpu_part
from bmtrain.errors import EnvironmentFault
from bmtrain.interrupts import signals_not_lost
from bmtrain.machine import hides_gpus, may_have_gpu, num_processors

DeviceChoice = Literal["auto", "cpu", "gpu"]


@dataclass(frozen=True, slots=True)
class Runtime:
    """What was started.

    Attributes:
        device: "cpu" or "gpu".
        device_name: as TensorFlow calls it.
        unused_gpu: why a GPU that the driver shows is not used, though it might be; else None.
        threads: of one operation (intra-op) and between operations.
    """

    device: Literal["cpu", "gpu"]
    device_name: str
    unused_gpu: str | None
    threads: int
    tensorflow_version: str
    keras_version: str
    cache: CompileCache | None


@contextmanager
def started_runtime(
    *, device: DeviceChoice, threads: int | Literal["auto"], note: Callable[[str], None]
) -> Iterator[Runtime]:
    """Import TensorFlow and choose the device.

    A process may start it again, in a notebook say, with the same threads and device.

    ``note`` is told what was done with the compilation cache.

    Raises:
        EnvironmentFault: a GPU was asked for and there is none (says which part is missing),
            or an earlier start in this process fixed other threads or devices.
    """
    cache = _cache_of_process(note)
    _pin_environment(cache)
    _import_tensorflow()
    yield _configure(device, threads, cache)
    if cache is not None:
        cache.publish()


def _cache_of_process(note: Callable[[str], None]) -> CompileCache | None:
    """Opened by the first start and closed at the process's end: XLA reads its flags once."""
    if "tensorflow" in sys.modules:
        note("compilation cache: as TensorFlow was started in this process")
        return None
    cache = open_compile_cache(note)
    if cache is not None:
        atexit.register(cache.close)
    return cache


def _pin_environment(cache: CompileCache | None) -> None:
    os.environ["KERAS_BACKEND"] = "tensorflow"
    # Keras reads $KERAS_HOME/keras.json and writes one where it is missing; nothing can be below this.
    os.environ["KERAS_HOME"] = f"{os.devnull}/keras"
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "1"  # keep warnings: they go to the log
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"  # it changes bits, so it is never inherited
    os.environ["TF_DETERMINISTIC_OPS"] = "1"
    os.environ["NVIDIA_TF32_OVERRIDE"] = "0"
    # They change bits, and one that XLA does not know aborts the process.
    os.environ["XLA_FLAGS"] = ""
    os.environ["TF_XLA_FLAGS"] = "" if cache is None else _cache_flag(cache.private)


def _cache_flag(path: Path) -> str:
    """In quotes: without them a path ends at its first blank, and XLA would read anybody's code."""
    quoted = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'--tf_xla_persistent_cache_directory="{quoted}"'


#: Packages that Keras imports where they happen to be installed, for wrappers that are not used
#: here; scikit-learn alone takes a quarter of the import. Keras does without each of them.
_NOT_NEEDED = ("sklearn", "scipy", "pandas", "torch", "jax", "PIL", "matplotlib")


@contextmanager
def _not_importable(names: tuple[str, ...]) -> Iterator[None]:
    """``import NAME`` raises ImportError inside, for names that are not imported yet."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None is how Python says so
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def _import_tensorflow() -> None:
    """Without the collector, which would walk 2,800 half-built modules for nothing.

    Nor with the trace of a debugger or of a coverage tool: it costs a third more time.
    """
    was_enabled = gc.isenabled()
    trace = None if "tensorflow" in sys.modules else sys.gettrace()
    gc.disable()
    if trace is not None:
        sys.settrace(None)
    try:
        with signals_not_lost(), _not_importable(_NOT_NEEDED):
            import keras  # the one place where TensorFlow is imported first
            import tensorflow as tf
    finally:
        if trace is not None:
            sys.settrace(trace)
        # What was imported stays: no collection need walk its million objects again.
        gc.freeze()
        if was_enabled:
            gc.enable()
    # On GPUs float32 products would have 10 bits of mantissa instead of 23.
    tf.config.experimental.enable_tensor_float_32_execution(False)
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")


def _configure(
    device: DeviceChoice,
    threads: int | Literal["auto"],
    cache: CompileCache | None,
) -> Runtime:
    import keras  # after the environment is pinned
    import tensorflow as tf

    num_threads = num_processors() if threads == "auto" else threads
    with _only_before_the_first_use():
        tf.config.threading.set_intra_op_parallelism_threads(num_threads)
        tf.config.threading.set_inter_op_parallelism_threads(num_threads)
    gpus = [] if device == "cpu" else tf.config.list_physical_devices("GPU")
    if device == "gpu" and not gpus:
        raise EnvironmentFault(f"no GPU: {missing_gpu_part()}", hint="use --device cpu or auto")
    with _only_before_the_first_use():
        for gpu in gpus[:1]:
            tf.config.experimental.set_memory_growth(gpu, True)
        # One is trained on: of the others not even a context is made.
        tf.config.set_visible_devices(gpus[:1], "GPU")
    kind: Literal["cpu", "gpu"] = "gpu" if gpus else "cpu"
    name = tf.config.experimental.get_device_details(gpus[0]).get("device_name") if gpus else None
    return Runtime(
        device=kind,
        device_name=name or kind.upper(),
        unused_gpu=_unused_gpu(device, kind),
        threads=num_threads,
        tensorflow_version=tf.__version__,
        keras_version=keras.__version__,
        cache=cache,
    )


@contextmanager
def _only_before_the_first_use() -> Iterator[None]:
    """TensorFlow refuses to change threads and devices that are in use already."""
    import tensorflow as tf

    try:
        yield
    except RuntimeError as error:
        num_threads = tf.config.threading.get_intra_op_parallelism_threads()
        raise EnvironmentFault(
            f"TensorFlow runs in this process already, with training.threads: {num_threads}, "
            f"and cannot be changed: {error}",
            hint="keep to the first run's threads and device, or use another process",
        ) from error


def _unused_gpu(device: DeviceChoice, used: Literal["cpu", "gpu"]) -> str | None:
    if device != "auto" or used == "gpu" or not may_have_gpu() or hides_gpus():
        return None
    return missing_gpu_part()
