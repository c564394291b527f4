"""Run as a script: the real command line on one's own run, then on a stranger's under an audit hook.

The first pass imports all that the commands import and starts TensorFlow: both compile,
execute and open far too much to say anything. The events of the second are printed, by
command, as JSON.
"""

import json
import sys
from pathlib import Path

import typer

from bmtrain.cli.app import app
from bmtrain.cli.main import main


def mapped() -> set[str]:
    """Files in this process's memory: libraries, whoever loaded them."""
    maps = Path("/proc/self/maps")
    lines = maps.read_text().splitlines() if maps.exists() else []
    return {line.split(maxsplit=5)[5] for line in lines if line.endswith(".so") or ".so." in line}


def words(run: str, data: str) -> dict[str, list[str]]:
    """The commands that a stranger's directory is given to.

    Of ``export`` not SavedModel and LiteRT: TensorFlow makes named tuples while it traces, which
    compiles and executes text of Python's own.
    """
    formats = [word for name in ("safetensors", "keras", "onnx") for word in ("--to", name)]
    return {
        "eval": ["eval", run],
        "predict": ["predict", run, data],
        "export": ["export", run, *formats, "-o", str(Path(run).parent / "exported"), "--force"],
        "explain": ["explain", run, "-o", str(Path(run).parent / "explained")],
        "resume": ["train", run, "--resume", "training.epochs=4"],
    }


def audited(own: str, strange: str, data: str) -> dict[str, object]:
    """Events by command; ``control`` is what the hook must see."""
    for arguments in words(own, data).values():
        assert main(arguments) == 0, arguments
    # Typer evaluates the annotations of our own commands when it makes them.
    command = typer.main.get_command(app)
    vars(typer.main)["get_command"] = lambda _: command

    events: list[tuple[str, list[str]]] = []
    is_armed = False

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if is_armed:
            events.append((event, [str(argument)[:300] for argument in arguments]))

    libraries = mapped()
    seen: dict[str, object] = {}
    sys.addaudithook(hook)
    for name, arguments in words(strange, data).items():
        events = []
        is_armed = True
        exit_code = main(arguments)
        is_armed = False
        assert exit_code == 0, name
        seen[name] = events
    events = []
    is_armed = True
    eval("1 + 1")
    Path(__file__).read_text()
    is_armed = False
    return seen | {"control": events, "libraries": sorted(mapped() - libraries)}


if __name__ == "__main__":
    answer = Path(sys.argv[1])
    answer.write_text(json.dumps(audited(*sys.argv[2:])))
