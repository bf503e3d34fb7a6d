"""Plans: what a provider sells and a visitor attends (doc/glossary.md)."""

import json
from dataclasses import dataclass
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
        """UUIDv5 (RFC 9562) over the three parts: stable for ever, found without a lookup."""
        return _plan_id(self)


@lru_cache(maxsize=1024)  # a sync asks for the same id at each of its steps
def _plan_id(key: PlanKey) -> PlanId:
    return uuid5(PLAN_NAMESPACE, json.dumps(key, ensure_ascii=False, separators=(",", ":")))


class UtcOffsets(NamedTuple):
    """How the instants of a plan were reckoned from its wall clock: seconds east of UTC, under some version of rules.

    They are stored with the plan, so that everybody says the same instants, and new rules show which are to be mended.
    """

    starts: int
    ends: int
    """As it counts: of an end that would lie before its start, the one that makes them equal."""
    rules: str
    """Whose rules: a version of the IANA time zone database (`2026f`; later ones sort behind); empty: not known."""


class PriceRange(NamedTuple):
    """The lowest and the highest price of a plan's zones, both included."""

    lowest: Decimal
    highest: Decimal


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
    ends: datetime
    timezone: str = "UTC"
    organizer_id: str | None = None
    sell_from: datetime | None = None
    sell_to: datetime | None = None
    sold_out: bool = False
    zones: tuple[Zone, ...] = ()

    def __post_init__(self) -> None:
        """Refuse an end before the start; start = end is valid.

        Raises:
            PlanEndsBeforeItStartsError: never swapped, because a swap would invent a fact.
        """
        if self.ends < self.starts:
            raise PlanEndsBeforeItStartsError(self.starts, self.ends)

    @property
    def starts_at(self) -> datetime:
        """The start as an instant (aware, UTC)."""
        return instant(self.starts, self.timezone)

    @property
    def ends_at(self) -> datetime:
        """The end as an instant (aware, UTC); never before `starts_at`, even across a DST change."""
        return max(instant(self.ends, self.timezone), self.starts_at)

    @property
    def prices(self) -> PriceRange | None:
        """The price range over the zones with tickets left; over all zones when none has any; None without zones."""
        offered = [zone.price for zone in self.zones if zone.capacity > 0]
        listed = offered or [zone.price for zone in self.zones]
        return PriceRange(min(listed), max(listed)) if listed else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSummary:
    """What a search says of a plan. Times are the provider's wall clock, prices as in `Plan.prices`."""

    plan_id: PlanId
    title: str
    starts: datetime
    ends: datetime
    min_price: Decimal | None
    max_price: Decimal | None


@dataclass(frozen=True, slots=True)
class SearchablePlan:
    """A summary with the instants that decide whether a window holds it (aware, UTC)."""

    starts_at: datetime
    ends_at: datetime
    summary: PlanSummary


def searchable(plan: Plan, offsets: UtcOffsets | None = None) -> SearchablePlan:
    """Reduce a plan to what search needs: no zones, so that a million of them fit into memory.

    Its instants follow from `offsets`; without them, from the rules of this process.
    """
    prices = plan.prices
    return SearchablePlan(
        *instants(plan, offsets),
        PlanSummary(
            plan_id=plan.key.plan_id,
            title=plan.title,
            starts=plan.starts,
            ends=plan.ends,
            min_price=prices.lowest if prices else None,
            max_price=prices.highest if prices else None,
        ),
    )


def instants(plan: Plan, offsets: UtcOffsets | None = None) -> tuple[datetime, datetime]:
    """Tell start and end (aware, UTC) as they were reckoned once; without `offsets`, by the rules of this process."""
    if offsets is None:
        return plan.starts_at, plan.ends_at
    starts_at = _behind(plan.starts, offsets.starts)
    return starts_at, max(_behind(plan.ends, offsets.ends), starts_at)


def utc_offsets(plan: Plan, rules: str) -> UtcOffsets:
    """Reckon a plan's instants by the rules of this process, which are those of the version `rules`.

    Raises:
        OverflowError: an instant would lie before year 1 or after year 9999.
        zoneinfo.ZoneInfoNotFoundError: the rules do not know the plan's time zone.
    """
    starts_at = plan.starts_at
    return offsets_between(plan, starts_at, max(instant(plan.ends, plan.timezone), starts_at), rules)


def offsets_between(plan: Plan, starts_at: datetime, ends_at: datetime, rules: str = "") -> UtcOffsets:
    """Find the offsets that make these instants (aware, UTC) of the plan's wall clock."""
    return UtcOffsets(_seconds_between(plan.starts, starts_at), _seconds_between(plan.ends, ends_at), rules)


def _behind(wall_clock: datetime, offset: int) -> datetime:
    return wall_clock.replace(tzinfo=UTC) - timedelta(seconds=offset)


def _seconds_between(wall_clock: datetime, at: datetime) -> int:
    return round((wall_clock.replace(tzinfo=UTC) - at).total_seconds())


def instant(wall_clock: datetime, timezone: str) -> datetime:
    """Turn a naive wall-clock time into an instant (aware, UTC).

    A time that occurs twice (clocks go back) is its first occurrence; a time that does not occur (clocks go
    forward) moves forward by the gap, as PEP 495 defines for `fold=0`.
    """
    return wall_clock.replace(tzinfo=ZoneInfo(timezone), fold=0).astimezone(UTC)
