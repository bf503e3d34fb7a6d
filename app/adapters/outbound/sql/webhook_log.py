"""WebhookLog in SQL."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, TextClause, delete, func, select, text, update

from app.adapters.outbound.sql.database import SqlStore
from app.adapters.outbound.sql.publishing_schema import webhook_attempts as attempts
from app.adapters.outbound.sql.publishing_schema import webhook_deliveries as deliveries
from app.adapters.outbound.sql.rows import instant_of, microseconds
from app.adapters.outbound.sql.webhook_rows import delivery_of, hold_endpoint, put_first_up
from app.application.ports.webhooks import Backlog, LoggedDelivery, Replay, WebhookLog
from app.domain.webhook_deliveries import Answer, DeliveryState
from app.domain.webhooks import EndpointId

_TOGETHER = 500

_given_up = text("state = 'given_up'")
"""Written out: an index of some rows is chosen by what it says, not by a parameter."""


class SqlWebhookLog(SqlStore, WebhookLog):
    """What the deliveries' rows say of the past."""

    async def newest(self, endpoint_id: EndpointId, limit: int) -> Sequence[LoggedDelivery]:
        """Read deliveries, then the last attempt of each."""
        mine = deliveries.c.endpoint_id == endpoint_id
        wanted = select(deliveries).where(mine).order_by(deliveries.c.delivery_id.desc()).limit(max(limit, 0))

        def work(connection: Connection) -> Sequence[LoggedDelivery]:
            rows = connection.execute(wanted).all()
            last = _last_attempts(connection, [row.delivery_id for row in rows])
            return [_logged(row, last.get(row.delivery_id)) for row in rows]

        return await self._database.read(work)

    async def backlog(self, endpoint_id: EndpointId) -> Backlog:
        """Count in two indexes of just those rows."""
        count = select(func.count()).where(deliveries.c.endpoint_id == endpoint_id)
        pending, given_up = count.where(deliveries.c.ended_at.is_(None)), count.where(_given_up)
        return await self._database.read(
            lambda connection: Backlog(connection.scalar(pending) or 0, connection.scalar(given_up) or 0)
        )

    async def replay(self, endpoint_id: EndpointId, which: Replay, now: datetime) -> int:
        """Some at a time, in their order; what ends again meanwhile is not looked at twice."""
        last = select(func.max(deliveries.c.delivery_id)).where(deliveries.c.endpoint_id == endpoint_id)
        until = await self._database.read(lambda connection: connection.scalar(last) or 0)
        count, after = 0, 0
        while True:
            work = partial(self._replay, endpoint_id=endpoint_id, which=which, now=now, between=(after, until))
            ids = await self._database.write(work)
            if not ids:
                return count
            count, after = count + len(ids), ids[-1]

    def _replay(
        self, connection: Connection, endpoint_id: EndpointId, which: Replay, now: datetime, between: tuple[int, int]
    ) -> Sequence[int]:
        hold_endpoint(connection, endpoint_id)
        after, until = between
        wanted = select(deliveries.c.delivery_id, deliveries.c.subject).where(
            deliveries.c.endpoint_id == endpoint_id,
            deliveries.c.delivery_id > after,
            deliveries.c.delivery_id <= until,
            deliveries.c.ended_at.is_not(None),
            _chosen(which),
        )
        rows = connection.execute(wanted.order_by(deliveries.c.delivery_id).limit(_TOGETHER)).all()
        ids = [row.delivery_id for row in rows]
        again = update(deliveries).where(deliveries.c.delivery_id.in_(ids))
        fresh = {"state": DeliveryState.PENDING.value, "attempts": 0, "scheduled_at": None, "ended_at": None}
        connection.execute(again.values(fresh))
        put_first_up(connection, endpoint_id, (row.subject for row in rows), microseconds(now))
        return ids

    async def prune(self, before: datetime, limit: int) -> int:
        """Delete by the index of the ends; attempts go with their deliveries.

        The end is looked at twice: PostgreSQL looks again at a row that was changed meanwhile, and there at the outer
        condition only.
        """
        is_old = deliveries.c.ended_at < microseconds(before)
        some = select(deliveries.c.delivery_id).where(is_old).order_by(deliveries.c.ended_at).limit(max(limit, 0))
        gone = delete(deliveries).where(deliveries.c.delivery_id.in_(some.scalar_subquery()), is_old)
        return await self._database.write(lambda connection: connection.execute(gone).rowcount)


def _chosen(which: Replay) -> ColumnElement[bool] | TextClause:
    if which.delivery_id is not None:
        return deliveries.c.delivery_id == which.delivery_id
    if which.since is not None:
        return deliveries.c.created_at >= microseconds(which.since)
    return _given_up


def _last_attempts(connection: Connection, ids: Sequence[int]) -> dict[int, Row[*tuple[Any, ...]]]:
    wanted = select(attempts).where(attempts.c.delivery_id.in_(ids)).order_by(attempts.c.attempt_id)
    return {row.delivery_id: row for row in connection.execute(wanted)}


def _logged(row: Row[*tuple[Any, ...]], last: Row[*tuple[Any, ...]] | None) -> LoggedDelivery:
    if last is None:
        return LoggedDelivery(delivery_of(row), None, None)
    answer = Answer(status=last.status, took=last.took_ms / 1000, error=last.error)
    return LoggedDelivery(delivery_of(row), answer, instant_of(last.at))
