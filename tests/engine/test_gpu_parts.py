"""Which part of a working GPU is missing, with each of them missing in turn."""

import sys

import pytest

from bmtrain.engine import gpu_parts


@pytest.fixture
def machine(monkeypatch, in_process, tmp_path):
    """A machine with a driver and a GPU that TensorFlow does not find; with such libraries."""
    import tensorflow as tf

    def pretend(*, driver=True, loadable=(), packaged=(), cuda=True, hidden=None):
        def load(name):
            if name not in loadable:
                raise OSError(name)

        monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
        monkeypatch.setattr(tf.sysconfig, "get_build_info", lambda: {"is_cuda_build": cuda})
        monkeypatch.setattr(gpu_parts, "may_have_gpu", lambda: driver)
        monkeypatch.setattr("ctypes.CDLL", load)
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        if hidden is not None:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
        for name in packaged:
            path = tmp_path / "nvidia" / "some" / "lib" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
        return gpu_parts.missing_gpu_part()

    return pretend


DRIVER = ("libcuda.so.1",)
ALL = gpu_parts._LIBRARIES


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"driver": False}, "/dev/nvidiactl is not there"),
        ({}, "libcuda.so.1 cannot be loaded"),
        ({"loadable": DRIVER, "cuda": False}, "built without CUDA"),
        ({"loadable": DRIVER, "hidden": "-1"}, "CUDA_VISIBLE_DEVICES hides every GPU"),
        ({"loadable": (*DRIVER, *ALL[:-2])}, "CUDA's libraries libcudnn.so.9, libnccl.so.2 cannot"),
        ({"loadable": (*DRIVER, *ALL[1:])}, "CUDA's libraries libcudart.so.12 cannot"),
        ({"loadable": DRIVER, "packaged": ALL}, "the driver may be too old"),
        ({"loadable": (*DRIVER, *ALL[:4]), "packaged": ALL[4:]}, "the driver may be too old"),
    ],
)  # fmt: skip
def test_the_first_part_that_is_missing_is_named(machine, facts, words):
    assert words in machine(**facts)
