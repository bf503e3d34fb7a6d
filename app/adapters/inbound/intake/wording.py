"""In which words activities come, as far as a configuration decides it."""

from dataclasses import dataclass

from app.adapters.inbound.intake.forms.cloud_events import SUBJECT
from app.adapters.inbound.reading.activity_names import FieldNames
from app.adapters.inbound.reading.reading import USUAL_NAMES


@dataclass(frozen=True, slots=True)
class Wording:
    """What the fields of records are called."""

    names: FieldNames = USUAL_NAMES
    """In records of our own form."""
    cloud_events_user: str | None = SUBJECT
    """The attribute of a CloudEvent that says whose it is; None: none does."""


USUAL_WORDING = Wording()
