"""What the tables' columns have in common, in SQLite and PostgreSQL. Every table is on `metadata` (all_tables.py)."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Text,
    Uuid,
    false,
)
from sqlalchemy.types import TypeDecorator


class ExactDecimal(TypeDecorator[Decimal]):
    """A decimal with all its digits: NUMERIC, and text where the database has no exact numbers (SQLite)."""

    impl = Numeric().with_variant(Text(), "sqlite")
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """Write every digit, without an exponent."""
        return value if value is None or dialect.name != "sqlite" else f"{value:f}"

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002 - SQLAlchemy's
        """Read it back."""
        return None if value is None else Decimal(value)


class Id(TypeDecorator[UUID]):
    """An id: UUID, and its 16 bytes where the database has no such type (SQLite)."""

    impl = Uuid().with_variant(LargeBinary(16), "sqlite")
    cache_ok = True

    def process_bind_param(self, value: UUID | None, dialect: Dialect) -> Any:
        """Write the bytes."""
        return value.bytes if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> UUID | None:  # noqa: ARG002 - SQLAlchemy's
        """Read it back."""
        return UUID(bytes=value) if isinstance(value, bytes) else value


BIG = BigInteger().with_variant(Integer(), "sqlite")
"""64 bits; SQLite gives a row id only to what is called INTEGER."""
BYTEWISE = String().with_variant(String(collation="C"), "postgresql")
"""Text that is compared as Python compares it."""

metadata = MetaData()


def slot() -> Column[int]:
    """Make the last column of a rollup's key: its figures lie in slots and are the sum of them (slot_sums.py)."""
    return Column("slot", Integer, primary_key=True, autoincrement=False, server_default="0")


def frozen() -> Column[bool]:
    """Make the column of a statement that says whether its raw activity has left: then it is not made anew."""
    return Column("frozen", Boolean(create_constraint=False), nullable=False, server_default=false())


def partial_index(name: str, *columns: Column[Any], where: Any, unique: bool = False) -> None:
    """Make an index of the rows of which `where` is true."""
    Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)
