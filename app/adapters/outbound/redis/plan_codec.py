"""How plans are written in Redis: msgpack without field names; whole plans as in every store (formats/plan_json.py)."""

from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter

import msgspec

from app.domain.plans import PlanDetails, PlanId, PlanSummary, SearchablePlan, SellMode, UtcOffsets
from app.domain.reconciliation import KnownPlan


class _Searchable(msgspec.Struct, array_like=True, gc=False):
    """A SearchablePlan without its id and its provider: those stand in the key. At first it had seven fields."""

    starts_at: datetime
    ends_at: datetime
    title: str
    starts: datetime
    ends: datetime | None
    min_price: Decimal | None
    max_price: Decimal | None
    start_has_time: bool = True
    end_has_time: bool = True
    details: PlanDetails | None = None
    timezone: str | None = None


class _Known(msgspec.Struct, array_like=True, gc=False):
    """A KnownPlan. What came later stands at the end, and not at all where it says nothing: eight fields, then nine."""

    digest: bytes
    base_id: str
    sell_mode: SellMode
    in_feed: bool
    seen_online: bool
    first_seen_at: datetime
    withdrawn_at: datetime | None
    last_seen_at: datetime | None
    offsets: UtcOffsets | None = None
    followed_by: datetime | None = None


_of_known = attrgetter(*_Known.__struct_fields__[:8])
_msgpack = msgspec.msgpack.Encoder()
_known = msgspec.msgpack.Decoder(_Known)
_searchable = msgspec.msgpack.Decoder(_Searchable)


def pack_known(known: KnownPlan) -> bytes:
    """Write what a sync must remember of a plan."""
    fields = _of_known(known)
    if known.followed_by is not None:
        return _msgpack.encode((*fields, known.offsets, known.followed_by))
    return _msgpack.encode(fields if known.offsets is None else (*fields, known.offsets))


def unpack_known(packed: bytes) -> KnownPlan:
    """Read what `pack_known` wrote; different offsets are few, and plans share them."""
    known = _known.decode(packed)
    return KnownPlan(
        known.digest,
        known.base_id,
        known.sell_mode,
        known.in_feed,
        known.seen_online,
        known.first_seen_at,
        known.withdrawn_at,
        known.last_seen_at,
        known.offsets and _shared(known.offsets),
        known.followed_by,
    )


@lru_cache(maxsize=1024)
def _shared(offsets: UtcOffsets) -> UtcOffsets:
    return offsets


def pack_searchable(plan: SearchablePlan) -> bytes:
    """Write what search needs of a plan, without its id and its provider: those are field and key."""
    summary = plan.summary
    fields = (
        plan.starts_at,
        plan.ends_at,
        summary.title,
        summary.starts,
        summary.ends,
        summary.min_price,
        summary.max_price,
        summary.start_has_time,
        summary.end_has_time,
        plan.details,
        plan.timezone,
    )
    return _msgpack.encode(fields)


def unpack_searchable(provider: str, plan_id: PlanId, packed: bytes) -> SearchablePlan:
    """Read what `pack_searchable` wrote."""
    found = _searchable.decode(packed)
    summary = PlanSummary(
        plan_id=plan_id,
        title=found.title,
        starts=found.starts,
        ends=found.ends,
        min_price=found.min_price,
        max_price=found.max_price,
        start_has_time=found.start_has_time,
        end_has_time=found.end_has_time,
    )
    return SearchablePlan(found.starts_at, found.ends_at, summary, found.details, provider, found.timezone)
