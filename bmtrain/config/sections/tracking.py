"""``track:`` where the figures go besides the run directory's own files."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bmtrain.config.sections.base import Section


class MlflowSection(Section):
    """An MLflow tracking server, or a database in a file, and what it is given."""

    uri: Annotated[str, Field(min_length=1, max_length=2048)] | None = Field(
        default=None,
        description="http://HOST:PORT, sqlite:///FILE or another database; null: the environment's "
        "MLFLOW_TRACKING_URI. No passwords: they belong into the environment.",
    )
    experiment: Annotated[str, Field(min_length=1, max_length=256)] | None = Field(
        default=None, description="MLflow's experiment; null: the config's name."
    )
    checkpoint: bool = Field(
        default=False,
        description="Give it the evaluated checkpoint, too, beside config.yaml and summary.json.",
    )


class TrackSection(Section):
    """Trackers; none ever stops a training or changes its result."""

    tensorboard: bool = Field(
        default=False, description="Event files in the run's tensorboard/, for TensorBoard."
    )
    mlflow: MlflowSection | None = Field(
        default=None, description="Parameters, figures and files to MLflow; a URI alone will do."
    )
