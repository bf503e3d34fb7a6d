"""The digests of plans, by which a sync sees that nothing changed."""

from collections.abc import Sequence
from hashlib import blake2b
from operator import attrgetter

import msgspec

from app.adapters.formats.packed_zones import SaidZone
from app.domain.plans import Plan

_encoder = msgspec.msgpack.Encoder(decimal_format="string")
_content = attrgetter(
    "title", "sell_mode", "organizer_id", "timezone", "starts", "ends", "sell_from", "sell_to", "sold_out"
)
_extras = attrgetter("price", "start_has_time", "end_has_time", "start_fold", "end_fold", "details")
_NO_EXTRAS = (None, True, True, 0, 0, None)
"""What most plans say there: their digests are what they were before these fields were known."""


def plan_digest(plan: Plan, zones: Sequence[SaidZone] | None = None) -> bytes:
    """Give the 16 bytes of a `PlanRecord`: equal digests, equal plans.

    Of MessagePack with everything that a plan says, each part in its place. Prices count as they are written: a kind of
    provider that reads `20.0` today and `20.00` tomorrow brings them into one form (`values.price` does). `zones` are
    the plan's as they were said, where the plan has them packed.
    """
    content = (plan.key, *_content(plan), plan.zones if zones is None else zones)
    extras = _extras(plan)
    return blake2b(_encoder.encode(content if extras == _NO_EXTRAS else content + extras), digest_size=16).digest()
