"""Builders with only the argument that matters."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import blake2b
from uuid import UUID

from app.domain.activities import Activity
from app.domain.plans import Place, Plan, PlanDetails, PlanKey, PlanStatus, SellMode, Zone
from app.domain.reconciliation import ChangeKind, KnownPlan, PlanChange

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
"""The instant at which nothing in particular happens."""


def a_zone(
    zone_id: str = "40",
    *,
    capacity: int = 10,
    price: str = "20.00",
    name: str = "Platea",
    numbered: bool = True,
) -> Zone:
    return Zone(zone_id, capacity, Decimal(price), name, numbered)


def a_plan(
    item: str | int = "291",
    *,
    base: str | int | None = None,
    provider: str = "demo",
    title: str = "Camela en concierto",
    sell_mode: SellMode | str = SellMode.ONLINE,
    starts: str = "21:00",
    ends: str | None = None,
    timezone: str = "UTC",
    organizer: str | None = None,
    zones: tuple[Zone, ...] | None = None,
    **more: object,
) -> Plan:
    """Build a plan; a time without a date is one of 2021-06-30, the end defaults to the start.

    `more` are other fields of Plan, which may be new values of those that are named here.
    """
    plan = Plan(
        key=PlanKey(provider, str(item if base is None else base), str(item)),
        title=title,
        sell_mode=SellMode(sell_mode),
        starts=_wall_clock(starts),
        ends=_wall_clock(ends or starts),
        timezone=timezone,
        organizer_id=organizer,
        sell_from=datetime(2020, 7, 1),  # noqa: DTZ001 -- a provider's wall clock
        sell_to=datetime(2021, 6, 30, 20),  # noqa: DTZ001 -- a provider's wall clock
        zones=(a_zone(),) if zones is None else zones,
    )
    return replace(plan, **more) if more else plan  # type: ignore[arg-type] # fields of Plan


DETAILS = PlanDetails(
    status=PlanStatus.POSTPONED,
    place=Place(name="Teatre Grec", city="Barcelona", country="ES", latitude=41.368, longitude=2.158),
    url="https://provider.example/camela",
    image="https://provider.example/camela.jpg",
    category="music",
    currency="EUR",
)
"""All that a provider may say beyond what a search has words for."""


def a_long_run(**more: object) -> Plan:
    """Build a plan of whole days, 28 to 30 June 2021, with one price and all details."""
    plan = a_plan(
        starts="2021-06-28T00:00:00",
        ends="2021-06-30T23:59:59",
        zones=(),
        start_has_time=False,
        end_has_time=False,
        price=Decimal("12.50"),
        details=DETAILS,
    )
    return replace(plan, **more)  # type: ignore[arg-type] # fields of Plan


def a_change(
    plan: Plan | None = None,
    *kinds: ChangeKind | str,
    seen_online: bool | None = None,
    at: datetime = NOW,
) -> PlanChange:
    """Build the change that brings a plan; with `withdrawn` among the kinds, the one that takes it away."""
    plan = plan or a_plan()
    named = tuple(ChangeKind(kind) for kind in kinds) or (ChangeKind.LISTED,)
    withdrawn = ChangeKind.WITHDRAWN in named
    known = KnownPlan(
        digest=digest_of(plan),
        base_id=plan.key.base_id,
        sell_mode=plan.sell_mode,
        in_feed=not withdrawn,
        seen_online=plan.sell_mode is SellMode.ONLINE if seen_online is None else seen_online,
        first_seen_at=NOW,
        withdrawn_at=at if withdrawn else None,
        last_seen_at=NOW if withdrawn else None,
    )
    return PlanChange(plan.plan_id, named, known, None if withdrawn else plan)


def an_activity(
    number: int = 1,
    *,
    type_: str = "view",
    at: datetime = NOW,
    source: str | None = None,
    user: str | None = "ana",
    value: str | None = None,
    properties: str | None = None,
) -> Activity:
    """Build an activity; its number makes its id."""
    return Activity(
        activity_id=UUID(int=number),
        type=type_,
        occurred_at=at,
        source=source,
        user_id=user,
        value=None if value is None else Decimal(value),
        properties=properties,
    )


def digest_of(plan: Plan) -> bytes:
    """Build 16 bytes that follow from the plan's content."""
    return blake2b(repr(plan).encode(), digest_size=16).digest()


def _wall_clock(text: str) -> datetime:
    return datetime.fromisoformat(text if "-" in text else f"2021-06-30T{text}")
