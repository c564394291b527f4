"""How it was trained, where and at what cost."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from bmtrain.figures import amount, duration
from bmtrain.pages.content import Block, Section, Words
from bmtrain.workflows.reporting.cells import pairs, plain_table, setting_text, told
from bmtrain.workflows.reporting.reading import ReportedRun, entry, number_at

_FIRST: Final = "earlier"
#: ``configs/mine.yaml:7``
_LINE: Final = re.compile(r"(.+):\d+")


def config_section(run: ReportedRun) -> Section:
    """What was set and where, then the defaults; to copy it is with how to reproduce the run."""
    settings, origins = run.run.settings, origins_of(run)
    blocks: list[Block] = []
    if origins is None:
        text = "Where each was set is not recorded: the run is of an earlier version."
        blocks.append(Words(text, "missing"))
        rows = [(key, setting_text(value)) for key, value in settings.items()]
        blocks.append(plain_table("All settings", ("key", "value"), rows))
    else:
        file = _only_file(origins.values())
        set_there = [
            (
                key,
                setting_text(settings[key]) if key in settings else "as below",
                origin.replace(f"{file}:", "line\u00a0") if file else origin,
            )
            for key, origin in origins.items()
        ]
        header = ("key", "value", "set in")
        note = f"Lines are those of {file}." if file else ""
        if any(origin.startswith("override") for origin in origins.values()):
            note += " Overrides are the command's KEY=VALUE words, in their order."
        blocks.append(plain_table("What was set, and where", header, set_there, note=note.strip()))
        left = [(key, setting_text(v)) for key, v in settings.items() if key not in origins]
        blocks.append(plain_table("Defaults, written out", ("key", "value"), left, folded=True))
    return Section("config", "Config", tuple(blocks))


def _only_file(origins: Iterable[str]) -> str | None:
    """The one file that settings come from, beside overrides; None: there are several."""
    files = {match[1] for origin in origins if (match := _LINE.fullmatch(origin))}
    return files.pop() if len(files) == 1 else None


def origins_of(run: ReportedRun) -> dict[str, str] | None:
    """Dotted key -> where it was set, of the run's first start; None: it is not recorded."""
    earlier = run.run_json.get(_FIRST)
    first = earlier[0] if isinstance(earlier, list) and earlier else run.run_json
    origins = entry(first, "origins")
    if not isinstance(origins, Mapping):
        return None
    are_texts = all(isinstance(key, str) and isinstance(v, str) for key, v in origins.items())
    return dict(origins) if are_texts else None


def environment_section(run: ReportedRun) -> Section:
    """Versions, machine, engine, code."""
    environment = run.recorded("environment")
    rows = [
        (name, told(entry(environment, name)))
        for name in ("python", "platform", "processor", "cores")
    ]
    memory = number_at(environment, "memory_bytes")
    rows.append(("memory", "–" if memory is None else amount(memory, "B")))
    packages = entry(environment, "packages")
    if isinstance(packages, Mapping):
        rows += [(str(name), told(version)) for name, version in packages.items()]
    engine = run.recorded("engine")
    if isinstance(engine, Mapping):
        known = ("mode", "device", "gpu", "threads", "lowerings")
        rows += [(f"engine: {name}", told(engine[name])) for name in known if engine.get(name)]
    git = run.recorded("git")
    if isinstance(git, Mapping):
        rows += [(f"git: {name}", told(value)) for name, value in git.items()]
    rows += [(f"plugin: {file}", f"sha256 {sha256}") for file, sha256 in recorded_plugins(run)]
    changed = run.recorded("changed")
    blocks: list[Block] = [pairs("In what it was trained", rows)]
    if isinstance(changed, list) and changed:
        keys = ", ".join(told(entry(change, "key")) for change in changed)
        text = f"The run was gone on with although this had changed: {keys}. It is a mixture."
        blocks.append(Words(text, "bad"))
    return Section("environment", "Environment", tuple(blocks))


def recorded_plugins(run: ReportedRun) -> list[tuple[str, str]]:
    """(file, sha256) of each plugin that the run was trained with, as far as that is recorded."""
    records = run.recorded("plugins")
    found = [
        (entry(record, "file"), entry(record, "sha256"))
        for record in (records if isinstance(records, list) else ())
    ]
    return [(f, s) for f, s in found if isinstance(f, str) and isinstance(s, str)]


def cost_rows(run: ReportedRun) -> list[tuple[str, str]]:
    """What the training took, as far as it is recorded."""
    summary, rows = run.summary, [("begun", when(run.run.overview.begun))]
    for name, key in (
        ("until the model was built", "startup_s"),
        ("compiling", "compile_s"),
        ("training", "train_s"),
        ("saving", "saving_s"),
        ("the whole command", "total_s"),
    ):
        seconds = number_at(summary, "timing", key)
        if seconds:
            rows.append((f"time: {name}", duration(seconds)))
    for name, key, unit in (
        ("floating-point operations in all, planned from the layers' shapes", "flops", "FLOP"),
        ("examples trained on", "examples", "examples"),
        ("speed", "examples_per_s", "examples/s"),
        ("memory, at most", "peak_memory_bytes", "B"),
        ("the GPU's memory, at most", "peak_gpu_memory_bytes", "B"),
        ("processor time", "cpu_s_of_start", "s"),
    ):
        value = number_at(summary, "cost", key)
        if value is not None:
            text = amount(value, unit)
            if unit.startswith("examples"):
                text = f"{float(f'{value:.3g}') if '/' in unit else value:,.0f} {unit}"
            rows.append((name, text))
    energy = entry(summary, "cost", "energy_of_start")
    joules = [(name, number_at(energy, f"{name}_j")) for name in ("processor", "gpu")]
    measured = [f"{amount(value, 'J')} ({name})" for name, value in joules if value is not None]
    if energy is not None:
        rows.append(("energy", ", ".join(measured) or "not measured: the machine has no counter"))
    return rows


def cost_section(run: ReportedRun) -> Section:
    """Time, arithmetic, memory, energy."""
    rows = cost_rows(run)
    if len(rows) == 1:
        words = Words("What it took is not recorded: the run did not end by itself.", "missing")
        return Section("cost", "Cost", (words,))
    return Section("cost", "Cost", (pairs("What the training took", rows),))


def when(begun: str | None) -> str:
    """``2026-11-23T10:15:00Z`` as people write it."""
    return "–" if begun is None else f"{begun[:10]} {begun[11:16]} UTC"
