"""Cost by hand, the checkpoint against a real one, and the burst against its own figures."""

import pytest

from bmtrain.config.load import load_config
from bmtrain.errors import TrainingDiverged
from bmtrain.workflows.checking import cost, measurement
from bmtrain.workflows.checking.cost import cost_section
from bmtrain.workflows.preparation import prepare


@pytest.fixture
def prepared(project):
    def run(*overrides, config="points.yaml"):
        return prepare(load_config(project / config, overrides))

    return run


def test_steps_flops_and_bytes_by_hand(prepared):
    """186 training examples of 4 float32; 4 → 8 → 3: 2·(4·8 + 8·3) FLOPs forward, thrice that."""
    facts = cost_section(prepared()).facts
    assert facts["batch_size"] == 8
    assert facts["steps"] == {"step": 1, "epoch": 24, "training": 72}  # 23 of 8 and one of 2
    per_example = 3 * 2 * (4 * 8 + 8 * 3)
    assert facts["flops"] == {
        "example": per_example,
        "step": 8 * per_example,
        "epoch": 186 * per_example,
        "training": 3 * 186 * per_example,
    }
    sums = ("available", "total", "at_least")
    memory = {k: v for k, v in facts["memory_bytes"].items() if k not in sums}
    # 91 parameters; Adam keeps two of each; labels are int32.
    assert memory == {
        "weights": 364,
        "gradients": 364,
        "optimizer": 728,
        "held": 3 * 364,  # there is a validation split
        "snapshot": 2 * 728,
        "kept": 8 * (8 + 3) * 4,
        # Normalisation, dropout: two of 8 values, relu one; 8 and 8 at its gradient.
        "batch": 8 * (8 + 2 * 8 + 8 + 2 * 8 + 3 + 16) * 4,
        "data": 186 * (4 + 1) * 4,
        "program": (700 + 2 * (60 + 50) + 60) * 10**6 + 50 * 10**6 // 3,
    }
    kept = memory.pop("kept")
    assert facts["memory_bytes"]["total"] == sum(memory.values())
    least = sum(memory.values()) - memory["batch"] - memory["program"] + kept
    assert facts["memory_bytes"]["at_least"] == least


@pytest.mark.long
def test_the_estimate_is_near_the_peak_of_a_real_run(reference, prepared):
    """Of a small model it is TensorFlow's own memory."""
    total = cost_section(prepared()).facts["memory_bytes"]["total"]
    assert total == pytest.approx(reference.summary["peak_memory_bytes"], rel=0.2)


def test_the_last_short_step_and_an_early_end_are_told(prepared):
    (found, *_) = cost_section(prepared("training.early_stopping={patience: 1}")).findings
    assert found.message == "at most 3 epochs of 24 steps, the last one of 2 examples"
    (found, *_) = cost_section(prepared("training.batch_size=full")).findings
    assert found.message == "3 epochs of 1 step"


@pytest.mark.parametrize(("available", "level"), [(10**12, "ok"), (996_005_000, "warning")])
def test_memory_that_hardly_suffices_is_a_warning(prepared, monkeypatch, available, level):
    monkeypatch.setattr(cost, "available_memory", lambda: available)
    (_, found) = cost_section(prepared()).findings
    assert found.level == level
    assert found.message.startswith("memory: about 997 MB")
    assert ("close other programs" in found.message) == (level == "warning")


def test_with_a_gpu_the_hosts_memory_says_nothing(prepared, monkeypatch):
    monkeypatch.setattr("bmtrain.workflows.preparation.may_have_gpu", lambda: True)
    section = cost_section(prepared())
    assert section.facts["memory_bytes"]["available"] is None
    assert "GPU" in section.findings[1].message
    on_cpu = cost_section(prepared("training.device=cpu"))
    assert on_cpu.facts["memory_bytes"]["available"] > 0
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert cost_section(prepared()).facts["memory_bytes"]["available"] > 0


def test_the_size_of_a_checkpoint_is_that_of_the_tensors_of_a_real_one(reference, prepared):
    stored = cost_section(prepared()).facts["checkpoint_bytes"]
    files = [reference.checkpoint() / f"{name}.safetensors" for name in ("model", "optimizer")]
    real = sum(file.stat().st_size for file in files)
    assert stored <= real <= stored + 4096  # the headers: names, shapes, a counter


@pytest.fixture
def measured(in_process, prepared, monkeypatch):
    monkeypatch.setattr(measurement, "BURST_S", 0.05)

    def run(*overrides):
        return measurement.measured_section(prepared("training.engine=graph", *overrides))

    return run


def test_the_estimate_follows_from_what_was_measured(measured):
    facts = measured("training.epochs=200").facts
    assert facts["steps"] >= 2
    assert facts["evaluation_s"] > 0
    assert facts["epoch_s"] == pytest.approx(24 * facts["step_s"] + facts["evaluation_s"])
    assert facts["examples_per_s"] == pytest.approx(186 / (24 * facts["step_s"]))
    begins = facts["startup_s"] + facts["compile_s"]
    assert facts["training_s"] == pytest.approx(begins + 200 * facts["epoch_s"])
    assert (facts["engine"], facts["threads"]) == ("graph", 1)


def test_a_training_of_one_step_is_measured_too(measured):
    facts = measured("training.epochs=1", "training.batch_size=full").facts
    assert facts["steps"] == 1
    assert facts["step_s"] > 0


def test_a_burst_ends_though_the_training_is_long(measured):
    assert measured("training.epochs=1000000").facts["steps"] < 1_000_000


def test_what_diverges_at_once_ends_as_training_would(measured):
    with pytest.raises(TrainingDiverged, match="not finite at step"):
        measured("optimizer={name: sgd, learning_rate: 1.0e+38}")


def test_measuring_leaves_no_run_behind_and_ends_the_ladder(bmtrain, project, tmp_path):
    ended = bmtrain("check", project / "points.yaml", "--measure", "--json", directory=tmp_path)
    assert ended.exit_code == 0, ended.err
    assert list(tmp_path.iterdir()) == []
    titles = [section["title"] for section in ended.document["sections"]]
    assert titles == ["config", "data", "model", "cost", "environment", "measured"]
    facts = ended.document["sections"][-1]["facts"]
    assert facts["engine"] == "xla"
    assert facts["steps"] > 0


def test_divergence_has_its_exit_code_and_its_section(bmtrain):
    words = ("optimizer={name: sgd, learning_rate: 1.0e+38}", "--measure", "--json")
    ended = bmtrain("check", "points.yaml", *words)
    assert ended.exit_code == 5
    assert ended.document["status"] == "diverged"
    last = ended.document["sections"][-1]
    assert last["title"] == "measured"
    assert [finding["level"] for finding in last["findings"]] == ["error"]


def test_nothing_is_measured_where_the_environment_is_wrong(bmtrain):
    ended = bmtrain("check", "points.yaml", "--measure", "--json", BMTRAIN_RUNS="/dev/null/runs")
    assert ended.exit_code == 6
    assert [section["title"] for section in ended.document["sections"]][-1] == "environment"
