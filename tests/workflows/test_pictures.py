"""Pictures through the commands: from a folder to predictions that name each file."""

import csv
import io
import json
import shutil

import numpy as np
import pytest
from PIL import Image

import bmtrain as program

CONFIG = """\
name: shapes
data: {source: ./shapes, image: {size: [8, 6], channels: 1}}
model: {type: mlp, hidden: [8]}
loss: sparse_categorical_crossentropy
metrics: [accuracy]
optimizer: {name: adam, learning_rate: 0.01}
training: {epochs: 8, batch_size: 8, threads: 1, engine: graph}
expect: ["test.accuracy > 0.9"]
"""


def picture(name, numbers):
    """A bright half on a dark one, in noise; stored larger and turned on its side."""
    pixels = numbers.integers(0, 60, (8, 6))
    half = np.s_[:, :3] if name == "left" else np.s_[:, 3:]
    pixels[half] += 150
    return pixels.astype(np.uint8).repeat(2, 0).repeat(2, 1)


def write_shapes(directory):
    numbers = np.random.default_rng(5)
    exif = Image.Exif()
    exif[0x0112] = 6  # turned clockwise before it is shown
    for split, number in (("train", 24), ("test", 8)):
        for name in ("left", "right"):
            folder = directory / "shapes" / split / name
            folder.mkdir(parents=True)
            for i in range(number):
                pixels = picture(name, numbers)
                if i % 2:
                    Image.fromarray(np.rot90(pixels)).save(folder / f"{i:02}.png", exif=exif)
                else:
                    Image.fromarray(pixels).save(folder / f"{i:02}.png")
    (directory / "shapes.yaml").write_text(CONFIG)


@pytest.fixture(scope="session")
def shapes(make_once):
    return make_once("shapes", write_shapes)


@pytest.fixture
def run(trained, shapes):
    run = trained("of-shapes", config=shapes / "shapes.yaml")
    assert run.ended.exit_code == 0, run.ended.err
    return run.path


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_a_folder_trains_and_its_run_is_evaluated_on_it_and_on_others(run, shapes, command):
    own = command("eval", run, "--json").document
    assert own["metrics"]["accuracy"] > 0.9
    other = command("eval", run, "--data", shapes / "shapes", "--json").document
    assert other["metrics"] == own["metrics"]
    assert other["examples"] == 16


def test_each_prediction_names_its_pictures_file(run, shapes, command, tmp_path):
    test = shapes / "shapes" / "test"
    table = test / "list.csv"
    shutil.copytree(test, tmp_path / "test")
    (tmp_path / "test" / "list.csv").write_text("picture\nright/01.png\nleft/02.png\n")
    table = tmp_path / "test" / "list.csv"
    cases = {
        "one": ([test / "left" / "03.png"], 1),
        "folder": ([test / "right"], 8),
        "classes": ([test], 16),
        "table": ([table], 2),
        "two": ([test / "right" / "01.png", table], 3),
    }
    for inputs, number in cases.values():
        ended = command("predict", run, *inputs)
        assert ended.exit_code == 0, ended.err
        found = rows(ended.out)
        assert len(found) == number
        for row in found:
            assert row["predicted"] == row["file"].split("/")[-2]
    assert command("predict", run, test, "-o", tmp_path / "out.npz").exit_code == 0
    with np.load(tmp_path / "out.npz") as arrays:
        files, predicted = arrays["file"], arrays["class_names"][arrays["predicted"]]
    assert [file.split("/")[-2] for file in files] == predicted.tolist()


def test_a_program_predicts_paths(run, shapes, in_process):
    left, right = (shapes / "shapes" / "test" / name for name in ("left", "right"))
    model = program.load(run)
    found = model.predict([left / "03.png", str(right)])
    assert found.labels == ["left"] + ["right"] * 8
    assert found.files is not None
    assert found.files[:2] == (left / "03.png", right / "00.png")
    pixels = np.asarray(Image.open(right / "00.png").resize((6, 8), Image.Resampling.BILINEAR))
    as_array = model.predict(pixels[None, ..., None])
    np.testing.assert_allclose(as_array.outputs[0], found.outputs[1], atol=1e-6)
    assert as_array.files is None


def test_an_unreadable_picture_is_exit_3_with_its_path_and_no_output(
    run, shapes, command, tmp_path
):
    shutil.copytree(shapes / "shapes", tmp_path / "shapes")
    (tmp_path / "shapes.yaml").write_text(CONFIG)
    broken = tmp_path / "shapes" / "test" / "left" / "03.png"
    broken.write_bytes(broken.read_bytes()[:60])
    for words in (
        ("check", tmp_path / "shapes.yaml"),
        ("train", tmp_path / "shapes.yaml", "--run-dir", tmp_path / "run"),
        ("eval", run, "--data", tmp_path / "shapes"),
        ("predict", run, tmp_path / "shapes", "-o", tmp_path / "out.csv"),
    ):
        ended = command(*words)
        assert ended.exit_code == 3
        assert "the picture is damaged" in ended.err + ended.out
        assert "03.png" in ended.err + ended.out
    assert not (tmp_path / "out.csv").exists()


def test_a_checkpoint_moved_away_knows_how_its_pictures_were_made(run, shapes, command, tmp_path):
    checkpoint = next((run / "checkpoints").glob("step-*"))
    shutil.copytree(checkpoint, tmp_path / "moved")
    pictures = shapes / "shapes" / "test" / "left"
    there = command("predict", tmp_path / "moved", pictures)
    assert there.out == command("predict", run, pictures).out


def test_init_writes_a_config_for_a_folder_that_is_valid_and_says_why(shapes, command, tmp_path):
    ended = command("init", "--data", shapes / "shapes", "-o", tmp_path / "c.yaml", "--json")
    assert ended.exit_code == 0, ended.err
    choices = {choice["key"]: choice for choice in json.loads(ended.out)["choices"]}
    assert choices["data.image"]["value"] == {"size": [16, 12], "channels": 1}
    assert (
        "most pictures are 16 × 12 (height × width); all are grey"
        in choices["data.image"]["reason"]
    )
    assert command("check", tmp_path / "c.yaml").exit_code == 0


def test_a_large_picture_is_made_smaller_for_a_first_training(command, tmp_path):
    for name in "ab":
        (tmp_path / "d" / name).mkdir(parents=True)
        for i in range(3):
            pixels = np.full((200, 400, 3), 60 * i, np.uint8)
            Image.fromarray(pixels).save(tmp_path / "d" / name / f"{i}.jpg")
    ended = command("init", "--data", tmp_path / "d", "-o", tmp_path / "c.yaml", "--json")
    choices = {choice["key"]: choice["value"] for choice in json.loads(ended.out)["choices"]}
    assert choices["data.image"] == {"size": [32, 64], "channels": 3}


def test_an_export_says_how_its_pictures_are_made_and_takes_uint8(run, shapes, command, tmp_path):
    words = ("export", run, "--to", "safetensors", "-o", tmp_path / "m.safetensors", "--json")
    assert command(*words, "--data", shapes / "shapes" / "test").exit_code == 0
    inputs = json.loads((tmp_path / "m.safetensors.json").read_text())["inputs"]
    assert (inputs["shape"], inputs["dtype"]) == ([8, 6, 1], "uint8")
    assert inputs["encoding"]["kind"] == "image"
    assert "stretch to 8 × 6, bilinear" in inputs["encoding"]["in_words"]
