"""``bmtrain predict`` through the command: every format in, the same predictions out."""

import csv
import gzip
import io
import json
import subprocess
import sys

import numpy as np
import pytest
from scipy.special import softmax

from bmtrain.runs.predictions import read_predictions


@pytest.fixture
def graph(trained):
    return trained("graph", "training.engine=graph")


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_a_table_is_predicted_by_column_name_without_labels(graph, command, project, tmp_path):
    table = [line.split(",") for line in (project / "points.csv").read_text().splitlines()]
    unlabelled = tmp_path / "unlabelled.csv"
    unlabelled.write_text("\n".join(",".join(row[3::-1]) for row in table) + "\n")
    first = command("predict", graph.path, project / "points.csv")
    second = command("predict", graph.path, unlabelled)
    assert (first.exit_code, second.exit_code) == (0, 0), first.err + second.err
    assert first.out == second.out
    predicted = rows(first.out)
    assert len(predicted) == 310


def test_predictions_are_those_of_the_evaluation(graph, command, project, tmp_path):
    """Rows of the stored test predictions, found again by their probabilities."""
    out = tmp_path / "out.npz"
    assert command("predict", graph.path, project / "points.csv", "-o", out).exit_code == 0
    stored = read_predictions(graph.path / "predictions" / "test.safetensors")
    with np.load(out) as arrays:
        everything = next(a for a in arrays.values() if a.shape == (310, 3))
    distances = np.abs(everything[:, None] - stored.outputs[None]).max(axis=2)
    assert distances.min(axis=0).max() < 1e-6
    np.testing.assert_allclose(everything.sum(axis=1), 1, rtol=1e-5)


def test_csv_jsonl_and_npz_say_the_same(graph, command, project, tmp_path):
    for suffix in ("csv", "jsonl", "npz"):
        ended = command(
            "predict", graph.path, project / "points.csv", "-o", tmp_path / f"out.{suffix}"
        )
        assert ended.exit_code == 0, ended.err
    table = rows((tmp_path / "out.csv").read_text())
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert len(table) == len(lines) == 310
    name = next(key for key, value in table[0].items() if value in {"left", "right", "up"})
    in_lines = next(k for k, v in lines[0].items() if v in ("left", "right", "up"))
    assert [row[name] for row in table] == [line[in_lines] for line in lines]


def test_a_missing_feature_column_is_exit_3_and_named(graph, command, tmp_path):
    table = tmp_path / "short.csv"
    table.write_text("x,y,noise\n1,2,3\n")
    ended = command("predict", graph.path, table)
    assert ended.exit_code == 3
    assert "'z'" in ended.err or " z" in ended.err
    assert ended.out == ""


def test_an_unknown_column_is_exit_3_and_passes_where_it_is_asked_for(
    graph, command, project, tmp_path
):
    lines = (project / "points.csv").read_text().splitlines()
    table = tmp_path / "more.csv"
    table.write_text("\n".join([f"{lines[0]},noize", *(f"{line},7" for line in lines[1:])]) + "\n")
    refused = command("predict", graph.path, table)
    assert refused.exit_code == 3
    assert refused.out == ""
    assert "more.csv, line 1" in refused.err
    assert "'noize'" in refused.err
    assert "'noise'" in refused.err
    asked = command("predict", graph.path, table, "--ignore-unknown-columns")
    assert asked.out == command("predict", graph.path, project / "points.csv").out


def test_where_the_config_chose_columns_its_own_table_is_predicted(train, command, project):
    run = train("data.features=[x, z]", "training.epochs=1")
    ended = command("predict", run.path, project / "points.csv")
    assert ended.exit_code == 0, ended.err
    assert len(rows(ended.out)) == 310


@pytest.fixture(scope="module")
def images(make_once):
    """Arrays as .npz, .npy and IDX, and a config for them."""

    def fill(directory):
        random = np.random.default_rng(5)
        x = random.integers(0, 256, (90, 5, 5)).astype(np.uint8)
        y = (x[:, 0, 0] > 127).astype(np.uint8)
        np.savez(
            directory / "images.npz", x_train=x[:60], y_train=y[:60], x_test=x[60:], y_test=y[60:]
        )
        np.save(directory / "new.npy", x[60:])
        np.savez(directory / "new.npz", x=x[60:])
        header = bytes([0, 0, 8, 3]) + np.array([30, 5, 5], ">i4").tobytes()
        (directory / "new-images-idx3-ubyte").write_bytes(header + x[60:].tobytes())
        (directory / "new-images-idx3-ubyte.gz").write_bytes(
            gzip.compress(header + x[60:].tobytes())
        )
        (directory / "images.yaml").write_text(
            "name: images\ndata: {source: ./images.npz}\nmodel: {type: mlp, hidden: [4]}\n"
            "loss: {name: sparse_categorical_crossentropy, from_logits: true}\noptimizer: adam\n"
            "training: {epochs: 2, threads: 1, engine: graph}\n"
        )

    return make_once("images", fill)


@pytest.mark.parametrize(
    "name", ["new.npy", "new.npz", "new-images-idx3-ubyte", "new-images-idx3-ubyte.gz"]
)
def test_arrays_of_every_format_give_the_probabilities_of_the_test_split(
    images, trained, command, tmp_path, name
):
    run = trained("images-run", config=images / "images.yaml")
    assert run.ended.exit_code == 0, run.ended.err
    out = tmp_path / "out.npz"
    ended = command("predict", run.path, images / name, "-o", out)
    assert ended.exit_code == 0, ended.err
    stored = read_predictions(run.path / "predictions" / "test.safetensors")
    with np.load(out) as arrays:
        probabilities = next(a for a in arrays.values() if a.shape == (30, 2))
    np.testing.assert_allclose(
        probabilities, softmax(stored.outputs.astype(np.float64), axis=1), rtol=1e-5
    )


def test_images_of_another_shape_are_exit_3(images, trained, command, tmp_path):
    run = trained("images-run", config=images / "images.yaml")
    np.save(tmp_path / "other.npy", np.zeros((2, 4, 5), np.uint8))
    ended = command("predict", run.path, tmp_path / "other.npy")
    assert ended.exit_code == 3
    assert "5" in ended.err


def test_a_regression_predicts_its_targets(train, command, project, tmp_path):
    run = train("training.epochs=200", config="line.yaml")
    out = tmp_path / "out.csv"
    assert command("predict", run.path, project / "line.csv", "-o", out).exit_code == 0
    label = (project / "line.csv").read_text().splitlines()[0].split(",")[3]
    assert out.read_text().splitlines()[0] == f"example,{label}"
    table = np.loadtxt(project / "line.csv", delimiter=",", skiprows=1)
    values = np.array([[float(v) for v in row.values()] for row in rows(out.read_text())])
    squared = (values - table[:, 3:]) ** 2
    least = squared.mean(axis=0).min() / 2  # whichever column holds the target
    assert least == pytest.approx(run.epochs[-1]["train"]["loss"], rel=0.01)


def test_standard_input_files_and_directories_give_the_same_predictions(
    graph, command, bmtrain, project, tmp_path
):
    table = project / "points.csv"
    expected = rows(command("predict", graph.path, table).out)
    lines = table.read_text().splitlines()
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "1.csv").write_text("\n".join(lines[:101]) + "\n")
    (tmp_path / "parts" / "2.csv").write_text("\n".join([lines[0], *lines[101:]]) + "\n")
    ended = command("predict", graph.path, tmp_path / "parts")
    assert ended.exit_code == 0, ended.err
    found = rows(ended.out)
    assert [row.pop("file").rpartition("/")[2] for row in found] == ["1.csv"] * 100 + [
        "2.csv"
    ] * 210
    assert [int(row["example"]) for row in found] == [*range(100), *range(210)]
    assert [row["predicted"] for row in found] == [row["predicted"] for row in expected]

    piped = bmtrain("predict", graph.path, "-", stdin=table.read_text())
    assert piped.exit_code == 0, piped.err
    assert [row["predicted"] for row in rows(piped.out)] == [row["predicted"] for row in expected]


def test_the_likeliest_classes_are_those_of_the_probabilities(graph, command, project):
    everything = rows(command("predict", graph.path, project / "points.csv").out)
    likeliest = rows(command("predict", graph.path, project / "points.csv", "--top", "2").out)
    assert list(likeliest[0]) == [
        "example", "predicted", "probability", "predicted_2", "probability_2"
    ]  # fmt: skip
    for all_classes, two in zip(everything, likeliest, strict=True):
        figures = {n: float(all_classes[f"probability_{n}"]) for n in ("left", "right", "up")}
        ranked = sorted(figures, key=lambda name: -figures[name])
        assert [two["predicted"], two["predicted_2"]] == ranked[:2]


def test_what_cannot_be_asked_for_is_a_usage_error(graph, command, train, project):
    ended = command("predict", graph.path, "-", project / "points.csv")
    assert ended.exit_code == 2
    assert "read alone" in ended.err
    line = train(config="line.yaml")
    ended = command("predict", line.path, project / "line.csv", "--top", "3")
    assert ended.exit_code == 2
    assert "--top is about classes" in ended.err


def test_an_error_in_a_later_block_leaves_no_file(graph, command, project, tmp_path):
    lines = (project / "points.csv").read_text().splitlines()
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("\n".join([*lines, *(lines[1:] * 200), "1,2,x,4,left"]) + "\n")
    ended = command("predict", graph.path, wrong, "-o", tmp_path / "out.csv")
    assert ended.exit_code == 3
    assert f"line {len(lines) + 310 * 200 + 1}" in ended.err
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("suffix", [pytest.param("csv", marks=pytest.mark.long), "npz"])
def test_ten_times_the_examples_take_no_more_memory(graph, bmtrain, tmp_path, suffix):
    """800,000 rows of an array, 12.8 MB, and their predictions, against a tenth of both."""
    peaks = []
    for num_rows in (80_000, 800_000):
        path = tmp_path / f"{num_rows}.npy"
        np.save(path, np.zeros((num_rows, 4), np.float32))
        code = f"""
import resource, sys
from bmtrain.cli.main import main
exit_code = main(["predict", {str(graph.path)!r}, {str(path)!r}, "-o", {str(tmp_path / ("o." + suffix))!r}])
print(exit_code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
        ended = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        exit_code, peak_kb = map(int, ended.stdout.split())
        assert exit_code == 0, ended.stderr
        peaks.append(peak_kb)
    # All at once it would be 12.8 MB of examples, as much of float64, and 800,000 rows of texts.
    assert peaks[1] - peaks[0] < 60_000
