"""The digests of plans, by which a sync sees that nothing changed."""

from hashlib import blake2b
from operator import attrgetter

import msgspec

from app.domain.plans import Plan, PlanKey

_encoder = msgspec.msgpack.Encoder(decimal_format="string")
_content = attrgetter(
    "title", "sell_mode", "organizer_id", "timezone", "starts", "ends", "sell_from", "sell_to", "sold_out", "zones"
)


def plan_digest(plan: Plan) -> bytes:
    """Give the 16 bytes of a `PlanRecord`: equal digests, equal plans.

    Of MessagePack with everything that a plan says, each part in its place. Prices count as they are written: a kind of
    provider that reads `20.0` today and `20.00` tomorrow brings them into one form (`values.price` does).
    """
    return blake2b(_encoder.encode((plan.key, *_content(plan))), digest_size=16).digest()


def key_digest(key: PlanKey) -> bytes:
    """Give 16 bytes for a key: a feed's keys are remembered while it is read, and ids may be long."""
    return blake2b(_encoder.encode(key), digest_size=16).digest()
