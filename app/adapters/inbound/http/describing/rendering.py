"""The wire format of the search contract, "Fever Providers API" 1.0.0 (ADR 0005)."""

import datetime as dt
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from app.domain.plans import PlanId, PlanSummary

_encode = msgspec.json.Encoder(decimal_format="number").encode


class EventSummary(msgspec.Struct, frozen=True):
    """One plan as `/search` answers it; the fields are in the order in which they are sent, `id` first."""

    id: UUID
    title: str
    start_date: dt.date
    start_time: dt.time
    end_date: dt.date
    end_time: dt.time
    min_price: Decimal | None
    """A JSON number with the digits that the feed had."""
    max_price: Decimal | None


_decode = msgspec.json.Decoder(EventSummary).decode

SEARCH_HEAD = b'{"data":{"events":['
SEARCH_TAIL = b']},"error":null}'


def render_plan(plan: PlanSummary) -> bytes:
    """Render one plan, once, when it changes; searches join what this returns."""
    starts, ends = plan.starts, plan.ends
    return _encode(
        EventSummary(
            plan.plan_id,
            plan.title,
            starts.date(),
            starts.time(),
            ends.date(),
            ends.time(),
            plan.min_price,
            plan.max_price,
        )
    )


def plan_prefix(plan_id: PlanId) -> bytes:
    """Tell how what `render_plan` makes of this plan begins."""
    return b'{"id":"%s"' % str(plan_id).encode()


def parse_plan(fragment: bytes) -> PlanSummary:
    """Read back what `render_plan` made."""
    found = _decode(fragment)
    return PlanSummary(
        plan_id=found.id,
        title=found.title,
        starts=dt.datetime.combine(found.start_date, found.start_time),
        ends=dt.datetime.combine(found.end_date, found.end_time),
        min_price=found.min_price,
        max_price=found.max_price,
    )


def render_json(value: Any) -> bytes:
    """Render anything of plain values, dataclasses and enums; Decimals are numbers with their own digits."""
    return _encode(value)


def render_error(code: str, message: str) -> bytes:
    """Render the one shape of every error of every route; `code` is a stable snake_case word."""
    return _encode({"error": {"code": code, "message": message}, "data": None})
