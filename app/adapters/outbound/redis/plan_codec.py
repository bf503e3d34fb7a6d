"""How plans are written in Redis: msgpack without field names; whole plans as in every store (formats/plan_json.py)."""

from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter

import msgspec

from app.domain.plans import PlanId, PlanSummary, SearchablePlan, SellMode, UtcOffsets
from app.domain.reconciliation import KnownPlan

_SearchableFields = tuple[datetime, datetime, str, datetime, datetime, Decimal | None, Decimal | None]


class _Known(msgspec.Struct, array_like=True, gc=False):
    """A KnownPlan. Without offsets it has eight fields, as it had before they were noted."""

    digest: bytes
    base_id: str
    sell_mode: SellMode
    in_feed: bool
    seen_online: bool
    first_seen_at: datetime
    withdrawn_at: datetime | None
    last_seen_at: datetime | None
    offsets: UtcOffsets | None = None


_of_known = attrgetter(*_Known.__struct_fields__[:-1])
_msgpack = msgspec.msgpack.Encoder()
_known = msgspec.msgpack.Decoder(_Known)
_searchable = msgspec.msgpack.Decoder(_SearchableFields)


def pack_known(known: KnownPlan) -> bytes:
    """Write what a sync must remember of a plan."""
    fields = _of_known(known)
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
    )


@lru_cache(maxsize=1024)
def _shared(offsets: UtcOffsets) -> UtcOffsets:
    return offsets


def pack_searchable(plan: SearchablePlan) -> bytes:
    """Write what search needs of a plan, without its id: that is the field it is written to."""
    summary = plan.summary
    return _msgpack.encode(
        (
            plan.starts_at,
            plan.ends_at,
            summary.title,
            summary.starts,
            summary.ends,
            summary.min_price,
            summary.max_price,
        )
    )


def unpack_searchable(plan_id: PlanId, packed: bytes) -> SearchablePlan:
    """Read what `pack_searchable` wrote."""
    starts_at, ends_at, title, starts, ends, lowest, highest = _searchable.decode(packed)
    summary = PlanSummary(plan_id=plan_id, title=title, starts=starts, ends=ends, min_price=lowest, max_price=highest)
    return SearchablePlan(starts_at, ends_at, summary)
