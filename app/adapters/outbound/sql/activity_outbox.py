"""ActivityOutbox in SQL: rows that the store writes and whoever tells them removes."""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from app.adapters.outbound.sql.database import SqlStore
from app.adapters.outbound.sql.publishing_schema import activity_outbox as outbox
from app.adapters.outbound.sql.publishing_schema import webhook_endpoints as endpoints
from app.adapters.outbound.sql.webhook_deliveries import add_deliveries, by_endpoint
from app.application.ports.webhooks import MOST_NOTED, ActivityOutbox, NotedActivity
from app.domain.activities import Activity
from app.domain.activity_columns import ActivityColumns
from app.domain.activity_notices import PREFIX, asks_for
from app.domain.webhook_deliveries import Message
from app.domain.webhooks import EndpointId

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Activity).decode

_asking = select(endpoints.c.endpoint_id, endpoints.c.names).where(
    endpoints.c.is_active, endpoints.c.names.contains(PREFIX, autoescape=True)
)
_ANYBODY = {
    dialect: f"SELECT 1 FROM {endpoints.name} WHERE is_active AND {position}(names, '{PREFIX}') > 0 LIMIT 1"  # noqa: S608
    for dialect, position in (("sqlite", "instr"), ("postgresql", "strpos"))
}
"""Written out, and so a third of what it costs to build: every transaction asks."""
_ends = select(func.max(outbox.c.position) - func.min(outbox.c.position) + 1)
"""How many lie there at the most: each end is one look into the key."""
_IDS_TOGETHER = 500


class SqlActivityOutbox(SqlStore, ActivityOutbox):
    """The notes of one database."""

    async def first(self, limit: int) -> Sequence[NotedActivity]:
        """Read the beginning of the key."""
        rows = await self._rows(select(outbox).order_by(outbox.c.position).limit(max(limit, 0)))
        return [NotedActivity(row.position, _decode(row.activity)) for row in rows]

    async def tell(self, messages: Mapping[int, Sequence[Message]]) -> None:
        """Hold the notes first: who takes one out waits, and then finds the delivery."""
        given = outbox.c.position.in_(sorted(messages))

        def work(connection: Connection) -> None:
            held = select(outbox.c.position).where(given).order_by(outbox.c.position).with_for_update()
            there = connection.scalars(held).all()
            connection.execute(delete(outbox).where(outbox.c.position.in_(there)))
            for endpoint_id, some in by_endpoint([one for position in there for one in messages[position]]):
                add_deliveries(connection, endpoint_id, some)

        await self._database.write(work)


def note_activities(connection: Connection, new: ActivityColumns, most: int = MOST_NOTED) -> None:
    """Note what webhooks ask for of some activities that this transaction stores.

    Where nobody asks, that is one look at a table of some rows. It is done last: when too many wait, rows of webhooks
    are written, for which others should not wait long.
    """
    if connection.exec_driver_sql(_ANYBODY[connection.dialect.name]).first() is None:
        return
    asking = {row.endpoint_id: row.names.split(",") for row in connection.execute(_asking)}
    types = set(new.types)
    wanted = {name: {one for one in types if asks_for(names, one)} for name, names in asking.items()}
    told = set[str]().union(*wanted.values())
    positions = [place for place, type_ in enumerate(new.types) if type_ in told]
    if not positions:
        return
    chosen = new.chosen(positions)
    if (connection.scalar(_ends) or 0) + len(chosen) > most:
        _count_skipped(connection, chosen, wanted)
    else:
        rows = [{"id": one.activity_id, "activity": _encode(one).decode()} for one in chosen]
        connection.execute(insert(outbox), rows)


def _count_skipped(connection: Connection, chosen: ActivityColumns, wanted: Mapping[EndpointId, set[str]]) -> None:
    for endpoint_id in sorted(wanted):  # in one order, so that two transactions do not wait for each other
        number = sum(type_ in wanted[endpoint_id] for type_ in chosen.types)
        if number:
            mine = update(endpoints).where(endpoints.c.endpoint_id == endpoint_id)
            connection.execute(mine.values(skipped=endpoints.c.skipped + number))
