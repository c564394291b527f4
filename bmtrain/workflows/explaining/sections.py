"""What the page of explanations says: the whole, then each example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bmtrain.explanations.page import LEGEND, Bars, Block, Facts, Pictures, Section, Tokens, Words
from bmtrain.explanations.pictures import MAX_TILES
from bmtrain.figures import count, figure
from bmtrain.models.completeness import TOLERANCE, Integral
from bmtrain.workflows.explaining.attributing import Explanation

#: Rows of a table of bars.
_MOST: Final = 50


def page_sections(
    document: Mapping[str, Any],
    explanations: list[Explanation],
    pictures: Mapping[str, bytes],
) -> list[Section]:
    """``pictures``: PNGs by file name."""
    sections = [Section("", (Facts(_facts(document)),))]
    if document["permutation"] is not None:
        sections.append(_permutation(document["permutation"]))
    if document["weights"] is not None:
        sections.append(_weights(document["weights"], pictures))
    shown = zip(document["examples"], explanations, strict=True)
    return [*sections, *(_example(entry, found, pictures, document) for entry, found in shown)]


def _facts(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        ("checkpoint", document["checkpoint"]),
        ("examples of", document["split"]),
        ("methods", ", ".join(document["methods"]).replace("_", " ")),
        ("baseline", document["baseline"]),
    ]


def _permutation(permutation: Mapping[str, Any]) -> Section:
    name, repeats = permutation["metric"], permutation["repeats"]
    rows = [
        (
            (f["name"], figure(f["importance"]), f"± {figure(f['standard_deviation'])}"),
            f["importance"],
        )
        for f in permutation["features"][:_MOST]
    ]
    caption = (
        f"How much worse {name} ({figure(permutation['value'])}) becomes when a column is dealt "
        f"out anew: mean and standard deviation of {repeats}, over "
        f"{count(permutation['examples'], 'example')}"
    )
    return Section(
        "Permutation importance", (Bars(caption, ("column", "importance", "s.d."), rows),)
    )


def _weights(weights: Mapping[str, Any], pictures: Mapping[str, bytes]) -> Section:
    what = f"layer {weights['layer']} ({weights['type']})"
    if weights["features"] is None:
        number = weights["kernel_shape"][-1]
        some = f", the first {MAX_TILES} of {number:,}" if number > MAX_TILES else ""
        caption = f"{what}: a picture per unit{some}, in one scale"
        return Section("First-layer weights", (Pictures([(caption, pictures[weights["file"]])]),))
    rows = [((f["name"], figure(f["norm"])), f["norm"]) for f in weights["features"][:_MOST]]
    caption = f"{what}: the root of the sum of each column's squared weights"
    return Section("First-layer weights", (Bars(caption, ("column", "norm"), rows),))


def _example(
    entry: Mapping[str, Any],
    found: Explanation,
    pictures: Mapping[str, bytes],
    document: Mapping[str, Any],
) -> Section:
    blocks: list[Block] = [Facts(_said(entry))]
    if entry["pictures"] is not None:
        files = entry["pictures"].items()
        blocks.append(Pictures([(name.replace("_", " "), pictures[file]) for name, file in files]))
        blocks.append(Words(LEGEND))
    integral = found.integral
    if found.names and integral is not None:
        blocks.append(_parts(f"integrated gradients, of {found.of}", found, integral.attributions))
    if found.names and found.occlusion is not None:
        blocks.append(_parts(f"occlusion, of {found.of}", found, found.occlusion))
    if integral is not None:
        text = completeness(integral, document["explained"])
        blocks.append(Words(text[0].upper() + text[1:] + ".", not integral.is_complete))
    return Section(f"Example {found.number}", tuple(blocks))


def _said(entry: Mapping[str, Any]) -> list[tuple[str, str]]:
    facts = [("predicted", _told(entry["predicted"]))]
    if entry["probability"] is not None:
        facts[0] = ("predicted", f"{entry['predicted']} ({figure(entry['probability'])})")
    if entry["target"] is not None:
        facts.append(("true", _told(entry["target"])))
    facts.append(("explained", entry["explained"]))
    return facts + ([("file", entry["file"])] if entry["file"] else [])


def _told(value: Any) -> str:
    return ", ".join(map(figure, value)) if isinstance(value, list) else str(value)


def _parts(caption: str, found: Explanation, values: NDArray[np.float64]) -> Block:
    if not found.cells:
        return Tokens(caption, found.names, values.tolist())
    order = np.argsort(-np.abs(values), kind="stable").tolist()[:_MOST]
    rows = [((found.names[at], found.cells[at], f"{values[at]:+.4g}"), values[at]) for at in order]
    return Bars(caption, ("column", "value", ""), rows)


def completeness(integral: Integral, score: str) -> str:
    """The sum of the attributions, what it should be, and by how much it is not."""
    change = integral.score - integral.baseline_score
    relative = integral.relative_error
    share = "" if relative is None else f" ({100 * relative:.2g} %)"
    text = (
        f"the attributions add up to {integral.total:.4g}; the {score} is {integral.score:.4g}, at "
        f"the baseline {integral.baseline_score:.4g}, a change of {change:.4g}: error "
        f"{integral.error:.2g}{share} with {integral.num_steps} steps"
    )
    if not integral.is_complete:
        text += f"; more than {100 * TOLERANCE:.0f} %: do not trust their sizes"
    return text
