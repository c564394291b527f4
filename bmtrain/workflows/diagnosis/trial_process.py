"""The process in which TensorFlow is started and a training tried: what breaks there is a finding.

As a program: ``python -m bmtrain.workflows.diagnosis.trial_process DIRECTORY PIPE WHAT``. It
writes a line of JSON to the file descriptor PIPE for each stage that it enters and for what
came out of it.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bmtrain.events import EpochDone, RunFinished
from bmtrain.workflows.endings import internal_message, known_ending
from bmtrain.workflows.train import TrainRequest, train

if TYPE_CHECKING:
    from bmtrain.engine.runtime import Runtime

#: Two epochs of the reference experiment: one thread, so that more processors change nothing.
CONFIG: Final = """\
name: doctor
seed: 0
data: {source: mnist}
model:
  layers:
    - {type: flatten}
    - {type: dense, units: 128, activation: relu}
    - {type: dense, units: 10, activation: softmax}
loss: sparse_categorical_crossentropy
metrics: [accuracy]
optimizer: {name: adam, learning_rate: 0.001}
training: {epochs: 2, batch_size: 32, threads: 1}
"""
#: Of the square matrices that calibrate the processor: larger than its caches' first levels.
_SIZE: Final = 1024
_CALIBRATION_S: Final = 0.6
_LEAST_PRODUCTS: Final = 5

Tell = Callable[[dict[str, Any]], None]


def main(arguments: Sequence[str]) -> int:
    """Stages: tensorflow; then, if WHAT is ``train``, training and calibration."""
    directory, pipe, what = Path(arguments[0]), int(arguments[1]), arguments[2]

    def tell(document: dict[str, Any]) -> None:
        os.write(pipe, json.dumps(document).encode("ascii") + b"\n")

    try:
        _try(directory, tell, with_training=what == "train")
    except BaseException as error:  # noqa: BLE001  # whoever started this is told every ending
        known = known_ending(error)
        tell({"failed": str(known) if known is not None else internal_message(error)})
        return 1
    tell({"done": True})
    return 0


def _try(directory: Path, tell: Tell, *, with_training: bool) -> None:
    """What is compiled meanwhile is published in the cache at the end."""
    from bmtrain.engine.runtime import started_runtime

    began = time.perf_counter()
    tell({"stage": "tensorflow"})
    with started_runtime(device="auto", threads=1, note=lambda _: None) as runtime:
        tell({"tensorflow": _tensorflow(runtime, time.perf_counter() - began)})
        if with_training:
            tell({"stage": "training"})
            tell({"training": _training(directory)})
            tell({"stage": "calibration"})
            tell({"calibration": {"matmul_flops_per_s": _matmul_flops_per_s()}})


def _tensorflow(runtime: Runtime, startup_s: float) -> dict[str, Any]:
    """Started as a training starts it; versions and devices as TensorFlow itself tells them."""
    import tensorflow as tf

    from bmtrain.engine.gpu_parts import missing_gpu_part

    build = dict(tf.sysconfig.get_build_info())
    return {
        "tensorflow": runtime.tensorflow_version,
        "keras": runtime.keras_version,
        "device": runtime.device,
        "device_name": runtime.device_name,
        "unused_gpu": runtime.unused_gpu,
        "missing_gpu_part": None if runtime.device == "gpu" else missing_gpu_part(),
        "cuda": build.get("cuda_version"),
        "cudnn": build.get("cudnn_version"),
        "startup_s": startup_s,
    }


def _training(directory: Path) -> dict[str, Any]:
    config = directory / "doctor.yaml"
    config.write_text(CONFIG, encoding="ascii")
    summary: dict[str, Any] = {}
    cpu_s: list[float] = []
    for event in train(TrainRequest(config=config, run_dir=directory / "run")):
        if isinstance(event, EpochDone):
            cpu_s.append(time.process_time())
        elif isinstance(event, RunFinished):
            summary = dict(event.summary)
    epoch_s = summary["timing"]["epoch_s"]
    cost = summary["cost"]
    examples_per_epoch = cost["examples"] / len(epoch_s)
    return {
        "device": summary["engine"]["device"],
        "engine": summary["engine"]["mode"],
        "threads": summary["engine"]["threads"],
        "epoch_s": epoch_s,
        "compile_s": summary["timing"]["compile_s"],
        # The better of two: the other was disturbed.
        "examples_per_s": examples_per_epoch / min(epoch_s),
        # Of the second epoch, a save included. Other programs take no part of it.
        "cpu_epoch_s": cpu_s[1] - cpu_s[0],
        "examples_per_cpu_s": examples_per_epoch / (cpu_s[1] - cpu_s[0]),
        "flops_per_example": cost["flops"] / cost["examples"],
        "test_accuracy": summary["metrics"]["test"]["accuracy"],
        "peak_memory_bytes": summary["peak_memory_bytes"],
    }


def _matmul_flops_per_s() -> float:
    """Of one float32 product of 1024×1024 matrices on one thread of the processor, the best.

    Per second of the processor's time: other programs take no part of it.
    """
    import tensorflow as tf  # started by the training

    with tf.device("CPU:0"):
        left = tf.random.stateless_uniform((_SIZE, _SIZE), (1, 2))
        product = tf.function(lambda: tf.reduce_sum(tf.linalg.matmul(left, left)), autograph=False)
        product().numpy()
        best_s, began, number = float("inf"), time.perf_counter(), 0
        while number < _LEAST_PRODUCTS or time.perf_counter() - began < _CALIBRATION_S:
            start = time.process_time()
            product().numpy()
            best_s, number = min(best_s, time.process_time() - start), number + 1
    return float(2 * _SIZE**3 / best_s)


if __name__ == "__main__":
    ended_with = main(sys.argv[1:])
    atexit._run_exitfuncs()  # noqa: SLF001  # as bmtrain ends: TensorFlow is not taken apart
    os._exit(ended_with)
