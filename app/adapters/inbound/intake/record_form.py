"""How the records of a delivery are written: a form reads them, and knows by which names they say what they say."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, Protocol

from app.adapters.inbound.reading.activity_input import read_activities, read_activity
from app.adapters.inbound.reading.activity_names import FieldNames
from app.adapters.inbound.reading.reading import USUAL_NAMES, Reading
from app.application.record_activities import SentActivity
from app.domain.activities import ACTIVITY_TYPE

UNKNOWN = "(unknown)"
"""The type of a record that has none, or none that could be one. No type can be called that."""


class RecordForm(Protocol):
    """Reads records as they were parsed from JSON, with Decimals for numbers that are no integers."""

    @abstractmethod
    def read_one(self, record: dict[str, Any], reading: Reading) -> SentActivity:
        """Read a record. It is not changed.

        Raises:
            RefusedRecordError: it breaks a rule; a problem for each field that does, by the names that it has.
        """

    @abstractmethod
    def read_all(self, records: list[dict[str, Any]], reading: Reading) -> list[SentActivity] | None:
        """Read many at once, as `read_one` reads each; None when one of them breaks a rule, or for no reason."""

    @abstractmethod
    def place_of(self, record: dict[str, Any], field: str) -> tuple[str, ...]:
        """Tell by which name, or names inside each other, a record gives a field of an activity."""

    @abstractmethod
    def type_of(self, record: dict[str, Any]) -> str:
        """Tell the type of a record that is refused, as far as it can be read; UNKNOWN where it cannot."""


@dataclass(frozen=True, slots=True)
class OwnForm(RecordForm):
    """Records in our own words, or in those that a configuration maps to them."""

    names: FieldNames = USUAL_NAMES

    def read_one(self, record: dict[str, Any], reading: Reading) -> SentActivity:
        """Read one."""
        return read_activity(record, reading)

    def read_all(self, records: list[dict[str, Any]], reading: Reading) -> list[SentActivity] | None:
        """Read many at once."""
        return read_activities(records, reading)

    def place_of(self, record: dict[str, Any], field: str) -> tuple[str, ...]:
        """Name the field."""
        return self.names.place_of(record, field)

    def type_of(self, record: dict[str, Any]) -> str:
        """Name the type."""
        found: Any = record
        for step in self.names.place_of(record, "type"):
            found = found.get(step)
        return type_or_unknown(found)


def type_or_unknown(found: object) -> str:
    """Let a type pass."""
    return found if isinstance(found, str) and ACTIVITY_TYPE.fullmatch(found) else UNKNOWN


OWN_FORM = OwnForm()
