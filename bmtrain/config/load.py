"""A config file, overrides and expectations to one checked experiment, or all that is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bmtrain.config.files import FileChain, read_chain
from bmtrain.config.fold_argument import FoldArgument
from bmtrain.config.merging import merge
from bmtrain.config.nodes import MappingNode
from bmtrain.config.origins import Origins
from bmtrain.config.overrides import check_overrides, read_override, with_expectations
from bmtrain.config.paths import resolved_paths
from bmtrain.config.plugin_tables import NO_PLUGINS, Plugins
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.config.semantics import semantic_problems
from bmtrain.config.short_forms import write_out
from bmtrain.config.source_text import Problem, sorted_diagnostics, summed_up
from bmtrain.config.validation import validate
from bmtrain.errors import ConfigError, Diagnostic, EnvironmentFault


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A valid experiment, where its settings come from, and what is legal but doubtful in it."""

    path: Path
    experiment: ExperimentConfig
    origins: Origins
    warnings: tuple[Diagnostic, ...]


def load_config(  # by name, and most are not given
    path: Path,
    overrides: Sequence[str] = (),
    expectations: Sequence[str] = (),
    *,
    fold: FoldArgument | None = None,
    may_extend: bool = True,
    plugins: Plugins = NO_PLUGINS,
) -> LoadedConfig:
    """Read, merge and check a config.

    Args:
        path: a YAML file; ``extends`` in it names a base.
        may_extend: False for a run's own config, which is resolved: no other file is read.
        overrides: ``KEY=VALUE`` arguments, laid over the file in their order.
        expectations: added to the config's ``expect``.
        plugins: what the config may name beside what is built in.
        fold: laid over all of it; what it replaces and a reader might count on is a warning.

    Raises:
        UsageError: an override without ``=``.
        ConfigError: the file cannot be read (``where`` names it), or the config is
            wrong: ``diagnostics`` holds every finding, in the order of their places.
        EnvironmentFault: the current directory, at which relative paths start, is gone.
    """
    check_overrides(overrides)
    _require_current_directory()
    chain = read_chain(path, may_extend=may_extend)
    root = _merged(chain, overrides, expectations)
    if root is None:
        raise _config_error(path, chain.problems)
    set_aside = [] if fold is None else fold.set_aside(root)
    if fold is not None:
        order = len(chain.configs) + len(overrides) + len(expectations) + 1
        root = _over(root, fold.node(order), chain.problems)
    experiment = validate(root, is_whole=chain.is_whole, plugins=plugins)
    if not chain.is_whole and not isinstance(experiment, list):
        raise _config_error(path, chain.problems)
    if isinstance(experiment, list):
        raise _config_error(path, _without_echoes(chain.problems, experiment))
    findings = semantic_problems(experiment, root)
    problems = chain.problems + [found for found in findings if found.severity == "error"]
    if problems:
        raise _config_error(path, problems)
    warnings = sorted_diagnostics([*set_aside, *findings])
    return LoadedConfig(path, experiment, Origins(root), warnings)


def _merged(
    chain: FileChain, overrides: Sequence[str], expectations: Sequence[str]
) -> MappingNode | None:
    """One tree of all configs, short forms written out, or None if no file had one."""
    num_files = len(chain.configs)
    configs = list(chain.configs)
    for number, text in enumerate(overrides, start=1):
        override, problems = read_override(text, number, order=num_files + number)
        chain.problems.extend(problems)
        if isinstance(override, MappingNode):
            configs.append(resolved_paths(override, chain.problems))
    if not num_files:
        return None
    root = write_out(configs[0])
    for config in configs[1:]:
        root = _over(root, write_out(config), chain.problems)
    return with_expectations(root, expectations, order=num_files + len(overrides))


def _over(root: MappingNode, config: MappingNode, problems: list[Problem]) -> MappingNode:
    merged = merge(root, config, problems)
    assert isinstance(merged, MappingNode)
    return merged


def _require_current_directory() -> None:
    try:
        Path.cwd()
    except OSError as error:
        raise EnvironmentFault(
            f"the current directory cannot be used: {error.strerror}", hint="cd to another one"
        ) from None


def _without_echoes(first: list[Problem], then: list[Problem]) -> list[Problem]:
    """``first`` and what ``then`` finds at other places: one fault, one message."""
    places = {problem.place.sort_key for problem in first}
    return first + [problem for problem in then if problem.place.sort_key not in places]


def _config_error(path: Path, problems: list[Problem]) -> ConfigError:
    diagnostics = sorted_diagnostics(problems)
    return ConfigError(summed_up(diagnostics), where=str(path), diagnostics=diagnostics)
