"""Counters in rows that may be missing: a missing row counts 0."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from app.adapters.outbound.sql.access_schema import access_version


def inserting(connection: Connection, table: Table) -> Any:
    """Begin an INSERT that may say what is to happen on a conflict."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def add_to(
    connection: Connection,
    table: Table,
    key: Mapping[str, Any],
    figures: Mapping[str, int],
    new: Mapping[str, int] | None = None,
) -> None:
    """Add to figures of the row with that primary key; one that is not there yet also gets `new`.

    Whoever else adds to the row waits until this transaction ends.
    """
    statement = inserting(connection, table).values(**key, **figures, **(new or {}))
    sums = {name: table.c[name] + statement.excluded[name] for name in figures}
    connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=sums))


def note_access_change(connection: Connection) -> None:
    """Raise the number that tells whoever remembers keys to look again; do it last, for all wait for this row."""
    add_to(connection, access_version, {"one": 1}, {"version": 1})
