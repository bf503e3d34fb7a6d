"""Rows as no database has them and both can take them: what is copied, and what is compared.

Ids are 16 bytes, exact numbers their digits; all else is as Python has it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from itertools import islice
from operator import attrgetter
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, LargeBinary, Select, Table, select

from app.adapters.outbound.sql.columns import ExactDecimal, Id

Values = tuple[Any, ...]
T = TypeVar("T")

BATCH = 2_000
"""Rows that are in memory at a time; one has at most some tens of kB."""
_MODULUS = 2**128


def read_rows(connection: Connection, table: Table, wanted: Select[*tuple[Any, ...]] | None = None) -> Iterator[Values]:
    """Read rows of a table bit by bit, by default all of them, in no order."""
    convert = {place: how for place, column in enumerate(table.columns) if (how := _canonical(column.type))}
    options = {"stream_results": True, "yield_per": BATCH}
    with closing(connection.execute(select(table) if wanted is None else wanted, execution_options=options)) as rows:
        for row in rows:
            values = list(row)
            for place, how in convert.items():
                if values[place] is not None:
                    values[place] = how(values[place])
            yield tuple(values)


def batches(rows: Iterator[T], size: int = BATCH) -> Iterator[Sequence[T]]:
    """Hand out rows some at a time."""
    while batch := list(islice(rows, size)):
        yield batch


def load_rows(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Insert such rows: PostgreSQL's COPY, and SQLite's way of running one statement many times."""
    quote = connection.dialect.identifier_preparer.quote
    names = ", ".join(quote(column.name) for column in table.columns)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(table.columns))
        connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", list(rows))  # noqa: S608
        return
    ids = [place for place, column in enumerate(table.columns) if isinstance(column.type, Id)]
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
        for row in rows:
            written = list(row)
            for place in ids:
                written[place] = written[place] and written[place].hex()
            copy.write_row(written)


@dataclass(slots=True)
class Checksum:
    """Number and content of rows, whatever their order."""

    rows: int = 0
    _sum: int = 0

    def add(self, row: Values) -> None:
        """Add a row."""
        digest = blake2b(msgspec.msgpack.encode(row), digest_size=16).digest()
        self._sum = (self._sum + int.from_bytes(digest)) % _MODULUS
        self.rows += 1


def _canonical(type_: Any) -> Callable[[Any], Any] | None:
    if isinstance(type_, Id):
        return attrgetter("bytes")
    if isinstance(type_, ExactDecimal):
        return _digits
    return bytes if isinstance(type_, LargeBinary) else None


def _digits(value: Decimal) -> str:
    """Write a number; PostgreSQL knows no negative zero."""
    written = f"{value:f}"
    return written if value else written.removeprefix("-")
