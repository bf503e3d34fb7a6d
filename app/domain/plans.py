"""Plans: what a provider sells and a visitor attends (doc/glossary.md)."""

import json
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from app.domain.errors import PlanEndsBeforeItStartsError

# Never change it: every PlanId that was ever given out follows from it (ADR 0005).
PLAN_NAMESPACE = UUID("6e1f4f0e-5f0b-5d3a-9d58-0c1d6a3a7b11")

PlanId = UUID


class SellMode(StrEnum):
    """How a plan is sold; only plans that were online at least once are searchable."""

    ONLINE = "online"
    OFFLINE = "offline"


class Zone(NamedTuple):
    """A part of the venue with one price. Zone ids are not unique within a plan: providers repeat them.

    A tuple and not a dataclass, because a large feed holds a million of them: building one takes
    a third of the time (`make bench-sync`).
    """

    zone_id: str
    capacity: int
    """Tickets left; 0 is sold out."""
    price: Decimal
    name: str
    numbered: bool


class PlanKey(NamedTuple):
    """The identity that a provider gives: an item id repeats under other bases, so all three are needed."""

    provider: str
    base_id: str
    item_id: str

    @property
    def plan_id(self) -> PlanId:
        """UUIDv5 (RFC 9562) over the three parts: stable for ever, found without a lookup.

        That of the first plan of this key, which nearly always is its only one (`Plan.edition`).
        """
        return _plan_id(self, None)

    def id_of(self, edition: datetime | None) -> PlanId:
        """Give the id of one of its plans: of a later one over its edition, too."""
        return _plan_id(self, edition)


_as_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@lru_cache(maxsize=1024)  # a sync asks for the same id at each of its steps
def _plan_id(key: PlanKey, edition: datetime | None) -> PlanId:
    parts = key if edition is None else (*key, edition.isoformat())
    return uuid5(PLAN_NAMESPACE, _as_json(parts))


class PlanStatus(StrEnum):
    """What became of a plan."""

    SCHEDULED = "scheduled"
    CANCELLED = "cancelled"
    POSTPONED = "postponed"
    SOLD_OUT = "sold_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a plan takes place, as far as its provider says it."""

    name: str | None = None
    city: str | None = None
    country: str | None = None
    latitude: float | None = None
    """Degrees north (WGS 84), -90 to 90."""
    longitude: float | None = None
    """Degrees east, -180 to 180."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDetails:
    """What a provider may say of a plan beyond what a search has words for."""

    status: PlanStatus = PlanStatus.SCHEDULED
    place: Place | None = None
    url: str | None = None
    """Where it is described or sold: http or https, like `image`."""
    image: str | None = None
    category: str | None = None
    currency: str | None = None
    """Of its prices: three capital letters (ISO 4217)."""


class UtcOffsets(NamedTuple):
    """How the instants of a plan were reckoned from its wall clock: seconds east of UTC, under some version of rules.

    They are stored with the plan, so that everybody says the same instants, and new rules show which are to be mended.
    """

    starts: int
    ends: int
    """As it counts: of an end that would lie before its start, the one that makes them equal; without an end, as for
    the start."""
    rules: str
    """Whose rules: a version of the IANA time zone database (`2026f`; later ones sort behind); empty: not known."""


class PriceRange(NamedTuple):
    """The lowest and the highest price of a plan's zones, both included."""

    lowest: Decimal
    highest: Decimal


class PricedZones(Sequence[Zone]):
    """Zones that tell their price range without being looked at one by one; otherwise like a tuple, and equal to one.

    A large feed has a million zones: what is kept packed until somebody asks for it is never built (ADR 0075).
    """

    @property
    @abstractmethod
    def price_range(self) -> PriceRange:
        """The range of `Plan.prices`. There is at least one zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One item of a provider's feed, as the feed says it.

    `starts`, `ends`, `sell_from` and `sell_to` are naive wall-clock times in `timezone` (an IANA name):
    the wall clock is what the provider promised, instants follow from it.
    """

    key: PlanKey
    title: str
    sell_mode: SellMode
    starts: datetime
    ends: datetime | None
    """None when nobody knows it: a window then looks at the start."""
    timezone: str = "UTC"
    organizer_id: str | None = None
    sell_from: datetime | None = None
    sell_to: datetime | None = None
    sold_out: bool = False
    zones: tuple[Zone, ...] = ()
    """A tuple, or PricedZones in place of one."""
    price: Decimal | None = None
    """The one price of a plan without zones."""
    start_has_time: bool = True
    """Whether its start is more than a date; of a date alone, `starts` is its first second."""
    end_has_time: bool = True
    """The same of its end; of a date alone, `ends` is the last second of that day."""
    start_fold: int = 0
    """1 when `starts` occurs twice and the second time is meant (PEP 495); `end_fold` says it of `ends`."""
    end_fold: int = 0
    details: PlanDetails | None = None
    """None when the provider says nothing of the kind."""
    edition: datetime | None = None
    """When ids of the provider were used again for another show: this one's first start, kept for ever (ADR 0070)."""

    def __post_init__(self) -> None:
        """Refuse an end before the start; start = end is valid.

        Raises:
            PlanEndsBeforeItStartsError: never swapped, because a swap would invent a fact.
        """
        if self.ends is not None and self.ends < self.starts and self.end_fold <= self.start_fold:
            raise PlanEndsBeforeItStartsError(self.starts, self.ends)

    @property
    def plan_id(self) -> PlanId:
        """UUIDv5 over its key, and over the edition if there was another show before it."""
        return _plan_id(self.key, self.edition)

    @property
    def starts_at(self) -> datetime:
        """The start as an instant (aware, UTC)."""
        return instant(self.starts, self.timezone, self.start_fold)

    @property
    def ends_at(self) -> datetime:
        """The end as an instant (aware, UTC); never before `starts_at`, even across a DST change; it without an end."""
        starts_at = self.starts_at
        return starts_at if self.ends is None else max(instant(self.ends, self.timezone, self.end_fold), starts_at)

    @property
    def status(self) -> PlanStatus:
        """What became of it; a plan that is said to be sold out, and nothing else, is that."""
        status = self.details.status if self.details else PlanStatus.SCHEDULED
        return PlanStatus.SOLD_OUT if self.sold_out and status is PlanStatus.SCHEDULED else status

    @property
    def prices(self) -> PriceRange | None:
        """The price range over the zones with tickets left; over all zones when none has any.

        Without zones, of the plan's one price; None without that, too.
        """
        zones: Sequence[Zone] = self.zones
        if isinstance(zones, PricedZones):
            return zones.price_range
        offered = [zone.price for zone in zones if zone.capacity > 0]
        listed = offered or [zone.price for zone in zones]
        if listed:
            return PriceRange(min(listed), max(listed))
        return None if self.price is None else PriceRange(self.price, self.price)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSummary:
    """What a search says of a plan. Times are the provider's wall clock, as in `Plan`, prices as in `Plan.prices`."""

    plan_id: PlanId
    title: str
    starts: datetime
    ends: datetime | None
    min_price: Decimal | None
    max_price: Decimal | None
    start_has_time: bool = True
    end_has_time: bool = True


@dataclass(frozen=True, slots=True)
class SearchablePlan:
    """A summary with the instants that decide whether a window holds it (aware, UTC)."""

    starts_at: datetime
    ends_at: datetime
    summary: PlanSummary
    details: PlanDetails | None = None
    """With the status that counts (`Plan.status`); None when there is nothing to tell."""
    provider: str = ""
    timezone: str | None = None
    """Of its wall clock (an IANA name); None where it was written before that was noted."""

    @property
    def status(self) -> PlanStatus:
        """What became of it."""
        return self.details.status if self.details else PlanStatus.SCHEDULED


def searchable(plan: Plan, offsets: UtcOffsets | None = None) -> SearchablePlan:
    """Reduce a plan to what search needs: no zones, so that a million of them fit into memory.

    Its instants follow from `offsets`; without them, from the rules of this process.
    """
    prices = plan.prices
    return SearchablePlan(
        *instants(plan, offsets),
        PlanSummary(
            plan_id=plan.plan_id,
            title=plan.title,
            starts=plan.starts,
            ends=plan.ends,
            min_price=prices.lowest if prices else None,
            max_price=prices.highest if prices else None,
            start_has_time=plan.start_has_time,
            end_has_time=plan.end_has_time,
        ),
        _told_details(plan),
        plan.key.provider,
        plan.timezone,
    )


def _told_details(plan: Plan) -> PlanDetails | None:
    details, status = plan.details, plan.status
    if status is (details.status if details else PlanStatus.SCHEDULED):
        return details
    return replace(details or PlanDetails(), status=status)


def instants(plan: Plan, offsets: UtcOffsets | None = None) -> tuple[datetime, datetime]:
    """Tell start and end (aware, UTC) as they were reckoned once; without `offsets`, by the rules of this process."""
    if offsets is None:
        return plan.starts_at, plan.ends_at
    starts_at = _behind(plan.starts, offsets.starts)
    return starts_at, starts_at if plan.ends is None else max(_behind(plan.ends, offsets.ends), starts_at)


def utc_offsets(plan: Plan, rules: str) -> UtcOffsets:
    """Reckon a plan's instants by the rules of this process, which are those of the version `rules`.

    Raises:
        OverflowError: an instant would lie before year 1 or after year 9999.
        zoneinfo.ZoneInfoNotFoundError: the rules do not know the plan's time zone.
    """
    return offsets_between(plan, plan.starts_at, plan.ends_at, rules)


def offsets_between(plan: Plan, starts_at: datetime, ends_at: datetime, rules: str = "") -> UtcOffsets:
    """Find the offsets that make these instants (aware, UTC) of the plan's wall clock."""
    starts = _seconds_between(plan.starts, starts_at)
    return UtcOffsets(starts, starts if plan.ends is None else _seconds_between(plan.ends, ends_at), rules)


def _behind(wall_clock: datetime, offset: int) -> datetime:
    return wall_clock.replace(tzinfo=UTC) - timedelta(seconds=offset)


def _seconds_between(wall_clock: datetime, at: datetime) -> int:
    return round((wall_clock.replace(tzinfo=UTC) - at).total_seconds())


def instant(wall_clock: datetime, timezone: str, fold: int = 0) -> datetime:
    """Turn a naive wall-clock time into an instant (aware, UTC).

    A time that occurs twice (clocks go back) is its first occurrence, with `fold` 1 its second; a time that does not
    occur (clocks go forward) moves forward by the gap, as PEP 495 defines for `fold=0`.
    """
    return wall_clock.replace(tzinfo=ZoneInfo(timezone), fold=fold).astimezone(UTC)
