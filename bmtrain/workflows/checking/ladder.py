"""The sections in their order, each standing on the one before."""

from __future__ import annotations

from collections.abc import Iterator

from bmtrain.config.load import LoadedConfig
from bmtrain.data.checks.inspection import inspect_dataset
from bmtrain.errors import BmtrainError, OutOfMemory
from bmtrain.workflows.checking.cost import cost_section
from bmtrain.workflows.checking.environment import environment_section
from bmtrain.workflows.checking.model import model_section
from bmtrain.workflows.checking.section import Section, placed, stopped_by
from bmtrain.workflows.preparation import Prepared, plan, read_data, require_memory


class _Ladder:
    """How far it goes: what is known, and what ended it."""

    def __init__(self, loaded: LoadedConfig) -> None:
        self._loaded = loaded
        self.prepared: Prepared | None = None
        self.error: BmtrainError | None = None

    def sections(self) -> Iterator[Section]:
        """Data, model and cost, up to the one that cannot be."""
        title = "data"
        try:
            data = read_data(self._loaded)
            found = inspect_dataset(data.dataset, data.preprocessing)
            yield Section(title=title, findings=placed(found, self._loaded.origins))
            title = "model"
            self.prepared = plan(self._loaded, data)
            yield model_section(self.prepared, self._loaded)
        except BmtrainError as error:
            self.error = error
            yield stopped_by(title, error)
            return
        try:
            require_memory(self.prepared, self._loaded.origins)
        except OutOfMemory as error:
            self.error = error
        yield cost_section(self.prepared, self.error)


def climb(loaded: LoadedConfig, *, measured: bool) -> Iterator[Section]:
    """See :func:`bmtrain.workflows.check.check`."""
    ladder = _Ladder(loaded)
    can_run = True
    for section in ladder.sections():
        can_run = can_run and not _has_error(section)
        yield section
    environment = environment_section(loaded, ladder.prepared)
    can_run = can_run and not _has_error(environment)
    yield environment
    if ladder.error is not None:
        raise ladder.error
    if measured and can_run and ladder.prepared is not None:
        from bmtrain.workflows.checking.measurement import measured_section

        try:
            yield measured_section(ladder.prepared)
        except BmtrainError as error:
            yield stopped_by("measured", error)
            raise


def _has_error(section: Section) -> bool:
    return any(finding.level == "error" for finding in section.findings)
