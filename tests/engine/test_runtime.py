"""TensorFlow's start: what it is told, what it says, and where its chatter goes."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bmtrain.engine.native_output import native_output_to
from bmtrain.regular_files import NotRegular


def test_native_chatter_goes_to_the_file_meanwhile_and_to_the_screen_again_after(tmp_path, capfd):
    log = tmp_path / "log.txt"
    log.write_text("before\n")
    with native_output_to(log):
        os.write(2, b"chatter\n")
        subprocess.run([sys.executable, "-c", "import os; os.write(2, b'child\\n')"], check=True)
    os.write(2, b"screen\n")
    assert log.read_text() == "before\nchatter\nchild\n"
    assert capfd.readouterr().err == "screen\n"


def test_native_chatter_may_go_nowhere(capfd):
    with native_output_to(None):
        os.write(2, b"chatter\n")
    assert capfd.readouterr().err == ""


@pytest.mark.usefixtures("nothing_hangs")
def test_native_chatter_follows_no_link_and_waits_for_no_pipe(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe"):
        with pytest.raises(NotRegular), native_output_to(tmp_path / name):
            pass
    assert not (tmp_path / "mine").exists()


def test_the_screen_comes_back_after_an_error(tmp_path, capfd):
    with pytest.raises(ValueError, match="ours"), native_output_to(tmp_path / "log.txt"):
        raise ValueError("ours")
    os.write(2, b"screen\n")
    assert capfd.readouterr().err == "screen\n"


def test_no_descriptor_is_left_open(tmp_path):
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        with native_output_to(tmp_path / "log.txt"):
            pass
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_keras_computes_in_float32_channels_last_with_its_own_epsilon(runtime):
    import keras

    assert keras.config.backend() == "tensorflow"
    assert keras.config.floatx() == "float32"
    assert keras.config.epsilon() == 1e-7
    assert keras.config.image_data_format() == "channels_last"


def test_the_runtime_tells_device_threads_and_versions(runtime):
    import keras
    import tensorflow as tf

    assert (runtime.device, runtime.device_name, runtime.threads) == ("cpu", "CPU", 1)
    assert tf.config.threading.get_intra_op_parallelism_threads() == 1
    assert tf.config.threading.get_inter_op_parallelism_threads() == 1
    assert runtime.tensorflow_version == tf.__version__
    assert runtime.keras_version == keras.__version__


def test_a_gpu_that_is_not_there_says_which_part_is_missing(in_process):
    import tensorflow as tf

    from bmtrain.engine.runtime import started_runtime
    from bmtrain.errors import EnvironmentFault

    if tf.config.list_physical_devices("GPU"):
        pytest.skip("there is a GPU")
    with (
        pytest.raises(EnvironmentFault, match="no GPU: ") as caught,
        started_runtime(device="gpu", threads=1, note=lambda _: None),
    ):
        pass
    assert "--device cpu" in str(caught.value)
    assert caught.value.exit_code == 6
    if not Path("/dev/nvidiactl").exists():
        assert "/dev/nvidiactl" in caught.value.message


class Gpus:
    """Two GPUs as TensorFlow lists them, and what is asked of it about them."""

    def __init__(self, monkeypatch):
        import tensorflow as tf

        from bmtrain.engine import runtime

        self.grown: list[str] = []
        self.visible: list[str] = []
        monkeypatch.setattr(runtime, "may_have_gpu", lambda: True)
        monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["first", "second"])
        monkeypatch.setattr(tf.config, "set_visible_devices", lambda gpus, _: self.see(gpus))
        monkeypatch.setattr(
            tf.config.experimental, "set_memory_growth", lambda gpu, _: self.grown.append(gpu)
        )
        monkeypatch.setattr(
            tf.config.experimental, "get_device_details", lambda gpu: {"device_name": f"the {gpu}"}
        )

    def see(self, gpus):
        self.visible = gpus


def test_of_several_gpus_one_is_used_and_the_others_are_left_to_others(in_process, monkeypatch):
    from bmtrain.engine.runtime import started_runtime

    gpus = Gpus(monkeypatch)
    with started_runtime(device="auto", threads=1, note=lambda _: None) as started:
        assert (started.device, started.device_name) == ("gpu", "the first")
        assert started.unused_gpu is None
    assert gpus.grown == gpus.visible == ["first"]


@pytest.mark.parametrize(
    ("device", "hidden", "told"),
    [("auto", None, True), ("auto", "-1", False), ("auto", "", False), ("cpu", None, False)],
)
def test_a_gpu_that_tensorflow_cannot_use_is_told_where_it_is_wanted(
    in_process, monkeypatch, device, hidden, told
):
    import tensorflow as tf

    from bmtrain.engine import gpu_parts, runtime

    monkeypatch.setattr(runtime, "may_have_gpu", lambda: True)
    monkeypatch.setattr(gpu_parts, "may_have_gpu", lambda: True)
    monkeypatch.setattr("ctypes.CDLL", lambda name: None)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    if hidden is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    with runtime.started_runtime(device=device, threads=1, note=lambda _: None) as started:
        assert started.device == "cpu"
        assert (started.unused_gpu is not None) == told
        assert not told or "-m pip install 'tensorflow[and-cuda]==2." in str(started.unused_gpu)


def test_float32_products_are_not_rounded_to_10_bits(runtime):
    import tensorflow as tf

    assert not tf.config.experimental.tensor_float_32_execution_enabled()


def test_what_decides_bits_is_never_inherited(in_process, monkeypatch):
    from bmtrain.engine.runtime import started_runtime

    pinned = {
        "KERAS_BACKEND": ("torch", "tensorflow"),
        "KERAS_HOME": ("/home/user/.keras", "/dev/null/keras"),
        "TF_ENABLE_ONEDNN_OPTS": ("0", "1"),
        "TF_DETERMINISTIC_OPS": ("0", "1"),
        "NVIDIA_TF32_OVERRIDE": ("1", "0"),
        "TF_XLA_FLAGS": ("--tf_xla_auto_jit=2", ""),
    }
    for name, (inherited, _) in pinned.items():
        monkeypatch.setenv(name, inherited)
    with started_runtime(device="cpu", threads=1, note=lambda _: None):
        assert {name: os.environ[name] for name in pinned} == {
            name: wanted for name, (_, wanted) in pinned.items()
        }


def test_auto_threads_are_the_processors_that_the_process_may_use():
    from bmtrain.machine import num_processors

    assert num_processors() == len(os.sched_getaffinity(0))


def test_a_second_start_in_one_process_keeps_the_first_ones_threads(in_process):
    import tensorflow as tf

    from bmtrain.engine.runtime import started_runtime
    from bmtrain.errors import EnvironmentFault

    tf.constant(1)  # TensorFlow's threads begin to run
    with started_runtime(device="cpu", threads=1, note=lambda _: None) as again:
        assert again.threads == 1
    with (
        pytest.raises(EnvironmentFault, match=r"already, with training.threads: 1,"),
        started_runtime(device="cpu", threads=2, note=lambda _: None),
    ):
        pass


def test_auto_is_graph_for_convolutions_of_pictures_on_a_processor_alone(runtime):
    import keras

    from bmtrain.engine.selection import select_engine

    pictures = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 3)])
    steps = keras.Sequential([keras.Input((8, 1)), keras.layers.Conv1D(2, 3)])
    patches = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 4, strides=4)])
    on_gpu = dataclasses.replace(runtime, device="gpu")
    assert select_engine("auto", pictures, runtime).mode == "graph"
    assert select_engine("xla", pictures, runtime).lowerings == ("conv2d",)
    record = select_engine("auto", pictures, on_gpu)
    assert (record.mode, record.lowerings) == ("xla", ())
    assert select_engine("auto", steps, runtime).mode == "xla"
    assert select_engine("auto", patches, runtime).mode == "xla"


def test_auto_is_xla_and_a_wish_is_followed(runtime):
    import keras

    from bmtrain.engine.selection import select_engine

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    modes = {wish: select_engine(wish, model, runtime).mode for wish in ("auto", "xla", "graph")}
    assert modes == {"auto": "xla", "xla": "xla", "graph": "graph"}
    record = select_engine("auto", model, runtime).as_json()
    assert set(record) == {
        "mode",
        "device",
        "processor",
        "gpu",
        "threads",
        "lowerings",
        "precision",
        "bmtrain",
        "tensorflow",
        "keras",
        "numpy",
    }
