"""A record -> the plan that it is, a tombstone, or why it cannot be used."""

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import blake2b
from typing import TypeVar

from app.adapters.outbound.providers.mapped import interpreting
from app.adapters.outbound.providers.mapped.field_reading import holds, read
from app.adapters.outbound.providers.mapped.mapping import Field, Mapping, Source
from app.adapters.outbound.providers.mapped.moments import (
    LAST_SECOND,
    Length,
    Moment,
    TimeOfDay,
    WallClock,
    in_zone,
    later,
    on_its_day,
)
from app.adapters.outbound.providers.mapped.paths import BrokenRecord, Record
from app.adapters.outbound.providers.mapped.zone_mapper import ZoneMapper
from app.adapters.outbound.providers.reading import values
from app.adapters.outbound.providers.reading.digests import plan_digest
from app.adapters.outbound.providers.reading.values import UnusableError
from app.domain.errors import PlanEndsBeforeItStartsError
from app.domain.feeds import FeedRecord, PlanRecord, Rejection, RejectionReason, Tombstone
from app.domain.plans import Place, Plan, PlanDetails, PlanKey, PlanStatus, SellMode, Zone, instant

MAX_SOURCE = 2_000
MAX_PARTS = 100
"""Rejections of parts that are told of one record; the rest is counted in the last one."""

T = TypeVar("T")
_ONE_DAY = timedelta(days=1)


@dataclass(slots=True)
class _Reading:
    """One record while it is read."""

    record: Record
    base_id: str | None = None
    key: PlanKey | None = None
    parts: list[tuple[str, UnusableError]] = field(default_factory=list)
    """What cannot be used of it."""


@dataclass(frozen=True, slots=True)
class _Times:
    zone: str
    starts: WallClock
    ends: WallClock | None
    said: Moment
    """The start as the feed says it."""


class PlanMapper:
    """Reads the records of one provider's feed."""

    def __init__(self, mapping: Mapping, *, provider: str, timezone: str) -> None:
        self._mapping = mapping
        self._provider = provider
        self._timezone = timezone
        self._fields = mapping.fields
        self._zones = [ZoneMapper(zones, mapping.paths) for zones in mapping.zones]
        self._found: set[str] = set()
        self._read = 0
        self.passed_over = 0

    def records(self, record: Record | BrokenRecord) -> Iterator[FeedRecord]:
        """Give what a record says: nothing when it is passed over; a plan is followed by what it had to go without."""
        if isinstance(record, BrokenRecord):
            yield self._broken(record)
            return
        if not all(holds(condition, record) for condition in self._mapping.where):
            self.passed_over += 1
            return
        self._read += 1
        reading = _Reading(record)
        try:
            yield self._withdrawn(reading) or self._listed(reading)
        except UnusableError as error:
            yield _rejection(reading, error)
            return
        yield from _rejected_parts(reading)

    def found_again(self, missing: Collection[str]) -> None:
        """Take note of a record that is not read, since it is known: it has all fields but the missing ones."""
        self._read += 1
        self._found |= self._fields.keys() - set(missing)

    def read_well(self, record: Record) -> tuple[list[FeedRecord], list[str]]:
        """Give `records` of a record, and the fields that it has not."""
        before, self._found = self._found, set()
        try:
            told = list(self.records(record))
            return told, sorted(self._fields.keys() - self._found)
        finally:
            self._found |= before

    @property
    def looks_around(self) -> bool:
        """Whether a record says more than its own bytes."""
        fields = [*self._fields.values(), *(one.field for one in (*self._mapping.where, *self._mapping.deleted))]
        return any(source.of_document for field in fields for source in field.sources)

    def never_found(self) -> list[str]:
        """Name the fields that no record had, as messages say them; none before a record was read."""
        if not self._read:
            return []
        known = self._found | self._mapping.assumed
        unseen = [found for name, found in self._fields.items() if name not in known]
        return [f"{found.shown}: found in no record" for found in unseen if any(one.paths for one in found.sources)]

    def _withdrawn(self, reading: _Reading) -> Tombstone | None:
        deleted = self._mapping.deleted
        if not deleted or not all(holds(condition, reading.record) for condition in deleted):
            return None
        key = self._key(reading, self._identifier(reading, "item_id"))
        return Tombstone(key)

    def _listed(self, reading: _Reading) -> PlanRecord:
        item_id = self._identifier(reading, "item_id") if "item_id" in self._fields else None
        key = None if item_id is None else self._key(reading, item_id)
        if key is None:
            reading.base_id = self._identifier(reading, "base_id")
        title = self._needed(reading, "title", values.title)
        times = self._times(reading)
        key = key or self._key(reading, _digest_of(title, times.said))
        zones = self._zones_of(reading)
        said = partial(self._said, reading)
        try:
            plan = Plan(
                key=key,
                title=title,
                sell_mode=self._sell_mode(reading),
                starts=times.starts.at,
                ends=times.ends.at if times.ends else None,
                timezone=times.zone,
                organizer_id=said("organizer_id", values.identifier),
                sell_from=self._sale_time(reading, "sell_from", times.zone),
                sell_to=self._sale_time(reading, "sell_to", times.zone),
                sold_out=said("sold_out", values.boolean) or False,
                zones=zones,
                price=None if zones else self._by_source(reading, "price", interpreting.price),
                start_has_time=times.starts.has_time,
                end_has_time=times.ends.has_time if times.ends else True,
                start_fold=times.starts.fold,
                end_fold=times.ends.fold if times.ends else 0,
                details=self._details(reading),
            )
        except PlanEndsBeforeItStartsError as error:
            raise UnusableError(RejectionReason.ENDS_BEFORE_START, str(error)) from error
        return PlanRecord(plan, plan_digest(plan))

    def _broken(self, broken: BrokenRecord) -> Rejection:
        """Name whose record it is, as far as anybody can tell: the others' absence still means something then."""
        reading = _Reading(Record(broken.node, broken.line, lambda: broken.source))
        if broken.node is not None:
            with suppress(UnusableError):
                if "base_id" in self._fields:
                    reading.base_id = self._identifier(reading, "base_id")
                if broken.is_one_item and "item_id" in self._fields:
                    self._key(reading, self._identifier(reading, "item_id"))
        return _rejection(reading, UnusableError(broken.reason, broken.message))

    def _key(self, reading: _Reading, item_id: str) -> PlanKey:
        if reading.base_id is None:
            reading.base_id = self._identifier(reading, "base_id") if "base_id" in self._fields else item_id
        reading.key = PlanKey(self._provider, reading.base_id, item_id)
        return reading.key

    def _identifier(self, reading: _Reading, name: str) -> str:
        return self._needed(reading, name, values.identifier)

    def _sell_mode(self, reading: _Reading) -> SellMode:
        if "sell_mode" not in self._fields:
            return SellMode.ONLINE
        return self._needed(reading, "sell_mode", values.sell_mode)

    def _needed(self, reading: _Reading, name: str, interpret: Callable[[str, str], T]) -> T:
        """Read what no plan is without."""
        found = self._fields[name]
        value = read(found, reading.record, lambda _, said: interpret(found.shown, interpreting.text_in(said)))
        if value is None:
            raise _missing(found)
        self._found.add(name)
        return value

    def _optional(
        self, reading: _Reading, name: str, interpret: Callable[[Field, Source, str | Moment], T]
    ) -> T | None:
        """Read what a plan may be without: what cannot be used of it costs itself alone."""
        found = self._fields.get(name)
        if found is None:
            return None
        try:
            value = read(found, reading.record, lambda source, said: interpret(found, source, said))
        except UnusableError as error:
            self._found.add(name)
            reading.parts.append((name, error))
            return None
        if value is not None:
            self._found.add(name)
        return value

    def _said(self, reading: _Reading, name: str, interpret: Callable[[str, str], T]) -> T | None:
        return self._optional(reading, name, lambda found, _, said: interpret(found.shown, interpreting.text_in(said)))

    def _by_field(self, reading: _Reading, name: str, interpret: Callable[[Field, str], T]) -> T | None:
        return self._optional(reading, name, lambda found, _, said: interpret(found, interpreting.text_in(said)))

    def _by_source(self, reading: _Reading, name: str, interpret: Callable[[Field, Source, str], T]) -> T | None:
        return self._optional(
            reading, name, lambda found, source, said: interpret(found, source, interpreting.text_in(said))
        )

    def _zones_of(self, reading: _Reading) -> tuple[Zone, ...]:
        zones: tuple[Zone, ...] = ()
        try:
            for mapper in self._zones:
                more, wrong = mapper.read(reading.record.node, len(zones))
                zones += more
                reading.parts.extend(wrong)
        except UnusableError as error:
            reading.parts.append(("zones", error))
            return ()
        return zones

    def _details(self, reading: _Reading) -> PlanDetails | None:
        details = PlanDetails(
            status=self._by_field(reading, "status", interpreting.status) or PlanStatus.SCHEDULED,
            place=self._place(reading),
            url=self._by_field(reading, "url", interpreting.web_address),
            image=self._by_field(reading, "image", interpreting.web_address),
            category=self._said(reading, "category", values.label),
            currency=self._by_field(reading, "currency", interpreting.currency),
        )
        return None if details == PlanDetails() else details

    def _place(self, reading: _Reading) -> Place | None:
        place = Place(
            name=self._said(reading, "place.name", values.label),
            city=self._said(reading, "place.city", values.label),
            country=self._said(reading, "place.country", values.label),
            latitude=self._by_source(reading, "place.latitude", partial(interpreting.degrees, most=90)),
            longitude=self._by_source(reading, "place.longitude", partial(interpreting.degrees, most=180)),
        )
        return None if place == Place() else place

    def _times(self, reading: _Reading) -> _Times:
        field_of_start = self._fields["starts"]
        said = read(field_of_start, reading.record, partial(_moment, field_of_start))
        if said is None:
            raise _missing(field_of_start)
        self._found.add("starts")
        if not isinstance(said, Moment):
            message = f"{field_of_start.shown} has a time of day, expected one with its day"
            raise UnusableError(RejectionReason.INVALID_DATE, message)
        zone = self._zone(reading, said)
        starts = _clock(field_of_start, said, zone)
        return _Times(zone, starts, self._end(reading, starts, zone), said)

    def _zone(self, reading: _Reading, start: Moment) -> str:
        """Find the zone of a plan. Without it, an instant is told in the provider's; a wall clock says nothing."""
        found = self._fields.get("zone")
        if found is None:
            return start.zone or self._timezone
        try:
            zone = self._needed_zone(found, reading)
        except UnusableError as error:
            if start.at.tzinfo is None:
                raise
            reading.parts.append(("zone", error))
            return self._timezone
        self._found.add("zone")
        return zone

    @staticmethod
    def _needed_zone(found: Field, reading: _Reading) -> str:
        zone = read(found, reading.record, lambda _, said: interpreting.zone(found, interpreting.text_in(said)))
        if zone is None:
            raise _missing(found)
        return zone

    def _end(self, reading: _Reading, starts: WallClock, zone: str) -> WallClock | None:
        """Find the end. One that cannot be read is none; a day alone lasts until its last second."""
        found = self._fields.get("ends")
        said = self._optional(reading, "ends", lambda known, source, text: (source, _moment(known, source, text)))
        if found is None or said is None:
            after = next((one.after for one in found.sources if one.after), None) if found else None
            if after is None or not starts.has_time:
                return None if starts.has_time else _last_second(starts)
            return later(starts, zone, after)
        source, end = said
        try:
            if isinstance(end, Length):
                return later(starts, zone, end.after) if starts.has_time else _last_second(starts)
            if isinstance(end, TimeOfDay):
                end = on_its_day(starts, end)
            if end.has_time:
                return _clock(found, end, zone)
            return _last_second(WallClock(end.at - _ONE_DAY if source.exclusive else end.at))
        except OverflowError:
            raise UnusableError(RejectionReason.INVALID_DATE, f"{found.shown} lies beyond the calendar") from None

    def _sale_time(self, reading: _Reading, name: str, zone: str) -> datetime | None:
        def clock(found: Field, source: Source, said: str | Moment) -> datetime:
            at = _moment(found, source, said)
            if not isinstance(at, Moment):
                message = f"{found.shown} has a time of day, expected one with its day"
                raise UnusableError(RejectionReason.INVALID_DATE, message)
            told = _clock(found, at, zone)
            return told.at if told.has_time or name == "sell_from" else _last_second(told).at

        return self._optional(reading, name, clock)


def _moment(found: Field, source: Source, said: str | Moment) -> Moment | TimeOfDay | Length:
    return interpreting.moment(found, source, said)


def _clock(found: Field, said: Moment, zone: str) -> WallClock:
    try:
        clock = in_zone(said, zone)
        instant(clock.at, zone, clock.fold)
    except OverflowError:  # the first hours of year 1 and the last of 9999, in some time zones
        message = f"{found.shown} is {said.at.isoformat()}, expected a time that exists in UTC, too"
        raise UnusableError(RejectionReason.INVALID_DATE, message) from None
    return clock


def _last_second(day: WallClock) -> WallClock:
    return WallClock(datetime.combine(day.at.date(), LAST_SECOND), has_time=False)


def _digest_of(title: str, start: Moment) -> str:
    """Give the id of an item that has none: it follows from what the feed says, in whatever zone it is told."""
    at = start.at.astimezone(UTC) if start.at.tzinfo else start.at
    return blake2b(f"{at.isoformat()} {title}".encode(), digest_size=16).hexdigest()


def _missing(found: Field) -> UnusableError:
    return UnusableError(RejectionReason.MISSING_ATTRIBUTE, f"there is no {found.shown}")


def _rejection(reading: _Reading, error: UnusableError, part: str | None = None) -> Rejection:
    return Rejection(
        reason=error.reason,
        message=error.message,
        line=reading.record.line,
        source=reading.record.source()[:MAX_SOURCE],
        key=reading.key,
        base_id=None if reading.key else reading.base_id,
        part=part,
    )


def _rejected_parts(reading: _Reading) -> Iterator[Rejection]:
    for name, error in reading.parts[:MAX_PARTS]:
        yield _rejection(reading, error, name)
    if (more := len(reading.parts) - MAX_PARTS) > 0:
        last = UnusableError(RejectionReason.INVALID_VALUE, f"{more:,} more parts of this record cannot be used")
        yield _rejection(reading, last, "more parts")
