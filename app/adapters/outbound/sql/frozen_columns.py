"""What migrations are made of. Never changed: a migration makes tomorrow what it made yesterday."""

from typing import Any

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Numeric, String, Text, Uuid, text

UUID = Uuid().with_variant(LargeBinary(16), "sqlite")
BYTEWISE = String().with_variant(String(collation="C"), "postgresql")
EXACT = Numeric().with_variant(Text(), "sqlite")
BIG = BigInteger().with_variant(Integer(), "sqlite")


def key(name: str, type_: Any, comment: str | None = None, *, numbered: bool = False) -> Column[Any]:
    """Make a column of the primary key; `numbered` by the database."""
    return Column(name, type_, primary_key=True, autoincrement=numbered, comment=comment)


def required(name: str, type_: Any, *constraints: Any, comment: str | None = None) -> Column[Any]:
    """Make a column that always has a value."""
    return Column(name, type_, *constraints, nullable=False, comment=comment)


def optional(name: str, type_: Any, *, comment: str | None = None) -> Column[Any]:
    """Make a column that may be null."""
    return Column(name, type_, nullable=True, comment=comment)


def partial_index(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    """Make an index of the rows of which `where` is true."""
    op.create_index(name, table, columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))
