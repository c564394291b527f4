"""The directory of explanations: a page, a JSON document and pictures."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bmtrain.durable import environment_faults, make_directory, write_bytes, write_text
from bmtrain.errors import EnvironmentFault
from bmtrain.models.completeness import Integral
from bmtrain.pages.page import html
from bmtrain.pages.pictures import heat_map_png, picture_png
from bmtrain.workflows.explaining.attributing import Explanation
from bmtrain.workflows.explaining.sections import completeness, explained_page
from bmtrain.workflows.first_layer import FirstLayer

#: Of a run's.
DIRECTORY: Final = "explanations"
DOCUMENT: Final = "explanations.json"
PAGE: Final = "index.html"
_FIRST_LAYER: Final = "first-layer.png"
#: Pictures of ours, which a later explanation removes.
_OURS: Final = re.compile(r"(example-\d+(-[a-z-]+)?|first-layer)\.png")


def require_directory(directory: Path, *, force: bool) -> None:
    """Refuse a directory of something else.

    Raises:
        EnvironmentFault: it is no directory, or a link, or has other files than explanations
            and ``force`` is not there.
    """
    with environment_faults(directory, "look at it"):
        if directory.is_symlink() or (directory.exists() and not directory.is_dir()):
            raise EnvironmentFault(
                "it is no directory",
                where=str(directory),
                hint="choose another place with -o DIR",
            )
        names = {entry.name for entry in directory.iterdir()} if directory.exists() else set()
    if names and DOCUMENT not in names and not force:
        raise EnvironmentFault(
            "the directory is not empty, and what is in it are no explanations",
            where=str(directory),
            hint="--force writes into it; -o DIR names another place",
        )


def write_explanations(
    directory: Path,
    document: dict[str, Any],
    explanations: list[Explanation],
    layer: FirstLayer | None,
) -> dict[str, Any]:
    """The document with ``examples`` and where everything is; it is written last.

    Raises:
        EnvironmentFault: it cannot be written.
    """
    pictures: dict[str, bytes] = {}
    if layer is not None and layer.tiles is not None:
        pictures[_FIRST_LAYER] = layer.tiles.sheet_png()
        document["weights"]["file"] = _FIRST_LAYER
    document["examples"] = [
        _entry(found, document, _pictures(found, document["kind"], pictures))
        for found in explanations
    ]
    page = html(explained_page(document, explanations, layer, pictures))
    document |= {"directory": str(directory), "page": str(directory / PAGE)}
    with environment_faults(directory, "write"):
        make_directory(directory)
        for entry in directory.iterdir():
            if _OURS.fullmatch(entry.name) and entry.name not in pictures:
                entry.unlink()
    for name, content in pictures.items():
        write_bytes(directory / name, content, links=False)
    write_text(directory / PAGE, page, links=False)
    document = plain(document)
    write_text(directory / DOCUMENT, json.dumps(document, allow_nan=False) + "\n", links=False)
    return document


def _pictures(found: Explanation, kind: str, pictures: dict[str, bytes]) -> dict[str, str]:
    """File names by what they show; the PNGs go into ``pictures``."""
    if kind != "picture":
        return {}
    start = f"example-{found.number:05}"
    files = {"picture": f"{start}.png"}
    pictures[files["picture"]] = picture_png(found.features)
    attributions = {
        "integrated_gradients": None if found.integral is None else found.integral.attributions,
        "occlusion": found.occlusion,
    }
    for name, values in attributions.items():
        if values is not None and np.isfinite(values).all():
            files[name] = f"{start}-{name.replace('_', '-')}.png"
            pictures[files[name]] = heat_map_png(found.features, values)
    return files


def _entry(
    found: Explanation, document: Mapping[str, Any], pictures: dict[str, str]
) -> dict[str, Any]:
    integral, occlusion = found.integral, found.occlusion
    return {
        "example": found.number,
        "file": None if found.file is None else str(found.file),
        **found.said,
        "explained": found.of,
        "names": list(found.names) or None,
        "values": list(found.cells) or None,
        "integrated_gradients": (
            None if integral is None else _integral(integral, document["explained"])
        ),
        "occlusion": (
            None
            if occlusion is None
            else {"losses": _values(occlusion), "patch_side": found.patch_side}
        ),
        "pictures": pictures or None,
    }


def _integral(integral: Integral, score: str) -> dict[str, Any]:
    return {
        "attributions": _values(integral.attributions),
        "score": integral.score,
        "baseline_score": integral.baseline_score,
        "sum": integral.total,
        "error": integral.error,
        "relative_error": integral.relative_error,
        "steps": integral.num_steps,
        "is_complete": integral.is_complete,
        "completeness": completeness(integral, score),
    }


def _values(values: NDArray[np.float64]) -> Any:
    """Nested lists, with seven digits: float32 has no more."""
    rounded = [float(f"{value:.7g}") for value in values.ravel().tolist()]
    return np.array(rounded).reshape(values.shape).tolist()


def plain(value: Any) -> Any:
    """What JSON has: what is not finite is null."""
    if isinstance(value, Mapping):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value
