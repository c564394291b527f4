"""``track:`` where the figures go besides the run directory's own files."""

from __future__ import annotations

from pydantic import Field

from bmtrain.config.sections.base import Section


class TrackSection(Section):
    """Trackers; none ever stops a training or changes its result."""

    tensorboard: bool = Field(
        default=False, description="Event files in the run's tensorboard/, for TensorBoard."
    )
