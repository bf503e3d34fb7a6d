"""ToldActivities in SQL: among the deliveries to webhooks, those whose body names somebody who is to be forgotten."""

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, select

from app.adapters.outbound.sql.database import Database
from app.adapters.outbound.sql.identities import chunks
from app.adapters.outbound.sql.publishing_schema import webhook_deliveries as deliveries
from app.adapters.outbound.sql.raw_fold import stream
from app.adapters.outbound.sql.rows import microseconds
from app.adapters.outbound.sql.webhook_rows import hold_endpoint, put_first_up
from app.application.ports.forgetting import ToldActivities
from app.application.ports.system import Clock
from app.domain.removal import ToRemove

_COLUMNS = (deliveries.c.delivery_id, deliveries.c.endpoint_id, deliveries.c.subject, deliveries.c.body)


class SqlToldActivities(ToldActivities):
    """The deliveries of one database; attempts go with them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def forget(self, wanted: ToRemove) -> int:
        """Read the bodies of all that tell of activities; what waited behind one that is gone is up then."""

        def work(connection: Connection) -> int:
            told = stream(connection, select(*_COLUMNS).where(deliveries.c.name.startswith("activity.")))
            found = [row[:3] for row in told if _names(row.body, wanted)]
            for chunk in chunks({delivery_id for delivery_id, _, _ in found}):
                connection.execute(delete(deliveries).where(deliveries.c.delivery_id.in_(chunk)))
            for endpoint_id in sorted({endpoint_id for _, endpoint_id, _ in found}):
                subjects = {subject for _, endpoint, subject in found if endpoint == endpoint_id}
                if hold_endpoint(connection, endpoint_id):
                    put_first_up(connection, endpoint_id, subjects, microseconds(self._clock.now()))
            return len(found)

        return await self._database.write(work, unlimited=True)


def _names(body: str, wanted: ToRemove) -> bool:
    ids = {str(activity_id) for activity_id in wanted.ids}
    return any(
        one.get("user_id") in wanted.users
        or one.get("anonymous_id") in wanted.anonymous
        or one.get("source") in wanted.sources
        or one.get("id") in ids
        for one in _objects(msgspec.json.decode(body))
    )


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """List every object in a document."""
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list):
        for below in value.values() if isinstance(value, dict) else value:
            yield from _objects(below)
