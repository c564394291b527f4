"""The process that talks to MLflow for a training.

As a program: ``python -m bmtrain.workflows.tracking.mlflow_service``. A line of JSON on
stdin is a command (begin, metrics, artifact, end), one on stdout the answer to it. Without
an end, the training was killed, and MLflow is told so.
"""

from __future__ import annotations

import json
import os
import re
import signal
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from bmtrain.workflows.tracking.mlflow_run import masked

#: What one request may hold.
_MAX_METRICS: Final = 1000
_MAX_PARAMS: Final = 100
_CHUNK_BYTES: Final = 2**16
_SQLITE: Final = "sqlite:///"

Answer = Callable[[dict[str, Any]], None]
Command = Mapping[str, Any]


class Service:
    """Carries out commands; ``client`` is MLflow's, ``entities`` its module of that name."""

    def __init__(self, client: Any, entities: Any) -> None:
        self._client = client
        self._entities = entities
        self._run_id = ""
        #: Of a run that is gone on with: what it was told already, by the name of the figure.
        self._history: Callable[[str], set[tuple[int, float]]] = lambda _: set()
        self._known: dict[str, set[tuple[int, float]]] = {}

    def begin(self, command: Command) -> dict[str, Any]:
        """Begin a run, or go on with one that is still there."""
        run = self._earlier(command["run_id"])
        if run is None:
            experiment = self._experiment(command["experiment"], command["uri"])
            run = self._client.create_run(experiment, run_name=command["name"])
        else:
            self._history = self._told_already
            self._client.update_run(run.info.run_id, status="RUNNING")
        self._run_id = run.info.run_id
        self._describe(command["params"], dict(command["tags"]), run.data.params)
        return {"run_id": self._run_id, "experiment_id": run.info.experiment_id}

    def metrics(self, commands: Sequence[Command]) -> None:
        """Figures of some steps, in as few requests as may be; each figure of a step once."""
        metrics = [
            self._entities.Metric(name, value, command["time_ms"], command["step"])
            for command in commands
            for name, value in command["figures"].items()
            if (command["step"], value) not in self._known_of(name)
        ]
        self._log("metrics", metrics, _MAX_METRICS)

    def artifact(self, command: Command) -> None:
        """Give it a file."""
        self._client.log_artifact(self._run_id, command["path"], command["directory"])

    def end(self, status: str, tags: Mapping[str, str]) -> None:
        """Say how it ended."""
        if self._run_id:
            self._tag(tags)
            self._client.set_terminated(self._run_id, status)

    def _earlier(self, run_id: str | None) -> Any:
        if run_id is None:
            return None
        try:
            run = self._client.get_run(run_id)
        except Exception as error:
            if getattr(error, "error_code", None) == "RESOURCE_DOES_NOT_EXIST":
                return None  # somebody removed it
            raise
        return run if run.info.lifecycle_stage == "active" else None

    def _experiment(self, name: str, uri: str) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is None:
            try:
                made: str = self._client.create_experiment(name, _artifacts_beside(uri))
            except Exception:
                # Another training may have made it meanwhile.
                found = self._client.get_experiment_by_name(name)
                if found is None:
                    raise
            else:
                return made
        if found.lifecycle_stage != "active":
            raise ValueError(f"the experiment '{name}' was deleted; restore it or name another")
        identifier: str = found.experiment_id
        return identifier

    def _describe(
        self, params: Mapping[str, str], tags: dict[str, str], told: Mapping[str, str]
    ) -> None:
        """Parameters never change at MLflow: what is another one now is a tag."""
        new = [self._entities.Param(n, text) for n, text in params.items() if n not in told]
        self._log("params", new, _MAX_PARAMS)
        changed = {name for name in told.keys() & params.keys() if told[name] != params[name]}
        self._tag(tags | {f"bmtrain.changed.{name}": params[name] for name in sorted(changed)})

    def _tag(self, tags: Mapping[str, str]) -> None:
        entries = [self._entities.RunTag(name, text) for name, text in tags.items()]
        self._log("tags", entries, _MAX_PARAMS)

    def _log(self, kind: str, entries: Sequence[Any], most: int) -> None:
        for begin in range(0, len(entries), most):
            self._client.log_batch(self._run_id, **{kind: entries[begin : begin + most]})

    def _told_already(self, name: str) -> set[tuple[int, float]]:
        history = self._client.get_metric_history(self._run_id, name)
        return {(entry.step, entry.value) for entry in history}

    def _known_of(self, name: str) -> set[tuple[int, float]]:
        if name not in self._known:
            self._known[name] = self._history(name)
        return self._known[name]


def serve(
    commands: Iterator[list[Command]], service_at: Callable[[str], Service], answer: Answer
) -> None:
    """Carry out commands as they come; ends with the first failure, which is the last answer."""
    service: Service | None = None
    uri = ""
    try:
        for some in commands:
            for kind, group in groupby(some, key=lambda command: next(iter(command))):
                told = [command[kind] for command in group]
                uri = uri or told[0]["uri"]
                service = service or service_at(uri)
                _carry_out(service, kind, told, answer)
                if kind == "end":
                    return
        if service is not None:
            service.end("KILLED", {"bmtrain.status": "killed"})
    except Exception as error:  # noqa: BLE001  # whatever it is, the training is to be told
        answer({"failed": _in_a_line(error, uri)})


def _carry_out(service: Service, kind: str, told: Sequence[Command], answer: Answer) -> None:
    match kind:
        case "begin":
            answer({"begun": service.begin(told[0])})
        case "metrics":
            service.metrics(told)
            answer({"done": len(told)})
        case "artifact":
            for command in told:
                service.artifact(command)
                answer({"done": 1})
        case "end":
            service.end(told[0]["status"], told[0]["tags"])
            answer({"ended": True})


def _artifacts_beside(uri: str) -> str | None:
    """Files of runs in a SQLite database lie beside it, wherever a training is started."""
    if not uri.startswith(_SQLITE):
        return None
    return (Path(uri.removeprefix(_SQLITE)).absolute().parent / "mlartifacts").as_uri()


def _in_a_line(error: Exception, uri: str) -> str:
    if (known := _known_reason(str(error), uri)) is not None:
        return known
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return masked(lines[0] if lines else type(error).__name__)[:500]


def _known_reason(said: str, uri: str) -> str | None:
    """What requests and SQLite say in half a page; None: something else."""
    if pool := re.search(r"ConnectionPool\(host='([^']*)', port=(\d+)\)", said):
        why = re.search(r"\[Errno -?\d+\] ([^'\")\]]+)", said)
        reason = why[1].lower() if why else "timed out" if "timed out" in said else None
        return f"no answer from {pool[1]}:{pool[2]}" + (f" ({reason})" if reason else "")
    if "unable to open database file" in said or "readonly database" in said:
        return f"the database file {uri.removeprefix(_SQLITE)} cannot be written"
    return None


def commands_from(descriptor: int) -> Iterator[list[Command]]:
    """All commands that there are, each time that there are some."""
    rest = b""
    while chunk := os.read(descriptor, _CHUNK_BYTES):
        *lines, rest = (rest + chunk).split(b"\n")
        if lines:
            yield [json.loads(line) for line in lines]


def _mlflow_at(uri: str) -> Service:
    warnings.simplefilter("ignore")  # of its own libraries
    from mlflow import MlflowClient, entities

    return Service(MlflowClient(tracking_uri=uri), entities)


def main() -> None:
    """Serve stdin and stdout; what libraries print goes nowhere."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the training's terminal may be gone
    answers = os.dup(1)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)

    def answer(document: dict[str, Any]) -> None:
        with suppress(BrokenPipeError):  # gone; what it said is carried out all the same
            os.write(answers, json.dumps(document).encode("ascii") + b"\n")

    serve(commands_from(0), _mlflow_at, answer)


if __name__ == "__main__":
    main()
    os._exit(0)  # no thread of a library's holds it up
