"""What the stores of webhooks do to their rows: read one, hold an endpoint, see who of a subject is up."""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Connection, Row, select, update

from app.adapters.outbound.sql.publishing_schema import webhook_deliveries as deliveries
from app.adapters.outbound.sql.publishing_schema import webhook_endpoints as endpoints
from app.adapters.outbound.sql.rows import read_as
from app.domain.webhook_deliveries import Delivery, Message
from app.domain.webhooks import EndpointId


def hold_endpoint(connection: Connection, endpoint_id: EndpointId) -> bool:
    """Keep others from adding to and ending an endpoint's deliveries until the transaction ends; False: none is there.

    Otherwise one could be added behind another one that ends in the same moment, and nobody would make it due; or two
    transactions could wait for each other's rows.
    """
    mine = select(endpoints.c.endpoint_id).where(endpoints.c.endpoint_id == endpoint_id).with_for_update()
    return connection.execute(mine).one_or_none() is not None


def subjects_up(connection: Connection, endpoint_id: EndpointId, subjects: Collection[str]) -> set[str]:
    """Say which of some subjects have a delivery that is up."""
    up = deliveries.c.next_attempt_at.is_not(None)
    wanted = select(deliveries.c.subject).where(
        deliveries.c.endpoint_id == endpoint_id, deliveries.c.subject.in_(subjects), up
    )
    return set(connection.execute(wanted).scalars())


def put_first_up(connection: Connection, endpoint_id: EndpointId, subjects: Iterable[str], now: int) -> None:
    """See to it that of each subject the earliest that has not ended is up, and no other one."""
    for subject in sorted(set(subjects)):
        of_subject = (deliveries.c.endpoint_id == endpoint_id) & (deliveries.c.subject == subject)
        columns = deliveries.c.delivery_id, deliveries.c.next_attempt_at
        pending = select(*columns).where(of_subject, deliveries.c.ended_at.is_(None))
        first = connection.execute(pending.order_by(deliveries.c.delivery_id).limit(1)).one_or_none()
        if first is None or first.next_attempt_at is not None:
            continue
        later = update(deliveries).where(of_subject, deliveries.c.next_attempt_at.is_not(None))
        connection.execute(later.values(next_attempt_at=None))
        mine = update(deliveries).where(deliveries.c.delivery_id == first.delivery_id)
        connection.execute(mine.values(next_attempt_at=now))


def delivery_of(row: Row[*tuple[Any, ...]]) -> Delivery:
    """Read a row."""
    return read_as(Delivery, row, message=read_as(Message, row))
