"""``bmtrain eval`` through the command: figures, classes, and what it may be pointed at."""

import shutil

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from bmtrain.config.load import load_config
from bmtrain.runs.predictions import read_predictions
from bmtrain.workflows.evaluate import per_class_figures
from bmtrain.workflows.preparation import load_experiment_data


def test_a_checkpoint_moved_away_from_its_deleted_run_gives_the_summarys_figures(
    bmtrain, trained, tmp_path, project
):
    """Under XLA and in a process of its own; equal as floats, not approximately."""
    run = trained("to-be-deleted", "training.epochs=2")
    summary = run.summary
    moved, data = tmp_path / "elsewhere", tmp_path / "test.npz"
    shutil.move(run.checkpoint("evaluated_checkpoint"), moved)
    shutil.rmtree(run.path)
    split = load_experiment_data(load_config(project / "points.yaml").experiment).splits["test"]
    np.savez(data, x=split.array, y=np.array(["left", "right", "up"])[split.labels])
    ended = bmtrain("eval", moved, "--data", data, "--json", directory=tmp_path)
    assert ended.exit_code == 0, ended.err
    document = ended.document
    assert document["metrics"] == summary["metrics"]["test"]
    assert (document["split"], document["examples"]) == (str(data), 62)
    assert document["checkpoint"] == str(moved)
    assert ended.err == ""


def test_the_document_is_as_promised(reference, command):
    document = command("eval", reference.path, "--json").document
    assert document.keys() >= {
        "checkpoint",
        "split",
        "examples",
        "metrics",
        "per_class",
        "confusion",
        "class_names",
    }
    assert (document["status"], document["exit_code"], document["error"]) == ("completed", 0, None)
    assert document["class_names"] == ["left", "right", "up"]


def test_precision_recall_f1_and_confusion_are_those_of_scikit_learn(graph, command):
    document = command("eval", graph.path, "--json").document
    stored = read_predictions(graph.path / "predictions" / "test.safetensors")
    np.testing.assert_array_equal(
        document["confusion"], confusion_matrix(stored.labels, stored.predicted)
    )
    precision, recall, f1, support = precision_recall_fscore_support(
        stored.labels, stored.predicted, zero_division=np.nan
    )
    for i, entry in enumerate(document["per_class"]):
        assert entry == {
            "class": document["class_names"][i],
            "precision": pytest.approx(precision[i], abs=1e-12),
            "recall": pytest.approx(recall[i], abs=1e-12),
            "f1": pytest.approx(f1[i], abs=1e-12),
            "support": support[i],
        }


def test_what_has_no_denominator_is_undefined_as_in_scikit_learn():
    """Class 1 is never predicted, class 2 never true, class 3 neither."""
    labels, predicted = np.array([0, 0, 1, 1, 0]), np.array([0, 2, 0, 2, 0], np.int32)
    found = per_class_figures(labels, predicted, ("a", "b", "c", "d"))
    *expected, support = precision_recall_fscore_support(
        labels, predicted, labels=[0, 1, 2, 3], zero_division=np.nan
    )
    for i, entry in enumerate(found):
        figures = [entry[name] for name in ("precision", "recall", "f1")]
        as_floats = [np.nan if figure is None else figure for figure in figures]
        np.testing.assert_allclose(as_floats, [column[i] for column in expected], atol=1e-12)
        assert entry["support"] == support[i]
    assert [(e["precision"], e["recall"], e["f1"]) for e in found[1:]] == [
        (None, 0, 0), (0, None, 0), (None, None, None)]  # fmt: skip


@pytest.fixture
def graph(trained):
    return trained("graph", "training.engine=graph")


@pytest.mark.parametrize("split", ["validation", "test"])
def test_a_split_gives_the_figures_of_the_summary(graph, command, split):
    document = command("eval", graph.path, "--split", split, "--json").document
    assert document["split"] == split
    assert document["metrics"] == graph.summary["metrics"][split]


def test_the_training_split_is_evaluated_without_dropout(graph, command):
    document = command("eval", graph.path, "--split", "train", "--json").document
    assert document["examples"] == 186
    assert document["metrics"] != graph.summary["metrics"]["train"]


def test_other_data_is_read_by_column_name_and_class_name(graph, command, project, tmp_path):
    """The columns turned round and one more; the figures follow from the predictions."""
    lines = [line.split(",") for line in (project / "points.csv").read_text().splitlines()]
    turned = tmp_path / "turned.csv"
    turned.write_text(
        "\n".join(",".join([*line[::-1], "7"]) for line in lines).replace(
            "side,noise,z,y,x,7", "side,noise,z,y,x,more"
        )
        + "\n"
    )
    refused = command("eval", graph.path, "--data", turned, "--json")
    assert refused.exit_code == 3
    assert "does not know the column 'more'" in refused.document["error"]["message"]
    options = ("--data", turned, "--ignore-unknown-columns")
    document = command("eval", graph.path, *options, "--json").document
    plain = command("eval", graph.path, "--data", project / "points.csv", "--json").document
    assert (document["split"], document["examples"]) == (str(turned), 310)
    assert document["metrics"] == plain["metrics"]
    assert document["confusion"] == plain["confusion"]
    hits = np.trace(document["confusion"])
    assert document["metrics"]["accuracy"] == pytest.approx(hits / 310, abs=1e-12)


def test_ignoring_columns_is_about_other_data(graph, command):
    ended = command("eval", graph.path, "--ignore-unknown-columns")
    assert ended.exit_code == 2
    assert "--ignore-unknown-columns is about --data" in ended.err


def test_a_class_that_the_model_does_not_know_is_exit_3_with_file_and_row(graph, command, tmp_path):
    table = tmp_path / "strange.csv"
    table.write_text("x,y,z,noise,side\n1,2,3,4,left\n1,2,3,4,down\n")
    ended = command("eval", graph.path, "--data", table, "--json")
    assert ended.exit_code == 3
    assert "strange.csv" in ended.err
    assert "down" in ended.err


def test_data_that_changed_since_is_refused(train, command, project, tmp_path):
    """Figures of another test split under the old name would mislead."""
    own = tmp_path / "own.csv"
    shutil.copy(project / "points.csv", own)
    run = train(f"data.source={own}", "training.epochs=1")
    own.write_text(own.read_text().replace("0.", "1.", 1))
    ended = command("eval", run.path, "--json")
    assert ended.exit_code == 3
    assert "fingerprint" in ended.document["error"]["message"]
    assert "--data" in ended.err


def test_a_split_that_is_not_there_is_exit_3(run_of, command):
    run = run_of("data.splits.test=null", "training.epochs=1")
    ended = command("eval", run.path, "--split", "test", "--json")
    assert ended.exit_code == 3
    assert "train, validation" in ended.document["error"]["message"]
    assert command("eval", run.path, "--json").document["split"] == "validation"


def test_a_regression_has_no_classes(train, command):
    run = train("data.splits.test=0.2", "training.epochs=5", config="line.yaml")
    document = command("eval", run.path, "--json").document
    assert not {"per_class", "confusion", "class_names"} & document.keys()
    assert document["metrics"] == run.summary["metrics"]["test"]


def test_a_damaged_last_checkpoint_is_passed_over_and_said(run_of, command):
    run = run_of(
        "data.splits.validation=null", "training.epochs=8", "training.checkpoint.every_epochs=1"
    )
    newest = run.checkpoint()
    model = newest / "model.safetensors"
    content = bytearray(model.read_bytes())
    content[-1] ^= 1
    model.write_bytes(content)
    document = command("eval", run.path, "--json").document
    assert document["checkpoint"] != str(newest)
    assert any(newest.name in skipped for skipped in document["skipped"])
    ended = command("eval", newest, "--json")
    assert ended.exit_code == 7
    assert "model.safetensors" in ended.err


def test_what_is_no_checkpoint_is_exit_7(command, tmp_path):
    assert command("eval", tmp_path, "--json").exit_code == 7
    assert command("eval", tmp_path / "nothing", "--json").exit_code == 2


def test_a_run_without_a_checkpoint_is_told_as_one(run_of, command):
    run = run_of("training.epochs=1")
    shutil.rmtree(run.path / "checkpoints")
    ended = command("eval", run.path)
    assert ended.exit_code == 7
    words = " ".join(ended.err.split())
    assert "the run has no checkpoint yet" in words
    assert f"bmtrain train {run.path} --resume" in words


def test_binary_classification_is_evaluated_by_its_one_output(command, tmp_path):
    random = np.random.default_rng(3)
    x = random.normal(size=(120, 2)).astype(np.float32)
    y = (x.sum(axis=1) + 0.5 * random.normal(size=120) > 0).astype(np.int64)
    np.savez(tmp_path / "two.npz", x_train=x[:80], y_train=y[:80], x_test=x[80:], y_test=y[80:])
    (tmp_path / "two.yaml").write_text(
        "name: two\ndata: {source: ./two.npz}\nmodel: {type: mlp, hidden: []}\n"
        "loss: {name: binary_crossentropy, from_logits: true}\nmetrics: [accuracy]\n"
        "optimizer: {name: sgd, learning_rate: 0.5}\n"
        "training: {epochs: 3, threads: 1, engine: graph}\n"
    )
    run_dir = tmp_path / "run"
    summary = command("train", tmp_path / "two.yaml", "--run-dir", run_dir, "--json").document
    stored = read_predictions(run_dir / "predictions" / "test.safetensors")
    np.testing.assert_array_equal(stored.predicted, stored.outputs[:, 0] > 0)
    accuracy = np.mean(stored.predicted == y[80:])
    assert summary["metrics"]["test"]["accuracy"] == pytest.approx(accuracy)
    document = command("eval", run_dir, "--json").document
    np.testing.assert_array_equal(document["confusion"], confusion_matrix(y[80:], stored.predicted))


def test_more_outputs_than_classes_lose_no_example_in_the_confusion():
    from bmtrain.workflows.evaluate import confusion_matrix as counted
    from bmtrain.workflows.evaluate import per_class_figures

    labels, predicted = np.array([0, 1, 1, 0]), np.array([0, 3, 1, 1], np.int32)
    confusion = counted(labels, predicted, 2)
    assert confusion is not None
    assert confusion.shape == (4, 4)
    assert confusion.sum() == 4
    figures = per_class_figures(labels, predicted, ("a", "b"))
    assert [entry["support"] for entry in figures] == [2, 2]
    assert figures[1]["precision"] == figures[1]["recall"] == 0.5


def test_the_square_of_very_many_classes_is_left_out():
    """Few examples and a model of a million outputs would otherwise make terabytes of zeros."""
    from bmtrain.workflows.evaluate import confusion_matrix as counted

    labels = np.array([0, 1])
    assert counted(labels, np.array([0, 1], np.int32), 2_000) is not None
    assert counted(labels, np.array([0, 1], np.int32), 1_000_000) is None
    assert counted(labels, np.array([0, 999_999], np.int32), 2) is None
