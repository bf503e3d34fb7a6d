"""Events and their overrides -> occurrences."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import IO

from app.adapters.outbound.providers.icalendar.components import Block, Components
from app.adapters.outbound.providers.icalendar.event import CalendarEvent, Length, Start, read_event, source_of
from app.adapters.outbound.providers.icalendar.faults import DuplicateEventError, UnusableEventError
from app.adapters.outbound.providers.icalendar.identities import identity_of
from app.adapters.outbound.providers.icalendar.index import SERIES, CalendarIndex, Identity, Place
from app.adapters.outbound.providers.icalendar.keys import key_of_override, keys_of
from app.adapters.outbound.providers.icalendar.moments import instants_of, told_times
from app.adapters.outbound.providers.icalendar.occurrence import BrokenEvent, Occurrence
from app.adapters.outbound.providers.icalendar.recurrence_set import Slot, excludes, slots
from app.adapters.outbound.providers.icalendar.window import Window
from app.adapters.outbound.providers.icalendar.work import Work
from app.adapters.outbound.providers.icalendar.zone_directory import ZoneDirectory
from app.domain.feeds import RejectionReason

MAX_OCCURRENCES = 10_000
"""Of one series inside the window: 27 a day for a year."""

Told = Occurrence | BrokenEvent


@dataclass(slots=True)
class OccurrenceReader:
    """Tells the events of one file, one after the other; blocks come in the file's order."""

    file: IO[bytes]
    index: CalendarIndex
    zones: ZoneDirectory
    window: Window
    work: Work

    def tell(self, block: Block) -> Iterator[Told]:
        """Tell all that a block says; the overrides of a series come with it."""
        self.work = Work(self.work.of_calendar)
        identity = identity_of(block)
        if identity and identity.recurrence_id:
            yield from self._tell_override_itself(block, identity)
            return
        uid = identity.uid if identity else None
        try:
            if identity is None or self._counts(identity, SERIES, block):
                yield from self._tell_event(read_event(block, self.zones))
        except DuplicateEventError as error:
            yield _broken(block, error, uid, None)
        except (UnusableEventError, OverflowError) as error:
            yield _broken(block, error, uid, None)
            if uid is not None:
                yield from self._tell_rest(uid, None)

    def _tell_event(self, event: CalendarEvent) -> Iterator[Told]:
        if event.recurs:
            yield from self._tell_series(event)
            return
        yield self._occurrence(event, event.start, event.length, None)
        if event.uid is not None:
            yield from self._tell_rest(event.uid, None)

    def _tell_override_itself(self, block: Block, identity: Identity) -> Iterator[Told]:
        """Tell an override whose series is not in the calendar, or that another one leaves no place for."""
        recurrence_id = None
        try:
            key = key_of_override(identity, block.calendar, self.zones)
            if not self._counts(identity, key, block) or self.index.series(identity.uid):
                return
            event = read_event(block, self.zones)
            original = event.original or event.start
            recurrence_id = original.written
            yield self._occurrence(event, event.start, event.length, original)
        except (UnusableEventError, OverflowError) as error:
            yield _broken(block, error, identity.uid, recurrence_id)

    def _counts(self, identity: Identity, key: str, block: Block) -> bool:
        """Tell whether a block is the newest of its kind.

        Raises:
            DuplicateEventError: it says something else than another one, and nothing tells which is the newer.
        """
        counts = self.index.counts(identity, key, block)
        if counts is None:
            raise DuplicateEventError
        return counts

    def _tell_series(self, series: CalendarEvent) -> Iterator[Told]:
        overridden = series.uid is not None and self.index.has_overrides(series.uid)
        told = 0
        for slot in self._slots(series):
            for one in self._tell_slot(series, slot, overridden=overridden):
                told += 1
                if told > MAX_OCCURRENCES:
                    message = (
                        f"it has more than {MAX_OCCURRENCES:,} occurrences until {self.window.ends_at:%Y-%m-%d}, and "
                        "those after them were not read: expected fewer, or a shorter horizon"
                    )
                    raise UnusableEventError(RejectionReason.INVALID_VALUE, message)
                yield one
        if overridden and series.uid is not None:
            yield from self._tell_rest(series.uid, series)

    def _slots(self, series: CalendarEvent) -> Iterator[Slot]:
        """Give all slots that may be told where they are, or moved; overrides from elsewhere come behind them."""
        back = max([_longest(series.length), *(_longest(length) for _, length in series.added if length)])
        ahead = timedelta()
        for event in self._onwards(series):
            moved = event.start.at - event.original.at if event.original else timedelta()
            back = max(back, moved + _longest(event.length))
            ahead = max(ahead, -moved)
        since, before = self.window.begins_at - back, self.window.ends_at + ahead
        for slot in slots(series, since=since, before=before, work=self.work):
            if slot.at >= before:
                return
            if slot.at >= since:
                yield slot

    def _onwards(self, series: CalendarEvent) -> Iterator[CalendarEvent]:
        for place in self.index.onwards(series.uid) if series.uid is not None else ():
            try:
                yield self._event_at(place)
            except (UnusableEventError, OverflowError):
                continue  # it is told as broken where its own occurrence is

    def _tell_slot(self, series: CalendarEvent, slot: Slot, *, overridden: bool) -> Iterator[Told]:
        uid = series.uid
        if not overridden or uid is None:
            if not excludes(series, slot.start):
                yield from self._inside(self._occurrence(series, slot.start, slot.length, slot.start), slot)
            return
        keys = keys_of(slot.start, series.start.zone)
        place = self.index.override(uid, *keys)
        if place:
            self.index.mark_told(uid, place.key)
        if excludes(series, slot.start):
            return
        onwards = None if place else self.index.last_onwards(uid, keys[0])
        if place:
            yield from self._tell_override(uid, place, slot)
        elif onwards:
            yield from self._tell_moved(series, onwards, slot)
        else:
            yield from self._inside(self._occurrence(series, slot.start, slot.length, slot.start), slot)

    def _tell_override(self, uid: str, place: Place, slot: Slot | None) -> Iterator[Told]:
        block = self._block_at(place)
        written = slot.start.written if slot else None
        try:
            event = read_event(block, self.zones)
            original = slot.start if slot else event.original
            occurrence = self._occurrence(event, event.start, event.length, original)
        except (UnusableEventError, OverflowError) as error:
            yield _broken(block, error, uid, written)
        else:
            yield from self._inside(occurrence, slot)

    def _tell_moved(self, series: CalendarEvent, place: Place, slot: Slot) -> Iterator[Told]:
        """Tell a later occurrence of an override of all later ones: moved as far, as long, and with what it says."""
        try:
            event = self._event_at(place)
        except (UnusableEventError, OverflowError) as error:
            yield _broken(self._block_at(place), error, series.uid, slot.start.written)
            return
        original = event.original or event.start
        moved = _clock_in(event.start, slot.start) - _clock_in(event.start, original)
        start = event.start._replace(clock=event.start.clock + moved)
        yield from self._inside(self._occurrence(event, start, event.length, slot.start), slot)

    def _tell_rest(self, uid: str, series: CalendarEvent | None) -> Iterator[Told]:
        """Tell the overrides that no slot of their series has asked for."""
        for place in self.index.untold(uid):
            self.index.mark_told(uid, place.key)
            block = self._block_at(place)
            recurrence_id = None
            try:
                event = read_event(block, self.zones)
                original = event.original or event.start
                if series:
                    original = _by_clock_of(series, original)
                    if excludes(series, original):
                        continue
                recurrence_id = original.written
                occurrence = self._occurrence(event, event.start, event.length, original)
            except (UnusableEventError, OverflowError) as error:
                yield _broken(block, error, uid, recurrence_id)
                continue
            if series is None:
                yield occurrence
            else:
                yield from self._inside(occurrence, Slot(original.at, original, event.length))

    def _inside(self, occurrence: Occurrence, slot: Slot | None) -> Iterator[Occurrence]:
        """Give what is in the window, or what would be there had nobody moved it."""
        starts_at, ends_at = instants_of(occurrence, self.zones.of_plan)
        if self.window.touches(starts_at, ends_at) or (slot and self.window.holds(slot.at)):
            yield occurrence

    def _occurrence(self, event: CalendarEvent, start: Start, length: Length, original: Start | None) -> Occurrence:
        starts, ends = told_times(start, length, self.zones.of_plan)
        return Occurrence(
            uid=event.uid,
            recurrence_id=original.written if original else "",
            original_start=_original(original) if original else None,
            starts=starts,
            ends=ends,
            properties=event.properties,
            left_out=event.left_out,
            line=event.line,
            source=event.source,
        )

    def _event_at(self, place: Place) -> CalendarEvent:
        return read_event(self._block_at(place), self.zones)

    def _block_at(self, place: Place) -> Block:
        components = Components(self.file)
        return components.block_at(calendar=place.calendar, number=place.number, offset=place.offset)


def _original(original: Start) -> datetime | date:
    return original.clock.date() if original.whole_day else original.at


def _longest(length: Length) -> timedelta:
    return timedelta(days=length.days + 1) + length.exact


def _clock_in(start: Start, other: Start) -> datetime:
    """Tell a start by the clock of another one; of whole days their midnight."""
    clock = other.clock if other.zone == start.zone else start.zone.clock(other.at)
    return datetime.combine(clock, datetime.min.time()) if start.whole_day or other.whole_day else clock


def _by_clock_of(series: CalendarEvent, original: Start) -> Start:
    if original.whole_day or series.start.whole_day:
        return original
    return Start(series.start.zone.clock(original.at), series.start.zone, whole_day=False)


def _broken(
    block: Block, error: UnusableEventError | OverflowError, uid: str | None, recurrence_id: str | None
) -> BrokenEvent:
    if isinstance(error, OverflowError):
        message = "a time of it, or its end, lies outside of the years 1 to 9999"
        error = UnusableEventError(RejectionReason.INVALID_DATE, message)
    return BrokenEvent(
        reason=error.reason,
        message=error.message,
        line=error.line or block.number,
        source=source_of(block),
        uid=uid,
        recurrence_id=recurrence_id,
    )
