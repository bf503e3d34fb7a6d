"""How what is known and said of plans is written in the journal: JSON that a person can read in any database."""

import msgspec

from app.domain.plans import PlanSummary
from app.domain.reconciliation import KnownPlan

_json = msgspec.json.Encoder()
_known = msgspec.json.Decoder(KnownPlan)
_summary = msgspec.json.Decoder(PlanSummary)


def pack_known(known: KnownPlan) -> str:
    """Write what a sync remembers of a plan."""
    return _json.encode(known).decode()


def unpack_known(packed: str) -> KnownPlan:
    """Read what `pack_known` wrote."""
    return _known.decode(packed)


def pack_summary(summary: PlanSummary) -> str:
    """Write what a search says of a plan."""
    return _json.encode(summary).decode()


def unpack_summary(packed: str) -> PlanSummary:
    """Read what `pack_summary` wrote."""
    return _summary.decode(packed)
