"""What does not fit is refused before anything is allocated; what runs out, ends clearly."""

import json
import re
import resource
import subprocess
import sys

import pytest

from bmtrain.checkpoint.read import read_checkpoint


def layers(*sizes):
    """The override for dense layers of these sizes, and the three classes after them."""
    dense = ", ".join(f"{{type: dense, units: {units}}}" for units in sizes)
    return f"model={{layers: [{dense}, {{type: dense, units: 3, activation: softmax}}]}}"


@pytest.mark.parametrize("name", ["check", "train"])
def test_a_model_that_cannot_fit_is_refused_with_the_figures_and_what_to_do(
    command, tmp_path, name
):
    where = ["--run-dir", tmp_path / "run"] if name == "train" else []
    ended = command(name, "points.yaml", layers(10**6, 10**6), *where, "--json")
    assert ended.exit_code == 6
    error = ended.document["error"]
    assert error["code"] == "environment"
    # 5e6 + (1e12 + 1e6) + (3e6 + 3) parameters; Adam: 11 arrays of each in float32.
    assert "needs at least 44,000 GB of memory" in error["message"]
    assert "44,000 GB for 1,000,009,000,003 parameters" in error["message"]
    assert "MB are available" in error["message"] or "GB are available" in error["message"]
    assert error["where"] == "override 1"
    assert ended.document["diagnostics"][0]["source"] == "override 1"
    assert "use a smaller model, or a machine with more memory" in error["hint"]
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ([layers(100)], "use a smaller model,"),
        ([layers(50), "training.batch_size=full"], "use a smaller training.batch_size,"),
        ([layers(1)], "use fewer examples (data.train_examples),"),
    ],
)
def test_the_largest_part_is_what_to_make_smaller(command, monkeypatch, words, hint):
    monkeypatch.setattr("bmtrain.workflows.preparation.available_memory", lambda: 999)
    plain = "optimizer={name: gradient_descent, learning_rate: 1}"
    ended = command("check", "points.yaml", plain, *words, "--json")
    assert ended.exit_code == 6
    assert ended.document["error"]["hint"].startswith(hint)


def test_a_limit_of_the_shell_counts_and_tensorflow_is_not_even_started(environment, project):
    """Real: 3 GB of addresses, for a model that needs 44 · 10⁸ bytes."""
    limit, wide = 3 * 2**30, layers(10_000, 10_000)
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "bmtrain", "check", "points.yaml", wide],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
        check=False,
    )
    assert ended.returncode == 6
    assert "training this needs at least 4,4" in ended.stderr
    assert not re.search(r"\| +tensorflow$", ended.stderr, re.MULTILINE)


#: The real command, with 500 MB of addresses left when the model is built.
CORNERED = """
import resource, sys
from bmtrain.cli.main import run
from bmtrain.workflows.training import execution

build = execution.build_session

def build_in_a_corner(*arguments):
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 500 * 2**20, resource.RLIM_INFINITY))
    return build(*arguments)

execution.build_session = build_in_a_corner
run()
"""


def test_memory_that_runs_out_while_the_model_is_built_ends_in_one_line_of_ours(
    environment, project, tmp_path
):
    """576 MB in one kernel; a resume would end in the same way, so none is offered."""
    plain = "optimizer={name: gradient_descent, learning_rate: 0.1}"
    words = ["train", "points.yaml", layers(12_000, 12_000), plain]
    ended = subprocess.run(
        [sys.executable, "-c", CORNERED, *words, "--run-dir", str(tmp_path / "run"), "--json"],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 6, ended.stderr
    error = json.loads(ended.stdout)["error"]
    assert (
        error["message"] == "the memory is used up: no room for an array of the shape [12000,12000]"
    )
    assert "--resume" not in ended.stderr
    assert "Traceback" not in ended.stderr
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["status"] == "failed"


@pytest.mark.parametrize("error", ["MemoryError", "ResourceExhaustedError"])
def test_memory_that_runs_out_later_keeps_what_is_saved_and_may_be_gone_on_with(
    train, monkeypatch, error
):
    import tensorflow as tf

    from bmtrain.checkpoint.store import CheckpointStore

    said = "OOM when allocating tensor with shape[9,9] and type float [Op:Mul]"
    exhausted = tf.errors.ResourceExhaustedError(None, None, said)
    real, saves = CheckpointStore.save, []

    def save(self, checkpoint, *, best):
        saves.append(checkpoint.state.step)
        if len(saves) > 2:
            raise MemoryError if error == "MemoryError" else exhausted
        return real(self, checkpoint, best=best)

    monkeypatch.setattr(CheckpointStore, "save", save)
    run = train("training.epochs=5", "training.checkpoint.every_epochs=1")
    assert run.ended.exit_code == 6
    told = run.ended.document["error"]
    assert told["message"].startswith("the memory is used up")
    assert "Op:" not in told["message"]
    assert told["hint"].startswith("close other programs, or use a machine with more memory; then")
    assert read_checkpoint(run.checkpoint()).state.step == saves[1]


SHAPE = "OOM when allocating tensor with shape[9,9] on /job:localhost/device"
NO_ROOM = "no room for an array of the shape [9,9]"
COPYING = "Failed copying: Dst tensor is not initialized. [Op:_EagerConst]"
NO_FORM = "MaxPool gradient has no deterministic form"


@pytest.mark.parametrize(
    ("kind", "device", "said", "message"),
    [
        ("ResourceExhausted", "gpu", f"{SHAPE}:GPU:0", f"the GPU's memory is used up: {NO_ROOM}"),
        ("ResourceExhausted", "gpu", f"{SHAPE}:CPU:0", f"the memory is used up: {NO_ROOM}"),
        (
            "ResourceExhausted",
            "gpu",
            "Out of memory while trying to allocate 13.60GiB.",
            "the GPU's memory is used up: no room for 13.60GiB more",
        ),
        ("ResourceExhausted", "gpu", "", "the GPU's memory is used up"),
        (
            "ResourceExhausted",
            "cpu",
            "trying to allocate 99 bytes.",
            "the memory is used up: no room for 99 bytes more",
        ),
        ("Internal", "gpu", COPYING, "the GPU's memory is used up"),
        (
            "Unimplemented",
            "gpu",
            f"{NO_FORM}\n[[node]]",
            f"this GPU cannot compute the model with the same bits each time: {NO_FORM}",
        ),
    ],
)
def test_what_tensorflow_says_of_a_gpu_becomes_one_of_our_faults(
    in_process, kind, device, said, message
):
    import tensorflow as tf

    from bmtrain.errors import EnvironmentFault
    from bmtrain.workflows.session import native_faults

    with pytest.raises(EnvironmentFault) as caught, native_faults(device):
        raise getattr(tf.errors, f"{kind}Error")(None, None, said)
    assert caught.value.message == message
    assert caught.value.exit_code == 6
    assert ("--device cpu" in str(caught.value.hint)) == ("GPU" in message)


@pytest.mark.parametrize("kind", ["Internal", "Unimplemented"])
def test_what_else_tensorflow_says_is_not_called_a_lack_of_anything(in_process, kind):
    import tensorflow as tf

    from bmtrain.workflows.session import native_faults

    with pytest.raises(getattr(tf.errors, f"{kind}Error")), native_faults("gpu"):
        raise getattr(tf.errors, f"{kind}Error")(None, None, "a bug")
