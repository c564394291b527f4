"""Workflows that train nothing: the same interfaces, made-up figures, endings on demand.

Run as a script it is ``bmtrain`` with these workflows: ``fake_workflows.py SCENARIO ARGUMENTS``.
"""

import os
import signal
import sys
import time
from dataclasses import field, make_dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from bmtrain import events
from bmtrain.errors import (
    ConfigError,
    DataError,
    Diagnostic,
    EnvironmentFault,
    Interrupted,
    TrainingDiverged,
)

DIAGNOSTICS = (
    Diagnostic(
        "configs/mine.yaml",
        "unknown key; did you mean 'learning_rate'?",
        *("optimizer.learning_rte", 7, 3, 12, "  learning_rte: 0.01"),
    ),
    Diagnostic(
        "configs/mine.yaml", "expected an integer >= 1, got 'five'", "training.epochs", 9, 14
    ),
)
EVALUATED = {
    "best": {"which": "best", "epoch": 28, "monitor": "validation.loss"},
    "best of none": {"which": "best", "epoch": 28, "monitor": None},
    "last": {"which": "last", "epoch": 30, "monitor": "validation.loss"},
}


class Anything:
    """Equal to whatever plugins were named."""

    def __eq__(self, other):
        return True

    def __hash__(self):
        return 0


ANY = Anything()


def record(name, *fields, **defaults):
    """A class like the workflows' own requests and results, and as strict about its fields."""
    given = [(key, Any, default) for key, default in defaults.items()]
    return make_dataclass(name, [*fields, *given], frozen=True)


TrainRequest = record(
    "TrainRequest",
    "config",
    overrides=(),
    run_dir=None,
    expectations=(),
    device=None,
    start="new",
    allow_changed=(),
    fold=None,
    plugins=ANY,
)
EvaluateRequest = record(
    "EvaluateRequest",
    "checkpoint",
    "split",
    "data",
    "format",
    "ignore_unknown_columns",
    plugins=ANY,
)
PredictRequest = record(
    "PredictRequest",
    "checkpoint",
    "inputs",
    "format",
    "top",
    "ignore_unknown_columns",
    plugins=ANY,
)
ExportRequest = record(
    "ExportRequest",
    "checkpoint",
    "formats",
    "output",
    "data",
    "format",
    "tolerance",
    "force",
    plugins=ANY,
)
CheckRequest = record(
    "CheckRequest", "config", "overrides", measure=False, show_origin=False, plugins=ANY
)
Table = record("Table", "header", "rows")
Setting = record("Setting", "text", key="", value=None, origin="")
Finding = record("Finding", "level", "message", place=None)
Section = record(
    "Section", "title", "findings", tables=(), facts=None, settings=(), exit_code=3, stopped=False
)
Block = record("Block", "outputs", "predicted", files=None)
Predictions = record(
    "Predictions",
    "blocks",
    "class_names",
    "num_outputs",
    "sources",
    label_name=None,
    skipped=(),
    tells_files=False,
    unseen=field(default_factory=dict),
)


def summary(run_dir, epochs=2, *, met=True, penalty=0.0):
    figures = {"loss": 0.0786, "penalty": penalty, "objective": 0.0786 + penalty}
    return {
        "schema_version": 1,
        "status": "completed",
        "exit_code": 0 if met else 4,
        "error": None,
        "run_dir": str(run_dir),
        "checkpoint": "checkpoints/step-00009375",
        "best_checkpoint": None,
        "evaluated_checkpoint": "checkpoints/step-00009375",
        "epochs_completed": epochs,
        "steps_completed": 1875 * epochs,
        "parameters": 101_770,
        "metrics": {
            "train": {**figures, "accuracy": 0.9865},
            "test": {**figures, "accuracy": 0.9752},
        },
        "expectations": [{"text": "test.accuracy >= 0.97", "value": 0.9752, "met": met}],
        "timing": {"total_s": 9.2},
    }


class Workflows:
    """What each scenario does; ``requests`` keeps what the command line asked for."""

    def __init__(self, scenario="done", run_dir=Path("runs/mnist-1"), pause_s=0.0):
        self.scenario = scenario
        self.run_dir = run_dir
        self.pause_s = pause_s
        self.requests = []

    def train(self, request):
        self.requests.append(request)
        self.fail({"config": ConfigError("2 errors", diagnostics=DIAGNOSTICS)})
        run_dir = request.run_dir or self.run_dir
        batch_size = None if self.scenario == "regression" else 32
        plan = (str(request.config), "mnist", "mnist", run_dir, 2, batch_size)
        yield events.RunPlanned(*plan, overrides=request.overrides)
        self.fail(
            {
                "data": DataError(
                    "expected a number, got 'abc'", where="x.csv:12", hint="clean it"
                ),
                "pointed": DataError("no label", hint="name it", diagnostics=DIAGNOSTICS[1:]),
                "bug": RuntimeError("tensors\nand more"),
                "memory": MemoryError(),
                "full": OSError(28, "No space left on device", str(run_dir / "metrics.jsonl")),
            }
        )
        if planned := os.environ.get("PLANNED"):
            Path(planned).touch()
        time.sleep(self.pause_s)
        if self.scenario == "regression":
            yield events.DataReady({"train": 506}, (13,), None, "ab" * 32, 0.4)
        else:
            yield events.DataReady({"train": 60_000, "test": 10_000}, (28, 28), 10, "ab" * 32, 0.4)
        time.sleep(self.pause_s)
        yield events.ModelReady(101_770, "cpu", "xla", 2, 4.1)
        yield events.Warned("λ/m is 1e-9: it hardly acts")
        yield events.Noted("λ is Keras's L2(8e-06)")
        for epoch in (1, 2):
            yield from self.epoch(epoch)
        yield events.CheckpointSaved(run_dir / "checkpoints/step-00009375", 3750, best=False)
        if self.scenario == "stopped":
            yield events.StoppedEarly(2, 1, "validation.loss")
        penalty = 0.01 if self.scenario == "penalty" else 0.0
        ended = summary(run_dir, met=self.scenario != "missed", penalty=penalty)
        if evaluated := EVALUATED.get(self.scenario):
            ended["evaluated"] = evaluated
        yield events.RunFinished(ended)

    def epoch(self, epoch):
        for step in range(375, 1876, 375):
            figures = {
                "loss": 1 / (step + epoch),
                "penalty": 0.0,
                "objective": 0.5,
                "accuracy": 0.9,
            }
            yield events.StepsDone(epoch, 2, step, 1875, figures, 98_123.4, 12.4)
            time.sleep(self.pause_s / 5)
        if epoch == 2:
            diverged = TrainingDiverged("the loss is not finite after step 2,250")
            known = {**summary(self.run_dir), "status": "diverged", "epochs_completed": 1}
            vars(diverged)["summary"] = known
            self.fail(
                {
                    "diverged": diverged,
                    "interrupted": Interrupted(
                        "interrupted after step 1,875; the state is saved",
                        signal_number=2,
                        hint="to go on: bmtrain train runs/mnist-1 --resume",
                    ),
                    "ctrl-c": KeyboardInterrupt(),
                }
            )
            if self.scenario in {"sigterm", "sighup"}:
                os.kill(os.getpid(), getattr(signal, self.scenario.upper()))
        train = {"loss": 0.261, "penalty": 0.0, "objective": 0.261, "accuracy": 0.925}
        yield events.EpochDone(
            epoch, 2, 1875 * epoch, train, {"loss": 0.13, "accuracy": 0.96}, 1e-3, 0.61, 98e3, True
        )

    def evaluate(self, request, note):
        self.requests.append(request)
        if self.scenario == "recorded data":
            note("reading the data that the run recorded: /data/\x1b[31mx.csv")
        self.fail({"in use": EnvironmentFault("it is in use", where=str(request.checkpoint))})
        time.sleep(self.pause_s)
        document = evaluation(int(os.environ.get("CLASSES", "3")))
        if self.scenario == "skipped":
            document["skipped"] = ["step-00009375 is damaged", "step-00007500 is damaged"]
        if self.scenario == "perfect":
            document["confusion"] = np.diag([9] * len(document["per_class"])).tolist()
        if self.scenario == "more outputs":
            document["class_names"], document["confusion"] = ["0", "1", "2"], [[1] * 4] * 4
        if self.scenario == "undefined":
            document["per_class"][0] |= {"precision": None, "recall": None, "f1": None}
            document["per_class"][0]["support"] = 0
        if self.scenario == "regression":
            document["metrics"] = {"loss": 0.5, "mean_squared_error": 0.5}
            del document["per_class"], document["confusion"], document["class_names"]
        return document

    def predict(self, request):
        self.requests.append(request)
        outputs = np.array([[0.1, 0.7, 0.2], [0.9, 0.05, 0.05]], np.float32)
        skipped = ("step-00009375 is damaged",) if self.scenario == "skipped" else ()
        is_regression = self.scenario == "regression"
        names = None if is_regression else ("setosa", "versi,color", "größe")
        predicted = outputs[:, 0] if is_regression else outputs.argmax(axis=1)
        blocks = iter([(request.inputs[0], Block(outputs, predicted))])
        return Predictions(blocks, names, 3, request.inputs, skipped=skipped)

    def export(self, request, note):
        self.requests.append(request)
        path, checkpoint = Path("points.onnx"), Path("runs/mnist-1/checkpoints/step-00009375")
        yield events.ExportBegun(checkpoint, (), "probabilities of 10 classes")
        yield events.ExamplesChosen("1,000 of the 10,000 examples of the test split")
        self.fail({"bad data": DataError("no rows", where="x.csv"), "ctrl-c": KeyboardInterrupt()})
        passed = self.scenario != "differs"
        exported = {
            "format": "onnx",
            "path": str(path) if passed else None,
            "description": f"{path}.json" if passed else None,
            "bytes": 409_123,
            "runtime": "ONNX Runtime 1.32.0",
            "largest_difference": 7.2e-07 if passed else 0.25,
            "relative_difference": 7.2e-07 if passed else 0.125,
            "passed": passed,
            "usage": "onnxruntime.InferenceSession('points.onnx')",
        }
        yield events.ModelExported(exported)
        self.fail({"full": EnvironmentFault("cannot write: the disk is full", where="x.keras")})
        yield events.RunFinished({"exit_code": 0 if passed else 4, "exports": [exported]})

    def check(self, request):
        self.requests.append(request)
        self.fail({"config": ConfigError("2 errors", diagnostics=DIAGNOSTICS)})
        if self.scenario in {"all of check", "stopped check", "bad environment"}:
            yield from self.longer_check(request)
            return
        yield Section("config", (Finding("ok", f"{request.config} is valid"),))
        self.fail({"data": DataError("no rows", where="x.csv")})
        level = "error" if self.scenario == "findings" else "ok"
        yield Section(
            "data",
            (
                Finding("ok", "60,000 training examples, 10 classes, 5,421 to 6,742 each"),
                Finding(
                    "warning",
                    "67 of 784 features are constant in the training split: they say nothing, "
                    "and cost a column of weights each",
                ),
                Finding(level, "no example of the test split is in the training split"),
            ),
        )

    def longer_check(self, request):
        settings = (
            Setting("seed: 0", "seed", 0, "default"),
            Setting("training:"),
            Setting("  epochs: 5", "training.epochs", 5, "mine.yaml:7"),
        )
        valid = (Finding("ok", f"{request.config} is valid"),)
        yield Section("config", valid, settings=settings)
        if self.scenario == "stopped check":
            yield Section("cost", (Finding("error", "too large"),), exit_code=6, stopped=True)
            raise EnvironmentFault("too large", hint="a smaller one")
        odd = (Finding("warning", "odd", replace(DIAGNOSTICS[1], severity="warning")),)
        table = Table(("layer", "output", "parameters"), (("0 dense", "10", "110"),))
        yield Section("model", odd, (table,), {"parameters": 110})
        level = "error" if self.scenario == "bad environment" else "ok"
        yield Section("environment", (Finding(level, "a disk"),), exit_code=6)
        yield Section("measured", (Finding("ok", "fast"),))

    def fail(self, errors):
        if self.scenario in errors:
            raise errors[self.scenario]

    def modules(self):
        """The modules to put into sys.modules."""
        contents: dict[str, dict[str, object]] = {
            "train": {"TrainRequest": TrainRequest, "train": self.train},
            "evaluate": {"EvaluateRequest": EvaluateRequest, "evaluate": self.evaluate},
            "predict": {"PredictRequest": PredictRequest, "predict": self.predict},
            "export": {"ExportRequest": ExportRequest, "export": self.export},
            "check": {"CheckRequest": CheckRequest, "check": self.check},
        }
        made = {}
        for name, content in contents.items():
            module = ModuleType(f"bmtrain.workflows.{name}")
            vars(module).update(content)
            made[module.__name__] = module
        return made


def evaluation(num_classes):
    confusion = [
        [i + j if abs(i - j) < 2 else 0 for j in range(num_classes)] for i in range(num_classes)
    ]
    return {
        "checkpoint": "runs/mnist-1/checkpoints/step-00009375",
        "split": "test",
        "examples": 10_000,
        "metrics": {"loss": 0.0786, "penalty": 0.0, "objective": 0.0786, "accuracy": 0.9752},
        "per_class": [
            {"class": f"{i}", "precision": 0.9, "recall": 0.8, "f1": 0.85 + i / 1e4, "support": 980}
            for i in range(num_classes)
        ],
        "confusion": confusion,
        "class_names": [f"{i}" for i in range(num_classes)],
    }


if __name__ == "__main__":
    from bmtrain.cli.main import main

    pause_s = float(os.environ.get("PAUSE_S", "0"))
    sys.modules.update(Workflows(sys.argv[1], pause_s=pause_s).modules())
    sys.exit(main(sys.argv[2:]))
