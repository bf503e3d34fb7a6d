"""Plans as `/search` sends them: rendered once, when they change, and joined for each answer."""

import msgspec

from app.adapters.formats.plan_summary import SummaryFields
from app.domain.plans import PlanId, PlanSummary

SEARCH_HEAD = b'{"data":{"events":['
SEARCH_TAIL = b']},"error":null}'

_encode = msgspec.json.Encoder(decimal_format="number").encode
_decode = msgspec.json.Decoder(SummaryFields).decode


def render_plan(plan: PlanSummary) -> bytes:
    """Render one plan."""
    return _encode(SummaryFields.of(plan))


def plan_prefix(plan_id: PlanId) -> bytes:
    """Tell how what `render_plan` makes of this plan begins."""
    return b'{"id":"%s"' % str(plan_id).encode()


def parse_plan(fragment: bytes) -> PlanSummary:
    """Read back what `render_plan` made."""
    return _decode(fragment).plan()
