"""What is read of a calendar: occurrences, and events that cannot be used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from app.adapters.outbound.providers.icalendar.properties import Value
from app.domain.feeds import RejectionReason

MAX_SOURCE = 2_000


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as Marquee keeps it: a wall clock in an IANA zone, and the instant that was meant."""

    clock: datetime
    """Naive. A start that the clock leaves out (a night of changed clocks) stays as the calendar says it."""
    timezone: str
    """An IANA name."""
    at: datetime
    """Aware, UTC. What the wall clock gives, but for the second of two equal hours, which no wall clock can say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One time at which an event takes place."""

    uid: str | None
    """None when the event has none."""
    recurrence_id: str
    """With the UID the identity of an occurrence: where the series says it begins, by the series' own clock, as a
    RECURRENCE-ID is written (`20261024`, `20261024T190000`, or `20261024T170000Z`). It stays whatever an override moves
    and whatever time zone rules say. Empty for an event that does not recur, whose identity is its UID alone.
    """
    original_start: datetime | date | None
    """The same as an instant (aware, UTC) or as a date; None for an event that does not recur."""
    starts: Moment | date
    """A date is a whole day."""
    ends: Moment | date | None
    """Of a whole day its last day, else in the zone of `starts`; None when the calendar says no end."""
    properties: Mapping[str, Sequence[Value]]
    """Of the event, or of the override of this occurrence, by name in capitals; times as they are written there."""
    left_out: Sequence[str]
    """Properties that are too long to be kept; `properties` does not have them."""
    line: int
    """Where the event, or the override, begins."""
    source: str
    """Its lines, unfolded, cut to 2,000 characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenEvent:
    """An event, an override, or a part of a series that cannot be used; the others are not touched by it."""

    reason: RejectionReason
    message: str
    line: int
    """Where it begins, or the line that is wrong."""
    source: str
    """Its lines, unfolded, cut to 2,000 characters."""
    uid: str | None
    """None when it has none, or none that can be read."""
    recurrence_id: str | None
    """As an Occurrence has it, when the fault is that of one override: `uid` and this name what is touched by it. None
    when any occurrence of the event may be."""
