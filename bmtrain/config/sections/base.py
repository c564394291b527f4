"""What every section of the config has in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A closed, strict, frozen mapping: an invalid one cannot exist.

    Unknown keys are errors, a bool is not an int, a string is not a number,
    and numbers are finite. An int where a float belongs is taken as one.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        # Docstrings become the JSON Schema's descriptions through Field(description=…);
        # reading them from the source would cost start-up time.
        defer_build=True,
    )
