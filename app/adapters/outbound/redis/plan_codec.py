"""How plans are written in Redis: msgpack without field names, and for whole plans compressed JSON.

JSON and not msgpack for the whole plan, because a feed may hold a number of more than 64 bits and one bad record must
not cost the others; compressed, both take the same room.
"""

from datetime import datetime
from decimal import Decimal
from functools import lru_cache

import msgspec
from isal import isal_zlib

from app.domain.plans import Plan, PlanId, PlanSummary, SearchablePlan, SellMode, UtcOffsets
from app.domain.reconciliation import KnownPlan

# A fifth of the time that the standard library needs, for a tenth less room; the format is zlib's (`make bench-sync`).
_COMPRESSION = 1

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


_json = msgspec.json.Encoder()
_plan = msgspec.json.Decoder(Plan)
_msgpack = msgspec.msgpack.Encoder()
_known = msgspec.msgpack.Decoder(_Known)
_searchable = msgspec.msgpack.Decoder(_SearchableFields)


def pack_plan(plan: Plan) -> bytes:
    """Write a whole plan."""
    return isal_zlib.compress(_json.encode(plan), _COMPRESSION)


def unpack_plan(packed: bytes) -> Plan:
    """Read what `pack_plan` wrote."""
    return _plan.decode(isal_zlib.decompress(packed))


def pack_known(known: KnownPlan) -> bytes:
    """Write what a sync must remember of a plan."""
    fields = (
        known.digest,
        known.base_id,
        known.sell_mode,
        known.in_feed,
        known.seen_online,
        known.first_seen_at,
        known.withdrawn_at,
        known.last_seen_at,
    )
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
