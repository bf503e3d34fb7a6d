"""The port through which activities are taken out again: all of a span, or the newest of some kind."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from app.domain.activities import Activity, ActivityId
from app.domain.activity_spans import ActivitySpan


class LineForm(StrEnum):
    """How an activity is written on lines of text."""

    NDJSON = "ndjson"
    """One JSON object a line, without the fields that are absent."""
    CSV = "csv"
    """RFC 4180, the columns EXPORT_COLUMNS; an absent field is an empty cell."""
    CSV_FOR_SPREADSHEETS = "csv for spreadsheets"
    """The same; text that a spreadsheet would take for a formula (`=`, `+`, `-`, `@`, a tab) has an apostrophe before
    it. Numbers stay numbers."""


EXPORT_COLUMNS = ("id", "type", "occurred_at", "source", "user_id", "anonymous_id", "value", "properties", "origin")
"""The fields of an export, in order. `properties` and `origin` are JSON objects, in CSV too."""


class Slice(NamedTuple):
    """Some activities that stand beside each other in the store, as many as fit into memory with ease."""

    begin: str
    """Behind which place; empty: the first. Places mean something to the store alone."""
    end: str
    """Up to which place, included."""


class Lines(NamedTuple):
    """Activities as text."""

    text: str
    """Lines, each with its end; empty when there are none."""
    number: int
    """Of activities."""


class UnknownPlaceError(Exception):
    """A place is none of this store's."""

    def __init__(self, place: str) -> None:
        """Name it; cut, because it comes from outside."""
        super().__init__(f"{place[:100]!r} is no place in this database: whoever kept it talked with another one")


class ActivityPosition(NamedTuple):
    """Where an activity stands in the order of time."""

    occurred_at: datetime
    activity_id: ActivityId


@dataclass(frozen=True, slots=True)
class WantedActivities:
    """What somebody looks for. None leaves it open."""

    span: ActivitySpan
    user_id: str | None = None
    type: str | None = None
    before: ActivityPosition | None = None
    """Only what stands before it in the order of time."""


@dataclass(frozen=True, slots=True)
class FoundActivities:
    """The newest of what was looked for."""

    activities: Sequence[Activity]
    """Newest first; equal instants by id, the largest first."""
    searched_from: datetime | None
    """What occurred before was not looked at: look further from there. None: there is nothing before it."""


class ActivityArchive(Protocol):
    """The activities that were stored, read by slices: none of its questions takes long, whatever the table's size.

    Between two questions others store: what comes meanwhile may be in a later slice, or in none. What was stored when
    the first slice was asked for is in exactly one. All methods raise HistoryUnavailableError when nobody can tell now.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """Which store it is, for messages, and to tell it from others: places mean something to this one alone."""

    @abstractmethod
    async def next_slice(self, span: ActivitySpan, after: str) -> Slice | None:
        """Find the slice that follows a place; None when none follows. Oldest months first.

        Within a month the order is the store's own, and lasts. A slice has a few thousand activities, or a few MB of
        them; of those in the span it may have none.

        Raises:
            UnknownPlaceError: `after` is none of this store's places.
        """

    @abstractmethod
    async def lines(self, span: ActivitySpan, wanted: Slice, form: LineForm) -> Lines:
        """Write the activities of a slice that lie in the span; the same text whenever it is asked for.

        Text and not Activity: made one by one in Python they would cost several times as much (ADR 0099).
        """

    @abstractmethod
    async def activities(self, span: ActivitySpan, wanted: Slice) -> Sequence[Activity]:
        """Read the same as activities, in the same order."""

    @abstractmethod
    async def newest(self, wanted: WantedActivities, limit: int) -> FoundActivities:
        """Find the newest `limit` activities of those wanted. It looks back only so far, and says how far."""
