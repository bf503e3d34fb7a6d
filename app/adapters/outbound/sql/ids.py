"""Ids as the columns of the type `columns.UUID` take and give them: bytes in SQLite, which has no such type."""

from uuid import UUID

from app.adapters.outbound.sql.database import Database


def id_key(database: Database, id_: UUID) -> UUID | bytes:
    """Say an id as the column wants it."""
    return id_.bytes if database.is_sqlite else id_


def id_of(key: UUID | bytes) -> UUID:
    """Read what the column gave."""
    return UUID(bytes=key) if isinstance(key, bytes) else key
