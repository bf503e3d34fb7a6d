"""A whole plan as it is stored: compressed JSON.

JSON and not msgpack, because a feed may hold a number of more than 64 bits and one bad record must not cost the others;
compressed, both take the same room.
"""

from dataclasses import fields
from typing import Any

import msgspec
from isal import isal_zlib

from app.adapters.formats.packed_zones import packed
from app.domain.plans import Plan, SearchablePlan

# A fifth of the time that the standard library needs, for a tenth less room; the format is zlib's (`make bench-sync`).
_COMPRESSION = 1

_json = msgspec.json.Encoder(enc_hook=packed)
_plan = msgspec.json.Decoder(Plan)


class StoredPlan(Plan):
    """A plan that stays packed until somebody asks what it says: from store to store nobody does (ADR 0086)."""

    __slots__ = ("packed", "told")

    packed: bytes
    told: SearchablePlan | None
    """What search was told of it, by whom wrote it; None when it was told nothing, or nobody noted it."""

    def __init__(self, packed: bytes, told: SearchablePlan | None) -> None:
        object.__setattr__(self, "packed", packed)
        object.__setattr__(self, "told", told)

    def __getattr__(self, name: str) -> Any:
        """Unpack it: only what is not there yet is asked for here."""
        plan = unpack_plan(self.packed)
        for field in fields(Plan):
            object.__setattr__(self, field.name, getattr(plan, field.name))
        return object.__getattribute__(self, name)

    def __eq__(self, other: object) -> bool:
        """Compare what they say."""
        return isinstance(other, Plan) and all(getattr(self, f.name) == getattr(other, f.name) for f in fields(Plan))

    __hash__ = Plan.__hash__


def pack_plan(plan: Plan) -> bytes:
    """Write a whole plan."""
    return plan.packed if isinstance(plan, StoredPlan) else isal_zlib.compress(_json.encode(plan), _COMPRESSION)


def unpack_plan(packed: bytes) -> Plan:
    """Read what `pack_plan` wrote."""
    return _plan.decode(isal_zlib.decompress(packed))
