"""Which part of a working GPU is missing."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path
from typing import Final

from bmtrain.machine import hides_gpus, may_have_gpu
from bmtrain.program import pip

#: What TensorFlow's CUDA builds load, in the order in which it needs them. Other versions of
#: them it does not take.
_LIBRARIES: Final = (
    *("libcudart.so.12", "libcublas.so.12", "libcublasLt.so.12", "libcufft.so.11"),
    *("libcusolver.so.11", "libcusparse.so.12", "libcudnn.so.9", "libnccl.so.2"),
)


def missing_gpu_part() -> str:
    """Which part of a working GPU is not there, in the order in which they are needed."""
    import tensorflow as tf  # started by the caller

    if not tf.config.list_physical_devices("GPU") and not may_have_gpu():
        return "the kernel driver shows no NVIDIA device (/dev/nvidiactl is not there)"
    if not _can_be_loaded("libcuda.so.1"):
        return "the driver library libcuda.so.1 cannot be loaded"
    if not tf.sysconfig.get_build_info().get("is_cuda_build"):
        return "this TensorFlow was built without CUDA"
    if hides_gpus():
        return "CUDA_VISIBLE_DEVICES hides every GPU"
    command = pip("install", f"tensorflow[and-cuda]=={tf.__version__}")
    if missing := missing_libraries():
        return f"of CUDA's libraries {', '.join(missing)} cannot be found; {command} brings them"
    return (
        "CUDA's libraries are there, and TensorFlow finds no GPU with them: the driver may be too "
        f"old for them, or other versions are in the way; {command} brings those that fit"
    )


def missing_libraries() -> tuple[str, ...]:
    """Those that neither the system finds nor a package of NVIDIA's has, where TensorFlow looks."""
    return tuple(name for name in _LIBRARIES if not _is_packaged(name) and not _can_be_loaded(name))


def _is_packaged(library: str) -> bool:
    return any(
        next(Path(entry, "nvidia").glob(f"*/lib/{library}"), None) is not None
        for entry in sys.path
        if entry
    )


def _can_be_loaded(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
