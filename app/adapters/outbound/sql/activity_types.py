"""The bound on types for imports, which go straight to the store: counted are those that the figures have."""

from collections.abc import Collection

from sqlalchemy import select

from app.adapters.outbound.sql.database import Database
from app.adapters.outbound.sql.schema import type_totals
from app.application.ports.activities import TypeBound


class SqlTypeBound(TypeBound):
    """Reads the types that are counted whenever it meets one that it does not know.

    Two imports at once, or an import beside the door, do not see each other's types before they are stored.
    """

    def __init__(self, database: Database, most: int) -> None:
        self.most = most
        self._database = database
        self._known: set[str] = set()

    async def refused(self, types: Collection[str]) -> Collection[str]:
        """Admit one after the other, while there is room beside all that are known."""
        if all(type_ in self._known for type_ in types):
            return ()
        self._known |= await self._counted()
        refused = set()
        for type_ in types:
            if type_ in self._known or len(self._known) < self.most:
                self._known.add(type_)
            else:
                refused.add(type_)
        return refused

    async def _counted(self) -> set[str]:
        return await self._database.read(lambda connection: set(connection.scalars(select(type_totals.c.type))))
