"""ForgottenNames in SQL."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Connection, select

from app.adapters.outbound.sql.counters import inserting
from app.adapters.outbound.sql.database import SqlStore
from app.adapters.outbound.sql.identities import chunks
from app.adapters.outbound.sql.raw_fold import stream
from app.adapters.outbound.sql.rows import microseconds
from app.adapters.outbound.sql.schema import activities, claims, forgettings, visitors
from app.application.ports.forgetting import Forgetting, ForgottenNames
from app.domain.identities import ANONYMOUS
from app.domain.removal import KINDS, ToRemove, digest_of

_kept = activities.c


class SqlForgottenNames(SqlStore, ForgottenNames):
    """The names of one database."""

    async def anonymous_of(self, users: Collection[str]) -> frozenset[str]:
        """Find the ids that they claim; of each the earliest claim decides."""
        return await self._database.read(lambda connection: _anonymous_of(connection, users))

    async def matching(self, digests: Collection[str]) -> ToRemove:
        """Go through the names of visitors, and of the activities that no visitor has."""
        return await self._database.read(lambda connection: _matching(connection, frozenset(digests)), unlimited=True)

    async def note(self, forgetting: Forgetting) -> None:
        """Insert a row."""
        row = {"forgetting_id": forgetting.forgetting_id, "at": microseconds(forgetting.at)}

        def work(connection: Connection) -> None:
            connection.execute(inserting(connection, forgettings).values(row).on_conflict_do_nothing())

        await self._database.write(work)

    async def noted(self) -> frozenset[UUID]:
        """Read the rows."""
        return frozenset(row.forgetting_id for row in await self._rows(select(forgettings.c.forgetting_id)))


def _anonymous_of(connection: Connection, users: Collection[str]) -> frozenset[str]:
    claimed: set[str] = set()
    for chunk in chunks(users):
        claimed |= set(connection.scalars(select(claims.c.anonymous_id).where(claims.c.user_id.in_(chunk))))
    owners: dict[str, str] = {}
    for chunk in chunks(claimed):
        mine = claims.c.anonymous_id.in_(chunk)
        order = (claims.c.at.desc(), claims.c.activity_id.desc())
        for row in connection.execute(select(claims).where(mine).order_by(*order)):
            owners[row.anonymous_id] = row.user_id  # the last one that is read is the earliest
    return frozenset(anonymous for anonymous, owner in owners.items() if owner in users)


def _matching(connection: Connection, digests: frozenset[str]) -> ToRemove:
    """Read all of them; frozen days have visitors of whom no activity is left."""
    names = {
        kind: set(connection.scalars(select(column).where(column.is_not(None)).distinct()))
        for kind, column in zip(KINDS, (_kept.user_id, _kept.anonymous_id, _kept.source), strict=True)
    }
    for (visitor,) in stream(connection, select(visitors.c.visitor)):
        kind = "anonymous" if visitor.startswith(ANONYMOUS) else "user"
        names[kind].add(visitor.removeprefix(ANONYMOUS))
    found = {kind: frozenset(one for one in names[kind] if digest_of(kind, one) in digests) for kind in KINDS}
    return ToRemove(users=found["user"], anonymous=found["anonymous"], sources=found["source"])
