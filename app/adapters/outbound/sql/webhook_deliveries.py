"""WebhookDeliveries in SQL: a row per delivery; `next_attempt_at` stands in those alone that are up."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby, islice
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, case, exists, insert, or_, select, update

from app.adapters.outbound.sql.database import SqlStore
from app.adapters.outbound.sql.publishing_schema import webhook_attempts as attempts
from app.adapters.outbound.sql.publishing_schema import webhook_deliveries as deliveries
from app.adapters.outbound.sql.publishing_schema import webhook_endpoints as endpoints
from app.adapters.outbound.sql.rows import columns_of, microseconds
from app.adapters.outbound.sql.webhook_rows import (
    delivery_of,
    hold_endpoint,
    put_first_up,
    subjects_up,
)
from app.application.ports.webhooks import Attempted, WebhookDeliveries
from app.domain.webhook_deliveries import SCHEDULE, Delivery, DeliveryState, Message, longest_wait
from app.domain.webhooks import LONGEST_WISH, EndpointId

_TOGETHER = 500
_LONGEST_ERROR = 500
_MICROSECOND = timedelta(microseconds=1)

_is_up = deliveries.c.next_attempt_at.is_not(None)


class SqlWebhookDeliveries(SqlStore, WebhookDeliveries):
    """The deliveries of one database."""

    async def add(self, messages: Sequence[Message]) -> int:
        """Add each endpoint's in transactions of their own, so that few wait, and briefly."""
        added = 0
        for endpoint_id, some in by_endpoint(messages):
            added += await self._database.write(partial(add_deliveries, endpoint_id=endpoint_id, messages=some))
        return added

    async def ready(self, now: datetime) -> Sequence[EndpointId]:
        """Look into the index of what is due, once for each endpoint."""
        at = microseconds(now)
        due = exists().where(deliveries.c.endpoint_id == endpoints.c.endpoint_id, deliveries.c.next_attempt_at <= at)
        unpaused = or_(endpoints.c.paused_until.is_(None), endpoints.c.paused_until <= at)
        wanted = select(endpoints.c.endpoint_id).where(endpoints.c.is_active, unpaused, due)
        return [row.endpoint_id for row in await self._rows(wanted)]

    async def due(self, endpoint_id: EndpointId, now: datetime, limit: int) -> Sequence[Delivery]:
        """Read the beginning of the index."""
        is_due = deliveries.c.next_attempt_at <= microseconds(now)
        wanted = select(deliveries).where(deliveries.c.endpoint_id == endpoint_id, is_due)
        wanted = wanted.order_by(deliveries.c.next_attempt_at, deliveries.c.delivery_id).limit(max(limit, 0))
        return [delivery_of(row) for row in await self._rows(wanted)]

    async def settle(self, endpoint_id: EndpointId, attempted: Sequence[Attempted], now: datetime) -> None:
        """Update row by row: they are few."""

        def work(connection: Connection) -> None:
            if not hold_endpoint(connection, endpoint_id):
                return
            ids = [one.delivery.delivery_id for one in attempted]
            mine = deliveries.c.endpoint_id == endpoint_id, deliveries.c.delivery_id.in_(ids)
            there = set(connection.scalars(select(deliveries.c.delivery_id).where(*mine)))
            found = [one for one in attempted if one.delivery.delivery_id in there]
            for one in found:
                _write(connection, one.delivery)
            if found:
                connection.execute(insert(attempts), [_attempt(one) for one in found])
            ended = (one.delivery.message.subject for one in found if one.delivery.ended_at is not None)
            put_first_up(connection, endpoint_id, ended, microseconds(now))

        await self._database.write(work)

    async def hasten(
        self, endpoint_id: EndpointId, now: datetime, *, only: Collection[int] | None = None, afresh: bool = False
    ) -> None:
        """Update those that are up, have been tried, and wait."""
        at = microseconds(now)
        mine = update(deliveries).where(deliveries.c.endpoint_id == endpoint_id, _is_up)
        if only is not None:
            mine = mine.where(deliveries.c.delivery_id.in_(only))
        later = mine.where(deliveries.c.next_attempt_at > at).values(next_attempt_at=at)
        again = mine.where(deliveries.c.attempts > 0).values(attempts=0, scheduled_at=None)

        def work(connection: Connection) -> None:
            hold_endpoint(connection, endpoint_id)
            connection.execute(later)
            if afresh:
                connection.execute(again)

        await self._database.write(work)

    async def clamp(self, now: datetime) -> int:
        """Look at those that are up and wait, and at the endpoints that failed."""
        at = microseconds(now)
        waits = {attempts: at + longest_wait(attempts) // _MICROSECOND for attempts in range(len(SCHEDULE) + 1)}
        furthest = case(waits, value=deliveries.c.attempts, else_=max(waits.values()))
        next_at = deliveries.c.next_attempt_at
        late = update(deliveries).where(_is_up, next_at > at, next_at > furthest)
        in_future = endpoints.c.failed_at > at
        too_long = endpoints.c.paused_until > at + round(LONGEST_WISH * 1_000_000)
        failed_at, since = endpoints.c.failed_at, endpoints.c.failing_since
        fit = {"failed_at": case((failed_at.is_not(None), at)), "failing_since": case((since > at, at), else_=since)}
        well = update(endpoints).where(or_(in_future, too_long)).values(fit | {"paused_until": None})

        def work(connection: Connection) -> int:
            connection.execute(well)
            return connection.execute(late.values(next_attempt_at=at, scheduled_at=None)).rowcount

        return await self._database.write(work)


def by_endpoint(messages: Sequence[Message]) -> Iterator[tuple[EndpointId, Sequence[Message]]]:
    """Part them, each endpoint's in their order."""
    of_endpoint = attrgetter("endpoint_id")
    for endpoint_id, mine in groupby(sorted(messages, key=of_endpoint), of_endpoint):
        while some := list(islice(mine, _TOGETHER)):
            yield endpoint_id, some


def add_deliveries(connection: Connection, endpoint_id: EndpointId, messages: Sequence[Message]) -> int:
    """Add what one endpoint is not told yet; return how many these are."""
    if not hold_endpoint(connection, endpoint_id):
        return 0
    ids = [message.event_id for message in messages]
    known = select(deliveries.c.event_id).where(deliveries.c.endpoint_id == endpoint_id, deliveries.c.event_id.in_(ids))
    seen = set(connection.execute(known).scalars())
    up = subjects_up(connection, endpoint_id, {message.subject for message in messages})
    rows = []
    for message in messages:
        if message.event_id not in seen:
            rows.append(_row(message, is_up=message.subject not in up))
            seen.add(message.event_id)
            up.add(message.subject)
    if rows:
        connection.execute(insert(deliveries), rows)
    return len(rows)


def _row(message: Message, *, is_up: bool) -> dict[str, Any]:
    return columns_of(message) | {
        "state": DeliveryState.PENDING.value,
        "attempts": 0,
        "next_attempt_at": microseconds(message.created_at) if is_up else None,
    }


def _write(connection: Connection, after: Delivery) -> None:
    """Write what became of one that has not ended; one that waits for an earlier one by now goes on waiting."""
    written = columns_of(after, "delivery_id", "message")
    mine = update(deliveries).where(deliveries.c.delivery_id == after.delivery_id)
    if after.ended_at is not None:
        del written["scheduled_at"]
        connection.execute(mine.where(deliveries.c.ended_at.is_(None)).values(written))
    elif after.next_attempt_at is not None:
        connection.execute(mine.where(_is_up).values(written))


def _attempt(one: Attempted) -> dict[str, Any]:
    return {
        "delivery_id": one.delivery.delivery_id,
        "at": microseconds(one.at),
        "took_ms": round(one.answer.took * 1000),
        "status": one.answer.status,
        "error": None if one.answer.error is None else one.answer.error[:_LONGEST_ERROR],
    }
