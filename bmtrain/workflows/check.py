"""``bmtrain check``: everything that can be known before training, in order; trains nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bmtrain.config.load import LoadedConfig, load_config
from bmtrain.config.origin_listing import listed_with_origins
from bmtrain.config.plugin_records import plugin_records
from bmtrain.config.plugin_tables import NO_PLUGINS, Plugins
from bmtrain.data.checks.finding import Finding
from bmtrain.workflows.checking.section import Section


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRequest:
    """What to check: a config file, and what is laid over it.

    Attributes:
        measure: run some compiled steps of it, too, and say how long all will take.
        show_origin: list the resolved config, and where each value comes from.
    """

    config: Path
    overrides: tuple[str, ...] = ()
    measure: bool = False
    show_origin: bool = False
    plugins: Plugins = NO_PLUGINS


def check(request: CheckRequest) -> Iterator[Section]:
    """Sections config, data, model, cost, environment, measured, each as soon as it is known.

    What cannot be known because of an error is left out; the error is raised after the
    environment. No TensorFlow is imported unless ``measure`` is asked for.

    Raises:
        ConfigError: the config is wrong; there is nothing to check beyond it.
        BmtrainError: what ``train`` would end with: data that cannot be read or does not fit,
            too little memory; under ``measure`` also divergence.
    """
    loaded = load_config(request.config, request.overrides, plugins=request.plugins)
    yield Section(
        title="config",
        findings=tuple(_config_findings(loaded, measured=request.measure)),
        settings=listed_with_origins(loaded) if request.show_origin else (),
    )
    # That is on the screen before NumPy and all that needs it is imported.
    from bmtrain.workflows.checking.ladder import climb

    yield from climb(loaded, measured=request.measure)


def _config_findings(loaded: LoadedConfig, *, measured: bool) -> Iterator[Finding]:
    yield Finding("ok", f"{loaded.path} is valid: experiment {loaded.experiment.name}")
    for record in plugin_records(loaded.experiment):
        uses = record.used_in_words or "nothing of it"
        # Planners and readers are run; what builds and computes needs TensorFlow.
        is_tried = measured or not record.uses.keys() - {"formats"}
        untried = "" if is_tried else "; what it computes is not run here: --measure does that"
        yield Finding("ok", f"of the plugin {record.file} the config uses {uses}{untried}")
    for warning in loaded.warnings:
        yield Finding("warning", str(warning), place=warning)
