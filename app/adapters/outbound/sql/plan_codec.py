"""How what is known and said of plans is written in the journal: JSON that a person can read in any database."""

import msgspec

from app.domain.plans import PlanSummary
from app.domain.reconciliation import KnownPlan

_json = msgspec.json.Encoder()
unpack_known = msgspec.json.Decoder(KnownPlan).decode
"""Read what `pack_known` wrote."""
unpack_summary = msgspec.json.Decoder(PlanSummary).decode
"""Read what `pack_summary` wrote."""


def pack_known(known: KnownPlan) -> str:
    """Write what a sync remembers of a plan."""
    return _json.encode(known).decode()


def pack_summary(summary: PlanSummary) -> str:
    """Write what a search says of a plan."""
    return _json.encode(summary).decode()
