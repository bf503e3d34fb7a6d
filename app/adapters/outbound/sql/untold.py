"""Activities that are taken out again are taken back from webhooks too: notes, deliveries, and the log of both."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from app.adapters.outbound.sql.publishing_schema import activity_outbox as outbox
from app.adapters.outbound.sql.publishing_schema import webhook_deliveries as deliveries
from app.adapters.outbound.sql.publishing_schema import webhook_endpoints as endpoints
from app.adapters.outbound.sql.webhook_rows import hold_endpoint, put_first_up
from app.domain.activities import ActivityId
from app.domain.activity_notices import notice_id
from app.domain.webhooks import EndpointId

_TOGETHER = 500


def untell(connection: Connection, ids: Sequence[ActivityId]) -> None:
    """Forget that activities were to be told, or were. What waited behind them goes on.

    Without webhooks that is one look at an empty table. A message that is under way meanwhile arrives.
    """
    known = connection.scalars(select(endpoints.c.endpoint_id).order_by(endpoints.c.endpoint_id)).all()
    parts = [ids[start : start + _TOGETHER] for start in range(0, len(ids) if known else 0, _TOGETHER)]
    for some in parts:  # all notes first, in the order in which who tells them holds both
        connection.execute(delete(outbox).where(outbox.c.id.in_(some)))
    for endpoint_id in known:
        for some in parts:
            _forget(connection, endpoint_id, [notice_id(one) for one in some])


def _forget(connection: Connection, endpoint_id: EndpointId, told: Sequence[str]) -> None:
    gone = (deliveries.c.endpoint_id == endpoint_id) & deliveries.c.event_id.in_(told)
    rows = connection.execute(select(deliveries.c.subject, deliveries.c.created_at).where(gone)).all()
    if not rows:
        return
    hold_endpoint(connection, endpoint_id)
    connection.execute(delete(deliveries).where(gone))
    put_first_up(connection, endpoint_id, (row.subject for row in rows), max(row.created_at for row in rows))
