"""What the page of explanations says: the whole, then each example."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bmtrain.figures import count, figure
from bmtrain.models.completeness import TOLERANCE, Integral
from bmtrain.pages.content import (
    Block,
    Fact,
    Facts,
    Page,
    Part,
    Picture,
    Pictures,
    Section,
    Table,
    Tokens,
    Tone,
    Words,
)
from bmtrain.pages.pictures import data_uri
from bmtrain.version import __version__
from bmtrain.workflows.explaining.attributing import Explanation
from bmtrain.workflows.first_layer import FirstLayer, weights_blocks

#: Rows of a table.
_MOST: Final = 50
_SPLITS: Final = ("train", "validation", "test")
_LEGEND: Final = (
    "Blue speaks for what is explained, red against it; the stronger the colour, the more."
)
_LEGENDS: Final = {
    "picture": _LEGEND,
    "text": f"{_LEGEND} What speaks against it is underlined, too.",
}


def explained_page(
    document: Mapping[str, Any],
    explanations: list[Explanation],
    layer: FirstLayer | None,
    pictures: Mapping[str, bytes],
) -> Page:
    """``document``: of ``explain --json``; ``pictures``: PNGs by file name."""
    whole = [Section("how", "How it was explained", (_how(document),))]
    if document["permutation"] is not None:
        whole.append(_permutation(document["permutation"]))
    if layer is not None:
        whole.append(Section("weights", "First-layer weights", weights_blocks(layer)))
    parts = [Part("", tuple(whole))]
    if _explains_examples(document):
        shown = zip(document["examples"], explanations, strict=True)
        examples = tuple(_example(entry, found, pictures, document) for entry, found in shown)
        parts.append(Part("Examples", examples, _LEGENDS.get(document["kind"], "")))
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return Page(
        title=document["name"],
        subject="what the model looks at",
        parts=tuple(parts),
        made=f"Made by bmtrain {__version__} on {now} from {document['checkpoint']}.",
    )


def _explains_examples(document: Mapping[str, Any]) -> bool:
    """Whether one of the methods says something of single examples."""
    return not {"integrated_gradients", "occlusion"}.isdisjoint(document["methods"])


def _how(document: Mapping[str, Any]) -> Table:
    methods, split = ", ".join(document["methods"]).replace("_", " "), document["split"]
    rows = [
        ("checkpoint", document["checkpoint"]),
        ("examples of", f"the {split} split" if split in _SPLITS else split),
        ("methods", methods),
    ]
    if _explains_examples(document):
        rows += [("explained", f"the {document['explained']}"), ("baseline", document["baseline"])]
    return Table("Checkpoint, examples and methods", ("what", "value"), tuple(rows))


def _permutation(permutation: Mapping[str, Any]) -> Section:
    name, repeats = permutation["metric"], permutation["repeats"]
    features = permutation["features"][:_MOST]
    of_all = len(permutation["features"])
    some = f" The first {len(features)} of {of_all:,} columns." if of_all > len(features) else ""
    table = Table(
        caption="What each column is worth",
        header=("column", "importance", "s.d."),
        rows=tuple(
            (f["name"], f"{f['importance']:+.4g}", f"{f['standard_deviation']:.2g}")
            for f in features
        ),
        numbers=frozenset({1, 2}),
        note=f"How much worse {name.replace('_', ' ')} ({figure(permutation['value'])}) becomes "
        f"when a column is dealt out anew: mean and standard deviation of "
        f"{count(repeats, 'permutation')}, over {count(permutation['examples'], 'example')}.{some}",
        bars=tuple(f["importance"] for f in features),
    )
    return Section("permutation", "Permutation importance", (table,))


def _example(
    entry: Mapping[str, Any],
    found: Explanation,
    pictures: Mapping[str, bytes],
    document: Mapping[str, Any],
) -> Section:
    blocks: list[Block] = [Facts(_said(entry, found.file_shown))]
    title = f"Example {found.number:,}"
    if entry["pictures"] is not None:
        files = entry["pictures"].items()
        shown = tuple(_picture(title, name, pictures[file], found.of) for name, file in files)
        blocks.append(Pictures(shown, are_large=True))
    for name, values in _values(found):
        blocks += _parts(name, found, values)
    if found.integral is not None:
        text = completeness(found.integral, document["explained"])
        tone: Tone = "plain" if found.integral.is_complete else "bad"
        blocks.append(Words(f"{text[0].upper()}{text[1:]}.", tone))
    return Section(f"example-{found.number}", title, tuple(blocks))


def _picture(title: str, name: str, png: bytes, of: str) -> Picture:
    words = name.replace("_", " ")
    is_itself = name == "picture"
    alternative = f"{title}, the picture" if is_itself else f"{title}: {words} of {of}, by pixel"
    return Picture(data_uri(png), alternative, words)


def _values(found: Explanation) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Of tokens or columns: what a method says of each."""
    if not found.names:
        return
    if found.integral is not None:
        yield f"Integrated gradients: what adds to “{found.of}”", found.integral.attributions
    if found.occlusion is not None:
        yield f"Occlusion: what “{found.of}” loses without it", found.occlusion


def _said(entry: Mapping[str, Any], file: str) -> tuple[Fact, ...]:
    sure = "" if entry["probability"] is None else f"probability {figure(entry['probability'])}"
    facts = [Fact("predicted", _told(entry["predicted"]), sure)]
    if entry["target"] is not None:
        facts.append(Fact("true", _told(entry["target"]), file))
    is_said = entry["explained"] == entry["predicted"] or _is_single(entry["predicted"])
    return tuple(facts) if is_said else (*facts, Fact("explained", entry["explained"]))


def _is_single(predicted: Any) -> bool:
    return isinstance(predicted, list) and len(predicted) == 1


def _told(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(figure, value))
    return figure(value) if isinstance(value, float) else str(value)


def _parts(caption: str, found: Explanation, values: NDArray[np.float64]) -> Iterator[Block]:
    """Tokens in their order, with a table to read; columns as a table, the largest value first."""
    order = np.argsort(-np.abs(values), kind="stable").tolist()[:_MOST]
    if found.cells:
        header: tuple[str, ...] = ("column", "value", "attribution")
        rows = tuple((found.names[at], found.cells[at], _signed(values[at])) for at in order)
        bars = tuple(float(values[at]) for at in order)
        yield Table(caption, header, rows, frozenset({2}), note=_some(order, values), bars=bars)
        return
    yield Tokens(caption, found.names, tuple(values.tolist()))
    rows = tuple((f"{at + 1}", found.names[at], _signed(values[at])) for at in order)
    yield Table(
        f"{caption}: the values",
        ("place", "token", "attribution"),
        rows,
        frozenset({0, 2}),
        folded=True,
        note=_some(order, values),
    )


def _signed(value: float) -> str:
    return f"{value:+.3g}" if value else "0"


def _some(order: list[int], values: NDArray[np.float64]) -> str:
    return f"The {len(order)} largest of {len(values):,}." if len(order) < len(values) else ""


def completeness(integral: Integral, score: str) -> str:
    """The sum of the attributions, what it should be, and by how much it is not."""
    change = integral.score - integral.baseline_score
    relative = integral.relative_error
    share = "" if relative is None else f" ({_percent(relative)})"
    text = (
        f"the attributions add up to {integral.total:.4g}; the {score} is {integral.score:.4g}, at "
        f"the baseline {integral.baseline_score:.4g}, a change of {change:.4g}: error "
        f"{integral.error:.2g}{share} with {integral.num_steps} steps"
    )
    if not integral.is_complete:
        text += f"; more than {100 * TOLERANCE:.0f} %: do not trust their sizes"
    return text


def _percent(share: float) -> str:
    """What is less than a hundred-thousandth is rounding."""
    return "under 0.001 %" if share < 1e-5 else f"{100 * share:.2g} %"
