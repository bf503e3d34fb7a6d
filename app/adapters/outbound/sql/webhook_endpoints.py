"""WebhookEndpoints in SQL: a row per endpoint."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from app.adapters.outbound.sql.database import SqlStore
from app.adapters.outbound.sql.publishing_schema import webhook_endpoints as endpoints
from app.adapters.outbound.sql.rows import columns_of, instant_of, microseconds, read_as
from app.application.ports.webhooks import WebhookEndpoints, WebhookStates
from app.domain.webhook_errors import WebhookNameTakenError
from app.domain.webhook_headers import Header
from app.domain.webhooks import Endpoint, EndpointId, Secret

_secrets = msgspec.json.Decoder(tuple[tuple[str, int | None], ...])
_headers = msgspec.json.Decoder(tuple[tuple[str, str], ...])


class SqlWebhookEndpoints(SqlStore, WebhookEndpoints, WebhookStates):
    """The endpoints of one database."""

    async def add(self, endpoint: Endpoint) -> None:
        """Insert; the name is unique."""
        row = _values(endpoint) | {"endpoint_id": endpoint.endpoint_id, "name": endpoint.name}
        try:
            await self._database.write(lambda connection: connection.execute(insert(endpoints).values(row)))
        except IntegrityError as error:
            raise WebhookNameTakenError(endpoint.name) from error

    async def all(self) -> Sequence[Endpoint]:
        """Read them all: they are few."""
        return sorted(map(_endpoint, await self._rows(select(endpoints))), key=lambda endpoint: endpoint.name)

    async def find(self, endpoint_id: EndpointId) -> Endpoint | None:
        """Read one."""
        rows = await self._rows(select(endpoints).where(endpoints.c.endpoint_id == endpoint_id))
        return _endpoint(rows[0]) if rows else None

    async def change(self, endpoint_id: EndpointId, change: Callable[[Endpoint], Endpoint]) -> Endpoint | None:
        """Hold the row until it is written."""
        mine = endpoints.c.endpoint_id == endpoint_id

        def work(connection: Connection) -> Endpoint | None:
            row = connection.execute(select(endpoints).where(mine).with_for_update()).one_or_none()
            if row is None:
                return None
            after = change(_endpoint(row))
            connection.execute(update(endpoints).where(mine).values(_values(after)))
            return after

        return await self._database.write(work)

    async def remove(self, endpoint_id: EndpointId) -> bool:
        """Delete the row, and with it what refers to it; of many deliveries that takes its time."""
        gone = delete(endpoints).where(endpoints.c.endpoint_id == endpoint_id)
        return await self._database.write(lambda connection: connection.execute(gone).rowcount > 0, unlimited=True)

    async def counts(self) -> Mapping[str | None, int]:
        """Count the rows: they are few."""
        return dict(await self._rows(select(endpoints.c.why_off, func.count()).group_by(endpoints.c.why_off)))


def _values(endpoint: Endpoint) -> dict[str, Any]:
    """All columns but those that never change."""
    secrets = [(secret.text, secret.until and microseconds(secret.until)) for secret in endpoint.secrets]
    headers = [(header.name, header.value) for header in endpoint.headers]
    lists = {
        "names": ",".join(endpoint.names),
        "secrets": msgspec.json.encode(secrets).decode(),
        "headers": msgspec.json.encode(headers).decode() if headers else None,
    }
    return columns_of(endpoint, "endpoint_id", "name") | lists


def _endpoint(row: Row[*tuple[Any, ...]]) -> Endpoint:
    secrets = [
        Secret(text, None if until is None else instant_of(until)) for text, until in _secrets.decode(row.secrets)
    ]
    names = tuple(row.names.split(",")) if row.names else ()
    headers = tuple(Header(*one) for one in _headers.decode(row.headers)) if row.headers else ()
    return read_as(Endpoint, row, names=names, secrets=tuple(secrets), headers=headers)
