"""The model card of a run: Mitchell et al., Model Cards for Model Reporting (2019)."""

from __future__ import annotations

from typing import Final

from bmtrain.figures import count
from bmtrain.pages.content import Block, Code, Listing, Section, Table, Words
from bmtrain.pages.markdown import document
from bmtrain.workflows.reporting.background import cost_rows
from bmtrain.workflows.reporting.cells import input_text
from bmtrain.workflows.reporting.class_sections import (
    calibration_words,
    class_table,
    confusion_table,
)
from bmtrain.workflows.reporting.classes import JudgedClasses
from bmtrain.workflows.reporting.hub_header import hub_header
from bmtrain.workflows.reporting.judging import Judged
from bmtrain.workflows.reporting.limits import limits
from bmtrain.workflows.reporting.numbers import JudgedNumbers, error_table
from bmtrain.workflows.reporting.reading import ReportedRun
from bmtrain.workflows.reporting.reproducing import again_section
from bmtrain.workflows.reporting.subject import data_section
from bmtrain.workflows.reporting.summing_up import figures_table, lead

_TO_FILL_IN: Final = "To be filled in by whoever publishes the model:"


def model_card(run: ReportedRun, judged: Judged) -> str:
    """The card in Markdown: what it is for, data and licence, figures, limits, cost, how to make it."""
    sections = [
        Section("what", "What it is", _what(run, judged)),
        Section("use", "Intended use", _use(run)),
        data_section(run),
        Section("figures", "Figures", _figures(run, judged)),
        Section("limits", "Limits", (Listing(limits(run, judged)),)),
        Section("cost", "Cost", _cost(run)),
        Section("usage", "How to use it", (_usage(run),)),
        again_section(run),
    ]
    return document(hub_header(run, judged), run.run.experiment.name, sections)


def _what(run: ReportedRun, judged: Judged) -> tuple[Block, ...]:
    blocks: list[Block] = list(lead(run, judged))
    if run.restored is not None:
        layers = [layer.config.type for layer in run.restored.architecture.layers]
        shown = ", ".join(layers[:40]) + (", …" if len(layers) > 40 else "")
        blocks.append(Words(f"{count(len(layers), 'layer')}: {shown}."))
    return tuple(blocks)


def _use(run: ReportedRun) -> tuple[Block, ...]:
    if run.restored is None:
        return (Words(_TO_FILL_IN), Listing(("what it is for, and what it is not for",)))
    facts = run.restored.checkpoint.preprocessing.facts
    if facts.class_names is not None:
        names = ", ".join(facts.class_names[:20]) + (", …" if len(facts.class_names) > 20 else "")
        what = f"To say which of {len(facts.class_names):,} classes an example is of: {names}."
        other = "Everything else is given one of these classes, too: it cannot say “none of them”."
    else:
        what = f"To predict {facts.label_name or 'a number'}."
        other = "Beyond the values that it was trained on nothing is known of what it says."
    source = run.run.experiment.data.source
    return (
        Words(f"{what} An example is {input_text(facts)}, made as those of {source} were. {other}"),
        Words(_TO_FILL_IN),
        Listing(
            (
                "who is to use it for what, and who may be affected",
                "what it must not be used for",
                "the licence of the model (license, in the header)",
            )
        ),
    )


def _figures(run: ReportedRun, judged: Judged) -> tuple[Block, ...]:
    blocks: list[Block] = [figures_table(run)]
    if isinstance(judged, JudgedClasses):
        blocks += [class_table(judged), confusion_table(judged)]
        if judged.probabilities is not None:
            blocks.append(Words(calibration_words(judged)))
    elif isinstance(judged, JudgedNumbers):
        blocks.append(error_table(judged))
    return tuple(blocks)


def _cost(run: ReportedRun) -> tuple[Block, ...]:
    rows = cost_rows(run)
    if len(rows) == 1:
        return (Words("What it took is not recorded: the run did not end by itself."),)
    return (Table("What the training took", ("what", "how much"), tuple(rows)),)


def _usage(run: ReportedRun) -> Code:
    lines = (
        "import bmtrain",
        "",
        f"model = bmtrain.load({str(run.path)!r})",
        "predictions = model.predict(examples)",
    )
    return Code(
        "In Python; bmtrain export writes Keras, ONNX, LiteRT and SavedModel files.",
        "\n".join(lines),
    )
