"""``bmtrain explain`` and the model's ``explain`` on tables, texts, pictures and numbers."""

import json
from typing import Any

import numpy as np
import pytest

import bmtrain
from bmtrain.errors import DataError, UsageError

TEXTS = """\
name: texts
data: {source: ./texts.csv, label: opinion, text: review, tokens: {length: 6, vocabulary: 20}}
model:
  layers:
    - {type: embedding, output_dim: 4, mask_zero: true}
    - {type: global_average_pooling1d}
    - {type: dense, units: 2, activation: softmax}
loss: sparse_categorical_crossentropy
optimizer: {name: adam, learning_rate: 0.1}
training: {epochs: 20, batch_size: full, threads: 1, engine: graph}
"""
PICTURES = """\
name: pictures
data: {source: ./pictures.npz}
model: {layers: [{type: flatten}, {type: dense, units: 2}]}
loss: {name: sparse_categorical_crossentropy, from_logits: true}
optimizer: {name: adam, learning_rate: 0.1}
training: {epochs: 20, batch_size: full, threads: 1, engine: graph}
"""


def is_complete(entry):
    found = entry["integrated_gradients"]
    assert found["is_complete"]
    total = np.sum(found["attributions"])
    assert total == pytest.approx(found["sum"], rel=1e-5)
    change = found["score"] - found["baseline_score"]
    assert abs(total - change) <= 0.01 * abs(change) + 1e-5
    return True


def test_a_table_is_explained_by_its_columns(train, command, project):
    run = train("model.dropout=0", "training.epochs=6")
    shown = command("explain", run.path, "--repeats", "3")
    assert shown.exit_code == 0, shown.err
    directory = run.path / "explanations"
    document = json.loads((directory / "explanations.json").read_text())
    assert document["methods"] == ["integrated_gradients", "occlusion", "permutation", "weights"]
    assert document["kind"] == "table"
    assert document["explained"] == "logit"
    assert [entry["example"] for entry in document["examples"]] == [0, 1, 2, 3, 4]
    assert all(is_complete(entry) for entry in document["examples"])
    assert document["examples"][0]["names"] == ["x", "y", "z", "noise"]
    # The class is the largest of x, y and z; the fourth column tells nothing.
    ranked = [feature["name"] for feature in document["permutation"]["features"]]
    assert ranked[-1] == "noise"
    assert document["permutation"]["metric"] == "accuracy"
    assert document["permutation"]["value"] == run.summary["metrics"]["test"]["accuracy"]
    assert len(document["weights"]["features"]) == 4
    for words in ("permutation importance", "add up to", "error", str(directory / "index.html")):
        assert words in shown.out.replace("\n", " ")
    assert "<script" not in (directory / "index.html").read_text()

    from bmtrain.workflows.comparison.runs import read_runs
    from bmtrain.workflows.reporting.explained import explained_section
    from bmtrain.workflows.reporting.reading import read_reported

    (section,) = explained_section(read_reported(read_runs([run.path])[0]))
    assert str(directory / "index.html") in str(section.blocks)

    asked = ("explain", run.path, "--json", "--method", "occlusion")
    worst = command(*asked, "--worst", "2", "--target", "up", "-o", run.path / "more")
    assert worst.exit_code == 0, worst.err
    assert worst.document["methods"] == ["occlusion"]
    entries = worst.document["examples"]
    assert [entry["explained"] for entry in entries] == ["up", "up"]
    assert all(entry["predicted"] != entry["target"] for entry in entries)
    assert worst.document == json.loads((run.path / "more" / "explanations.json").read_text())

    for arguments, exit_code, told in [
        (("--examples", "1,62"), 3, "no example 62: there are 62"),
        (("--examples", "1,-2"), 2, "numbers of examples"),
        (("--examples", "1", "--worst", "1"), 2, "either --examples or --worst"),
        (("--target", "upp"), 2, "did you mean 'up'?"),
        (("-o", project), 6, "not empty"),
        (("--method", "permutation", "--data", project / "nothing.csv"), 3, "nothing.csv"),
    ]:
        ended = command("explain", run.path, *arguments)
        assert ended.exit_code == exit_code, ended.err
        assert told in " ".join(ended.err.split())
    alone = command("explain", run.checkpoint(), "-o", run.path / "alone")
    assert alone.exit_code == 2
    assert "--data PATH" in alone.err
    given = command(
        "explain", run.checkpoint(), "--data", project / "points.csv", "--json",
        "--method", "integrated_gradients", "--examples", "309", "-o", run.path / "alone",
    )  # fmt: skip
    assert given.exit_code == 0, given.err
    assert given.document["examples"][0]["target"] is None


def test_numbers_that_are_predicted_are_explained_as_they_are(train, command):
    run = train("training.epochs=200", config="line.yaml")
    ended = command("explain", run.path, "--json", "--examples", "0")
    assert ended.exit_code == 0, ended.err
    (entry,) = ended.document["examples"]
    assert ended.document["explained"] == "output"
    assert ended.document["permutation"]["metric"] == "loss"
    assert entry["probability"] is None
    assert is_complete(entry)
    # Of h(x) = w·x + b at the baseline 0: w·x, by either method.
    losses = entry["occlusion"]["losses"]
    assert entry["integrated_gradients"]["attributions"] == pytest.approx(losses, abs=1e-4)
    assert sum(losses) == pytest.approx(
        entry["predicted"][0] - entry["integrated_gradients"]["baseline_score"], abs=1e-4
    )
    model = bmtrain.load(run.path)
    x = np.random.default_rng(2).normal(size=(5, 3)).astype(np.float32)
    found = model.explain(x)
    expected = x * model.weights["layers.0.kernel"][:, 0]
    assert found.integrated_gradients is not None
    assert found.occlusion is not None
    np.testing.assert_allclose(found.integrated_gradients, expected, atol=1e-5)
    np.testing.assert_allclose(found.occlusion, expected, atol=1e-5)
    assert found.parts == ("a", "b", "c")
    assert (found.score, found.explained.tolist()) == ("output", [0] * 5)
    np.testing.assert_allclose(found.scores, model.predict(x).outputs[:, 0], rtol=1e-5)
    np.testing.assert_allclose(found.baseline_scores, model.weights["layers.0.bias"][0], rtol=1e-5)
    assert found.is_complete.all()
    assert found.num_steps.tolist() == [32] * 5
    alone = model.explain({"a": [1.0], "b": [2.0], "c": [0.0]}, methods=["occlusion"])
    assert alone.integrated_gradients is None
    assert np.isnan(alone.errors).all()
    refused: list[tuple[dict[str, Any], str]] = [
        ({"target": 1}, "target: there is no target '1'"),
        ({"methods": ["permutation"]}, "permutation does not suit tables"),
        ({"methods": ["saliency"]}, "saliency is not known here"),
    ]
    for words, told in refused:
        with pytest.raises(UsageError, match=told):
            model.explain(x, **words)
    with pytest.raises(DataError, match=r"expected examples of shape \(3,\)"):
        model.explain(x[:, :2])


def test_of_a_text_the_word_that_decides_stands_out(train, command, tmp_path):
    rows = [f"the film was {word},{word}\n" for word in ("good", "bad")] * 20
    (tmp_path / "texts.csv").write_text("review,opinion\n" + "".join(rows))
    (tmp_path / "texts.yaml").write_text(TEXTS)
    run = train(config=tmp_path / "texts.yaml")
    ended = command("explain", run.path, "--json", "--examples", "0")
    assert ended.exit_code == 0, ended.err
    (entry,) = ended.document["examples"]
    assert ended.document["methods"] == ["integrated_gradients", "occlusion"]
    assert entry["names"] == ["the", "film", "was", entry["target"]]
    assert is_complete(entry)
    assert np.argmax(np.abs(entry["integrated_gradients"]["attributions"])) == 3
    assert np.argmax(entry["occlusion"]["losses"]) == 3
    assert f">{entry['target']}</span>" in (run.path / "explanations" / "index.html").read_text()
    texts = ["bad", " ".join(entry["names"])]
    found = bmtrain.load(run.path).explain(texts, target=entry["explained"])
    assert found.parts == (("bad",), tuple(entry["names"]))
    told = [*entry["integrated_gradients"]["attributions"], 0, 0]
    assert found.integrated_gradients is not None
    assert found.integrated_gradients[1].tolist() == pytest.approx(told, rel=1e-6)
    assert found.integrated_gradients[0, 0] != 0
    assert not found.integrated_gradients[0, 1:].any()
    assert found.scores[1] == entry["integrated_gradients"]["score"]
    assert found.errors[1] == pytest.approx(entry["integrated_gradients"]["error"])
    refused = command("explain", run.path, "--method", "permutation")
    assert refused.exit_code == 2
    assert "permutation does not suit texts" in refused.err


def test_of_a_picture_the_pixel_that_decides_stands_out(train, command, tmp_path):
    x = np.random.default_rng(5).integers(0, 256, (60, 6, 6)).astype(np.uint8)
    y = np.arange(60) % 2
    x[:, 2, 3] = 255 * y
    np.savez(tmp_path / "pictures.npz", x_train=x, y_train=y.astype(np.uint8))
    (tmp_path / "pictures.yaml").write_text(PICTURES)
    run = train(config=tmp_path / "pictures.yaml")
    ended = command("explain", run.path, "--json", "--examples", "1,3")
    assert ended.exit_code == 0, ended.err
    document, directory = ended.document, run.path / "explanations"
    assert document["baseline"] == "black"
    assert document["methods"] == ["integrated_gradients", "occlusion", "weights"]
    for entry in document["examples"]:
        assert is_complete(entry)
        values = np.array(entry["integrated_gradients"]["attributions"])
        assert values.shape == np.shape(entry["occlusion"]["losses"]) == (6, 6)
        assert np.unravel_index(np.abs(values).argmax(), (6, 6)) == (2, 3)
        for name in entry["pictures"].values():
            assert (directory / name).read_bytes().startswith(b"\x89PNG")
    assert (directory / document["weights"]["file"]).exists()
    assert sorted(document["weights"]["units"]) == [0, 1]
    html = (directory / "index.html").read_text()
    assert html.count("<img ") == 8  # two examples of three pictures, and two units
    again = command("explain", run.path, "--json", "--examples", "0", "--method", "occlusion")
    assert again.exit_code == 0, again.err
    assert sorted(path.name for path in directory.glob("*.png")) == [
        "example-00000-occlusion.png", "example-00000.png"
    ]  # fmt: skip
    refused = command("explain", run.path, "--method", "permutation")
    assert refused.exit_code == 2
    assert "permutation does not suit pictures" in refused.err
