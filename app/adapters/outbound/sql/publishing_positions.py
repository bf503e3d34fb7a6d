"""PublishingPositions in SQL: a row per publisher and log."""

from collections.abc import Mapping

from sqlalchemy import Connection, case, func, select

from app.adapters.outbound.sql.counters import add_to, inserting
from app.adapters.outbound.sql.database import SqlStore
from app.adapters.outbound.sql.publishing_schema import publishing_positions as positions
from app.application.ports.publishing import PublishingPositions, ToldCounts

_NOWHERE = -1
"""The position in a row that only counts failures yet: 0 is a position that somebody has moved to."""


class SqlPublishingPositions(SqlStore, PublishingPositions):
    """The positions in one database."""

    async def of(self, publisher: str) -> Mapping[str, int]:
        """Read the rows of the publisher."""
        wanted = select(positions.c.log, positions.c.position).where(
            positions.c.publisher == publisher, positions.c.position > _NOWHERE
        )
        return {row.log: row.position for row in await self._rows(wanted)}

    async def move(self, publisher: str, log: str, position: int, published: int) -> None:
        """Keep the later one."""

        def work(connection: Connection) -> None:
            new = inserting(connection, positions).values(
                publisher=publisher, log=log, position=position, published=published, failed=0
            )
            later = new.excluded.position > positions.c.position
            changes = {
                "position": case((later, new.excluded.position), else_=positions.c.position),
                "published": positions.c.published + new.excluded.published,
            }
            connection.execute(new.on_conflict_do_update(index_elements=["publisher", "log"], set_=changes))

        await self._database.write(work)

    async def note_failure(self, publisher: str, log: str, failed: int) -> None:
        """Count in the row."""

        def work(connection: Connection) -> None:
            row = {"publisher": publisher, "log": log}
            add_to(connection, positions, row, {"failed": failed}, new={"position": _NOWHERE, "published": 0})

        await self._database.write(work)

    async def counts(self) -> Mapping[str, ToldCounts]:
        """Add the rows up: they are few."""
        sums = select(positions.c.publisher, func.sum(positions.c.published), func.sum(positions.c.failed))
        sums = sums.group_by(positions.c.publisher)
        return {publisher: ToldCounts(int(told), int(failed)) for publisher, told, failed in await self._rows(sums)}
