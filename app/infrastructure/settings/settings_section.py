"""What all parts of the settings have in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(gt=0, le=86400)]
Share = Annotated[float, Field(ge=0, le=1)]


class SettingsSection(BaseModel):
    """A part of the settings: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)
