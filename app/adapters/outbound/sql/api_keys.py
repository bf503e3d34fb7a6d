"""API keys in SQL: a row per key, without its secret.

Whoever changes several rows of keys locks them in the order of their ids, so that processes wait and do not deadlock.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Row, case, func, insert, literal, or_, select, update

from app.adapters.outbound.sql.access_schema import access_version, api_keys, users
from app.adapters.outbound.sql.counters import note_access_change
from app.adapters.outbound.sql.database import Lane, SqlStore
from app.adapters.outbound.sql.rows import columns_of, instant_of, microseconds, read_as
from app.application.ports.users import ApiKeys, OwnedKey
from app.domain.api_keys import ApiKey, TooManyKeysError
from app.domain.publishable_keys import Publishable
from app.domain.users import UnknownUserError, User, UserId

_KEYS_PER_STATEMENT = 500
_KEYS_AT_ONCE = 200
"""Rows that are read without a pause for other threads: well under a millisecond."""

_OF_KEY = [column.label(f"key_{column.name}") for column in api_keys.c]
"""Its columns beside those of its user, some of which have the same names."""


class SqlApiKeys(SqlStore, ApiKeys):
    """The keys of one database."""

    async def add(self, key: ApiKey, now: datetime) -> None:
        """Lock the user, so that its keys stay as many as they are counted."""
        owner = select(users.c.is_active).where(users.c.user_id == key.user_id).with_for_update()
        kind = api_keys.c.origins.is_not(None) if key.publishable else api_keys.c.origins.is_(None)
        live = select(func.count()).where(api_keys.c.user_id == key.user_id, _is_live(now), kind)

        def work(connection: Connection) -> None:
            if not connection.execute(owner).scalar():
                raise UnknownUserError(key.user_id)
            if connection.execute(live).scalar_one() >= key.most_live:
                raise TooManyKeysError(key.most_live)
            connection.execute(insert(api_keys).values(_row_of(key)))
            note_access_change(connection)

        await self._database.write(work)

    async def of_user(self, user_id: UserId) -> Sequence[ApiKey]:
        """Read its rows; of two that were made in one instant, by their names."""
        wanted = select(*_OF_KEY).where(api_keys.c.user_id == user_id)
        wanted = wanted.order_by(api_keys.c.created_at.desc(), api_keys.c.key_id.desc())
        return [_key_of(row) for row in await self._rows(wanted)]

    async def find(self, key_id: str) -> OwnedKey | None:
        """Read both rows at once."""
        if not _may_be_id(key_id):
            return None
        wanted = select(*_OF_KEY, users).join_from(api_keys, users).where(api_keys.c.key_id == key_id)
        row = await self._database.read(lambda connection: connection.execute(wanted).one_or_none(), lane=Lane.KEYS)
        return None if row is None else _owned_of(row)

    async def good(self, now: datetime, limit: int) -> Mapping[str, OwnedKey]:
        """Read both rows of each at once, newest first for the limit; nothing is made of them yet."""
        used = func.coalesce(api_keys.c.last_used_at, api_keys.c.created_at)
        wanted = (
            select(*_OF_KEY, users)
            .join_from(api_keys, users)
            .where(users.c.is_active, _is_live(now))
            .order_by(used.desc())
            .limit(limit)
        )

        def work(connection: Connection) -> Mapping[str, OwnedKey]:
            parts = connection.execute(wanted).partitions(_KEYS_AT_ONCE)
            return _OwnedKeys({row.key_key_id: row for rows in parts for row in rows})

        return await self._database.read(work, lane=Lane.KEY_WATCH)

    async def origins(self, now: datetime) -> Mapping[str, datetime | None]:
        """Read two columns of each publishable key."""
        wanted = (
            select(api_keys.c.origins, api_keys.c.expires_at)
            .join_from(api_keys, users)
            .where(users.c.is_active, api_keys.c.origins.is_not(None), _is_live(now))
        )
        rows = await self._database.read(lambda connection: connection.execute(wanted).all(), lane=Lane.KEY_WATCH)
        until: dict[str, datetime | None] = {}
        for written, expires_at in rows:
            expiry = None if expires_at is None else instant_of(expires_at)
            for origin in written.split():
                known = until.get(origin, expiry)
                until[origin] = None if known is None or expiry is None else max(known, expiry)
        return until

    async def revoke(self, user_id: UserId, key_id: str, at: datetime) -> bool:
        """Note it, unless it is noted already."""
        if not _may_be_id(key_id):
            return False
        mine = api_keys.c.key_id == key_id, api_keys.c.user_id == user_id

        def work(connection: Connection) -> bool:
            row = connection.execute(select(api_keys.c.revoked_at).where(*mine).with_for_update()).one_or_none()
            if row is not None and row.revoked_at is None:
                connection.execute(update(api_keys).where(*mine).values(revoked_at=microseconds(at)))
                note_access_change(connection)
            return row is not None

        return await self._database.write(work)

    async def note_use(self, used: Mapping[str, datetime]) -> None:
        """Write many at once; only what is later than what is there."""
        key_ids = sorted(key_id for key_id in used if _may_be_id(key_id))

        def work(connection: Connection) -> None:
            for start in range(0, len(key_ids), _KEYS_PER_STATEMENT):
                _note_use(connection, {key_id: used[key_id] for key_id in key_ids[start : start + _KEYS_PER_STATEMENT]})

        if key_ids:
            await self._database.write(work)

    async def version(self) -> int:
        """Read the one row."""
        wanted = select(access_version.c.version)
        return await self._database.read(
            lambda connection: connection.execute(wanted).scalar() or 0, lane=Lane.KEY_WATCH
        )


class _OwnedKeys(Mapping[str, OwnedKey]):
    """Rows of keys by their public parts; each is made a key when it is asked for, for few of many ever are."""

    def __init__(self, rows: Mapping[str, Row[*tuple[Any, ...]]]) -> None:
        self._rows = rows

    def __getitem__(self, key_id: str) -> OwnedKey:
        return _owned_of(self._rows[key_id])

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def revoke_all(connection: Connection, user: UserId, at: datetime) -> None:
    """Revoke the keys of a user that are not revoked yet."""
    mine = _locked(connection, (api_keys.c.user_id == user) & api_keys.c.revoked_at.is_(None))
    if mine:
        connection.execute(update(api_keys).where(api_keys.c.key_id.in_(mine)).values(revoked_at=microseconds(at)))


def _note_use(connection: Connection, used: Mapping[str, datetime]) -> None:
    latest = {key_id: literal(microseconds(at), BigInteger) for key_id, at in used.items()}
    at = case(latest, value=api_keys.c.key_id)
    mine = _locked(connection, api_keys.c.key_id.in_(latest))
    later = or_(api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at < at)
    connection.execute(update(api_keys).where(api_keys.c.key_id.in_(mine), later).values(last_used_at=at))


def _locked(connection: Connection, which: ColumnElement[bool]) -> Sequence[str]:
    wanted = select(api_keys.c.key_id).where(which).order_by(api_keys.c.key_id).with_for_update()
    return connection.execute(wanted).scalars().all()


def _is_live(now: datetime) -> ColumnElement[bool]:
    """Say in SQL what ApiKey.is_live says."""
    unexpired = or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > microseconds(now))
    return api_keys.c.revoked_at.is_(None) & unexpired


def _may_be_id(text: str) -> bool:
    """Tell whether it can be the public part of a key; of other texts PostgreSQL refuses some."""
    return text.isascii() and text.isalnum()


def _owned_of(row: Row[*tuple[Any, ...]]) -> OwnedKey:
    return OwnedKey(_key_of(row), read_as(User, row))


def _key_of(row: Row[*tuple[Any, ...]]) -> ApiKey:
    origins, types = row.key_origins, row.key_types
    publishable = None if origins is None else Publishable(frozenset(origins.split()), _types_of(types))
    return read_as(ApiKey, row, prefix="key_", publishable=publishable)


def _types_of(written: str | None) -> frozenset[str] | None:
    return None if written is None else frozenset(written.split())


def _row_of(key: ApiKey) -> dict[str, Any]:
    may = key.publishable
    origins = " ".join(sorted(may.origins)) if may else None
    types = " ".join(sorted(may.types)) if may and may.types else None
    return columns_of(key, "publishable") | {"origins": origins, "types": types}
