"""The readers that are fuzzed, each as the commands call it, up to the point where TensorFlow starts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Literal

from bmtrain.checkpoint.index import read_index
from bmtrain.checkpoint.read import read_checkpoint, verify_checkpoint
from bmtrain.config.load import LoadedConfig, load_config
from bmtrain.config.resolved import experiment_from_plain, plain, resolved_yaml
from bmtrain.config.sections.data import DataSection, SplitsSection
from bmtrain.config.source_text import SourceText
from bmtrain.config.yaml_reader import read_yaml
from bmtrain.data.checks.inspection import inspect_dataset
from bmtrain.data.encodings.image_encoding import ImageEncoding
from bmtrain.data.examples.dataset import DataFacts, Task
from bmtrain.data.examples.normalization import fit_preprocessing
from bmtrain.data.load import load_dataset, load_examples
from bmtrain.data.pictures import picture_decoding
from bmtrain.data.tables.table_formats import TABLE_FORMATS, is_table
from bmtrain.runs.environment import read_json
from bmtrain.runs.metrics_log import read_epochs
from bmtrain.workflows.restoring import read_restored
from fuzzing.judging import Reader

PICTURE = "picture.png"
ROOT = Path(__file__).resolve().parents[2]
#: In an input of arguments, what comes before a text for ``--expect``.
EXPECT = "--expect="


def load(directory: Path) -> None:
    """``config.yaml``; what loads is written out and read back, too."""
    _written_and_read(load_config(directory / "config.yaml"))


def load_with_arguments(directory: Path) -> None:
    """The smoke config under the arguments in the file ``arguments``, which end in null bytes."""
    content = _content(directory / "arguments")
    texts = [os.fsdecode(text) for text in content.split(b"\0") if text]
    expectations = [text.removeprefix(EXPECT) for text in texts if text.startswith(EXPECT)]
    overrides = [text for text in texts if not text.startswith(EXPECT)]
    _written_and_read(load_config(ROOT / "configs" / "smoke.yaml", overrides, expectations))


def _written_and_read(loaded: LoadedConfig) -> None:
    document = plain(loaded.experiment)
    assert experiment_from_plain(document) == loaded.experiment
    text = resolved_yaml(loaded.experiment)
    _, problems = read_yaml(text, SourceText.of("resolved", text, Path()))
    assert not problems, problems


def parse(directory: Path) -> None:
    """The parser alone, on any text that can be decoded."""
    text = _content(directory / "config.yaml").decode("utf-8", errors="surrogateescape")
    read_yaml(text, SourceText.of("config.yaml", text, directory))


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def of_data(name: str) -> dict[str, Reader]:
    """Reading ``name`` as a source for either task, and as examples for a trained model."""
    return {
        "classification": partial(_source, name=name, task="classification"),
        "regression": partial(_source, name=name, task="regression"),
        "examples": partial(_examples, name=name),
    }


def _source(directory: Path, *, name: str, task: Task) -> None:
    path = directory / name
    names = _header(path)
    label = names[-1] if names else None
    # Regression is read under fractions, too: they draw splits.
    splits = SplitsSection(validation=0.25) if task == "regression" else SplitsSection()
    section = DataSection(source=str(path), label=label, splits=splits)
    dataset = load_dataset(section, task=task, seed=1)
    for kind in ("auto", "unit", "standardize"):
        fit_preprocessing(dataset, kind)
    inspect_dataset(dataset)
    # The first columns as weights and groups; no config can name a column that has no name.
    if len(set(names)) > 3 and names[1]:
        splits = SplitsSection(fold="1/2", group=names[1])
        changes = {"sample_weight": names[0], "splits": splits}
        load_dataset(section.model_copy(update=changes), task=task, seed=1)


def stream(directory: Path) -> None:
    """The set as it stays in its files, with the weights and groups that were converted."""
    for splits in (SplitsSection(), SplitsSection(fold="1/2", group="g")):
        weight = None if splits.group is None else "w"
        keys = {"storage": "stream", "sample_weight": weight, "splits": splits}
        section = DataSection.model_validate({"source": str(directory), **keys})
        inspect_dataset(load_dataset(section, task="classification", seed=1))


def _header(path: Path) -> list[str]:
    name = path.suffix[1:]
    return TABLE_FORMATS[name].header(path) if is_table(name) else []


def _examples(directory: Path, *, name: str) -> None:
    path = directory / name
    names = tuple(_header(path)[:-1]) if is_table(path.suffix[1:]) else None
    facts = DataFacts(
        task="classification",
        input_shape=(2, 2) if names is None else (len(names),),
        input_dtype="uint8" if names is None else "float32",
        class_names=("0", "1"),
        num_outputs=2,
        feature_names=names,
        label_name="kind" if names is not None else None,
        num_train_examples=4,
        fingerprint="",
    )
    labels: tuple[Literal["optional", "required"], ...] = ("optional", "required")
    for wanted in labels:
        load_examples(path, facts, labels=wanted)


def decode(directory: Path) -> None:
    """The picture as inputs of either number of channels."""
    with _small_pictures():
        for encoding in (ImageEncoding(5, 7, 1), ImageEncoding(5, 7, 3, "pad")):
            found = picture_decoding.decode_file(directory / PICTURE, encoding)
            assert found.shape == encoding.input_shape, found.shape


def look_at(directory: Path) -> None:
    """The picture's header."""
    with _small_pictures():
        picture_decoding.picture_header(directory / PICTURE)


@contextmanager
def _small_pictures() -> Iterator[None]:
    """A small file can be a large picture: a bound that fits the fuzzer's own of time and memory."""
    bound, picture_decoding.MAX_PIXELS = picture_decoding.MAX_PIXELS, 1 << 20  # type: ignore[misc]
    try:
        with picture_decoding.pillow_quiet():
            yield
    finally:
        picture_decoding.MAX_PIXELS = bound  # type: ignore[misc]


def restore(directory: Path) -> None:
    """The checkpoint as eval and predict read it, compared with the model that it describes."""
    read_restored(directory)


def read(directory: Path) -> None:
    """The checkpoint with its optimizer, as a resume reads it."""
    read_checkpoint(directory)


def verify(directory: Path) -> None:
    """The checkpoint as the store verifies it."""
    verify_checkpoint(directory)


def read_log(directory: Path) -> None:
    """The metrics log, as a resume reads it."""
    read_epochs(directory / "metrics.jsonl")


def read_index_of(directory: Path) -> None:
    """The index of the checkpoints, which is never wrong: at worst it says nothing."""
    read_index(directory)


def read_facts(directory: Path) -> None:
    """What the run recorded of itself; likewise."""
    read_json(directory / "run.json")
