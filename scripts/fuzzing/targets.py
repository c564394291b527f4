"""What is fuzzed: one row per format. A new reader of files gets its row here.

A row names the files' main name (an input of that one file is kept as a file, others as a
directory), whole inputs to start from, what Hypothesis draws, and the functions that read:
each must return, or raise one of ``bmtrain.errors``.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hypothesis.strategies import SearchStrategy

from fuzzing import (
    arrays,
    checkpoints,
    configs,
    converted,
    idx,
    jsonl,
    parquet,
    pictures,
    readers,
    runs,
    tables,
)
from fuzzing.files import Files
from fuzzing.judging import Reader


@dataclass(frozen=True, slots=True)
class Target:
    """One format.

    Attributes:
        main: the name of the file that an input consists of where it is a single one.
        seeds: whole inputs; the first is a good one.
        inputs: from seeds (those, and what was found on the way) to inputs.
        readers: by name; each gets the directory with the input's files.
    """

    main: str
    seeds: Callable[[], Sequence[Files]]
    inputs: Callable[[Sequence[Files]], SearchStrategy[Files]]
    readers: Mapping[str, Reader]


TARGETS: dict[str, Target] = {
    "yaml": Target(
        main="config.yaml",
        seeds=configs.yaml_seeds,
        inputs=configs.yaml_inputs,
        readers={"load_config": readers.load, "read_yaml": readers.parse},
    ),
    "overrides": Target(
        main="arguments",
        seeds=configs.override_seeds,
        inputs=configs.override_inputs,
        readers={"load_config": readers.load_with_arguments},
    ),
    "idx": Target(
        main="train-images-idx3-ubyte",
        seeds=idx.seeds,
        inputs=idx.inputs,
        readers=readers.of_data("."),
    ),
    "npz": Target(
        main="data.npz",
        seeds=arrays.npz_seeds,
        inputs=arrays.npz_inputs,
        readers=readers.of_data("data.npz"),
    ),
    "npy": Target(
        main="x_train.npy",
        seeds=arrays.npy_seeds,
        inputs=arrays.npy_inputs,
        readers=readers.of_data("."),
    ),
    "csv": Target(
        main="data.csv",
        seeds=tables.seeds,
        inputs=tables.inputs,
        readers=readers.of_data("data.csv"),
    ),
    "parquet": Target(
        main=parquet.NAME,
        seeds=parquet.seeds,
        inputs=parquet.inputs,
        readers=readers.of_data(parquet.NAME),
    ),
    "jsonl": Target(
        main=jsonl.NAME,
        seeds=jsonl.seeds,
        inputs=jsonl.inputs,
        readers=readers.of_data(jsonl.NAME),
    ),
    "converted": Target(
        main=converted.NAME,
        seeds=converted.seeds,
        inputs=converted.inputs,
        readers={**readers.of_data("."), "streamed": readers.stream},
    ),
    "images": Target(
        main=pictures.NAME,
        seeds=pictures.seeds,
        inputs=pictures.inputs,
        readers={"decode_file": readers.decode, "picture_header": readers.look_at},
    ),
    "checkpoint": Target(
        main="manifest.json",
        seeds=checkpoints.seeds,
        inputs=checkpoints.inputs,
        readers={
            "read_restored": readers.restore,
            "read_checkpoint": readers.read,
            "verify_checkpoint": readers.verify,
        },
    ),
    "run": Target(
        main="metrics.jsonl",
        seeds=runs.seeds,
        inputs=runs.inputs,
        readers={
            "metrics.jsonl": readers.read_log,
            "index.json": readers.read_index_of,
            "run.json": readers.read_facts,
        },
    ),
}


def load_table(path: Path) -> Mapping[str, Target]:
    """``TARGETS`` of this file, or of another one."""
    if path == Path(__file__):
        return TARGETS
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"fuzz: {path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    table: Mapping[str, Target] = module.TARGETS
    return table
