"""WebhookStates in SQL."""

from collections.abc import Mapping

from sqlalchemy import func, select

from app.adapters.outbound.sql.database import Database
from app.adapters.outbound.sql.publishing_schema import webhook_endpoints as endpoints
from app.application.ports.webhooks import WebhookStates


class SqlWebhookStates(WebhookStates):
    """The endpoints of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def counts(self) -> Mapping[str | None, int]:
        """Count the rows: they are few."""
        wanted = select(endpoints.c.why_off, func.count()).group_by(endpoints.c.why_off)
        return dict(await self._database.read(lambda connection: connection.execute(wanted).all()))
