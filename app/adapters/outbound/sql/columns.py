"""What the tables' columns have in common, in SQLite and PostgreSQL. Every table is on `metadata` (all_tables.py)."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Dialect, Integer, LargeBinary, MetaData, Numeric, String, Text, Uuid
from sqlalchemy.types import TypeDecorator, TypeEngine


class ExactDecimal(TypeDecorator[Decimal]):
    """A decimal with all its digits: NUMERIC, and text where the database has no exact numbers (SQLite)."""

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose by the database."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else Numeric())

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """Write every digit, without an exponent."""
        return value if value is None or dialect.name != "sqlite" else f"{value:f}"

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002 - SQLAlchemy's
        """Read it back."""
        return None if value is None else Decimal(value)


class Id(TypeDecorator[UUID]):
    """An id: UUID, and its 16 bytes where the database has no such type (SQLite)."""

    impl = Uuid
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose by the database."""
        return dialect.type_descriptor(LargeBinary(16) if dialect.name == "sqlite" else Uuid())

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
