"""Plans as `/search` sends them: rendered once, when they change, and joined for each answer."""

from collections.abc import Iterable, Iterator

import msgspec

from app.adapters.formats.plan_summary import SummaryFields
from app.domain.plans import PlanId, PlanSummary

SEARCH_HEAD = b'{"data":{"events":['
SEARCH_TAIL = b']},"error":null}'

_encode = msgspec.json.Encoder(decimal_format="number").encode
_decode = msgspec.json.Decoder(SummaryFields).decode


def enveloped(pieces: Iterable[Iterable[bytes | memoryview]]) -> Iterator[bytes]:
    """Make of rendered plans, piece by piece, an answer of as many pieces and its end."""
    glue = SEARCH_HEAD
    for piece in pieces:
        yield glue + b",".join(piece)
        glue = b","
    yield SEARCH_HEAD + SEARCH_TAIL if glue is SEARCH_HEAD else SEARCH_TAIL


def render_plan(plan: PlanSummary) -> bytes:
    """Render one plan."""
    return _encode(SummaryFields.of(plan))


def plan_prefix(plan_id: PlanId) -> bytes:
    """Tell how what `render_plan` makes of this plan begins."""
    return b'{"id":"%s"' % str(plan_id).encode()


def plan_key(fragment: bytes) -> bytes:
    """Tell the sixteen bytes of the id of the plan that `render_plan` rendered."""
    return bytes.fromhex(fragment[7:43].replace(b"-", b"").decode())


def parse_plan(fragment: bytes) -> PlanSummary:
    """Read back what `render_plan` made."""
    return _decode(fragment).plan()
