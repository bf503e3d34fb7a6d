"""Users in SQL: a change, its outbox row, the counts and the access version are one transaction."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Select, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from app.adapters.outbound.sql.access_schema import user_counts, users
from app.adapters.outbound.sql.advisory_locks import AdvisoryLock, hold
from app.adapters.outbound.sql.api_keys import revoke_all
from app.adapters.outbound.sql.counters import add_to, note_access_change
from app.adapters.outbound.sql.database import SqlStore
from app.adapters.outbound.sql.publishing_schema import outbox
from app.adapters.outbound.sql.rows import read_as
from app.adapters.outbound.sql.user_codec import outbox_columns, user_columns
from app.application.ports.users import UserMovedError, Users
from app.domain.domain_events import UserCreated, UserDeleted, UserFact, UserUpdated
from app.domain.users import USERNAME, EmailTakenError, User, UserCounts, UserId, UsernameTakenError, folded

_COUNTS_OF = {UserCreated: "created", UserUpdated: "updated", UserDeleted: "deleted_ever"}
_COUNTS = ("total", "active", "deleted", "created", "updated", "deleted_ever")
"""How the rows of the fields of UserCounts are named, in their order."""


class SqlUsers(SqlStore, Users):
    """The users of one database. That active ones differ in name and address is what two partial indexes see to."""

    async def add(self, user: User, told: UserFact) -> None:
        """Insert and tell."""
        row = user_columns(user)

        def work(connection: Connection) -> None:
            hold(connection, AdvisoryLock.USER_LOG)
            with self._refusals_told(connection, user):
                connection.execute(insert(users).values(row))
            _tell(connection, None, user, told)

        await self._database.write(work)

    async def save(self, before: User, after: User, told: UserFact) -> None:
        """Compare and set, revoke, tell."""
        mine = users.c.user_id == before.user_id, users.c.version == before.version

        def work(connection: Connection) -> None:
            hold(connection, AdvisoryLock.USER_LOG)
            with self._refusals_told(connection, after):
                if not connection.execute(update(users).where(*mine).values(user_columns(after, "user_id"))).rowcount:
                    raise UserMovedError
            if after.deleted_at is not None:
                revoke_all(connection, before.user_id, after.deleted_at)
            _tell(connection, before, after, told)

        await self._database.write(work)

    @contextmanager
    def _refusals_told(self, connection: Connection, user: User) -> Iterator[None]:
        """Do something in a savepoint; when an index refuses it, look whose name or address it is."""
        try:
            with connection.begin_nested():
                yield
        except IntegrityError:
            self._refuse_taken(connection, user)
            raise

    def _refuse_taken(self, connection: Connection, user: User) -> None:
        name, address = folded(user.username), folded(user.email)
        others = select(users.c.username_key, users.c.email_key).where(
            users.c.is_active,
            users.c.user_id != user.user_id,
            or_(users.c.username_key == name, users.c.email_key == address),
        )
        found = connection.execute(others).all()
        if any(row.username_key == name for row in found):
            raise UsernameTakenError(user.username)
        if found:
            raise EmailTakenError(user.email)

    async def find(self, user_id: UserId) -> User | None:
        """Read its row."""
        return await self._one(select(users).where(users.c.user_id == user_id))

    async def named(self, username: str) -> User | None:
        """Read its row; nobody has a name that breaks the rules, and the database might not even take it."""
        if not USERNAME.fullmatch(username):
            return None
        return await self._one(select(users).where(users.c.username_key == folded(username), users.c.is_active))

    async def page(self, limit: int, after: UserId | None, *, is_active: bool | None) -> Sequence[User]:
        """Read some rows in the order of the primary key."""
        wanted = select(users).order_by(users.c.user_id).limit(max(limit, 0))
        if after is not None:
            wanted = wanted.where(users.c.user_id > after)
        if is_active is not None:
            wanted = wanted.where(users.c.is_active.is_(is_active))
        return [read_as(User, row) for row in await self._rows(wanted)]

    async def counts(self) -> UserCounts:
        """Read six rows at the most."""
        counts: Counter[str] = Counter(dict(await self._rows(select(user_counts))))
        return UserCounts(*(counts[name] for name in _COUNTS))

    async def _one(self, wanted: Select[*tuple[Any, ...]]) -> User | None:
        rows = await self._rows(wanted)
        return read_as(User, rows[0]) if rows else None


def _tell(connection: Connection, before: User | None, after: User, told: UserFact) -> None:
    connection.execute(insert(outbox).values(outbox_columns(told)))
    for name, more in sorted(_counted(before, after, told).items()):
        if more:
            add_to(connection, user_counts, {"name": name}, {"count": more})
    note_access_change(connection)


def _counted(before: User | None, after: User, told: UserFact) -> dict[str, int]:
    """Say by how much each count changes."""
    was_active, was_deleted = (before.is_active, before.deleted_at is not None) if before else (False, False)
    return {
        "total": int(before is None),
        "active": after.is_active - was_active,
        "deleted": (after.deleted_at is not None) - was_deleted,
        _COUNTS_OF[type(told)]: 1,
    }
