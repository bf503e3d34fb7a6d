"""The outbox as a log of domain events."""

from collections.abc import Sequence

from sqlalchemy import func, select

from app.adapters.outbound.sql.database import Database
from app.adapters.outbound.sql.publishing_schema import outbox
from app.adapters.outbound.sql.user_codec import told_of
from app.application.ports.publishing import DomainEventLog, LoggedFact


class SqlUserLog(DomainEventLog):
    """What SqlUsers told."""

    name = "users"

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, after: int, limit: int) -> Sequence[LoggedFact]:
        """Read the rows that follow."""
        wanted = select(outbox).where(outbox.c.position > after).order_by(outbox.c.position).limit(max(limit, 0))
        rows = await self._database.read(lambda connection: connection.execute(wanted).all())
        return [LoggedFact(row.position, told_of(row)) for row in rows]

    async def head(self) -> int:
        """Look at the end of the primary key."""
        last = select(func.max(outbox.c.position))
        return await self._database.read(lambda connection: connection.execute(last).scalar() or 0)
