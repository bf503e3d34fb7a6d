"""Exports as Parquet: row group by row group, so that memory stays the same whatever the size.

pyarrow is an extra, and loaded when somebody asks for it: it is larger than all the rest.
"""

from collections.abc import AsyncGenerator, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Generic, TypeVar

from app.adapters.inbound.activity_files.source import UsageMistakeError
from app.adapters.inbound.export_files.tables import Columns, Kind

T = TypeVar("T")

ROWS = 50_000
"""Of a row group."""
PACKAGE = "pyarrow"


class NoParquetError(UsageMistakeError):
    """pyarrow is not installed."""

    def __init__(self, package: str) -> None:
        """Say how it gets there."""
        super().__init__(
            f"Parquet needs {package}, which is not installed: run `.venv/bin/pip install -e '.[parquet]'` in the "
            "project's folder, or ask for another format"
        )


def check_parquet(package: str = PACKAGE) -> None:
    """See that Parquet can be written.

    Raises:
        NoParquetError: it cannot.
    """
    if find_spec(package) is None:
        raise NoParquetError(package)


class ParquetFile(Generic[T]):
    """Writes things as rows of a file whose bytes are taken as they come; its beginning says nothing of its end."""

    def __init__(self, columns: Columns[T], rows: int = ROWS) -> None:
        check_parquet()
        self._rows = rows
        self._arrow: Any = import_module(PACKAGE)
        self._columns = columns
        self._waiting: list[T] = []
        self._taken = _Taken()
        schema = self._arrow.schema([(column.name, self._type(column.kind)) for column in columns])
        parquet = import_module(f"{PACKAGE}.parquet")
        self._writer = parquet.ParquetWriter(self._arrow.PythonFile(self._taken, mode="w"), schema, compression="zstd")

    def add(self, things: Sequence[T]) -> bytes:
        """Take rows in, and give the bytes that are due."""
        self._waiting += things
        if len(self._waiting) >= self._rows:
            self._write()
        return self._taken.give()

    def finish(self) -> bytes:
        """Give the rest."""
        if self._waiting:
            self._write()
        self._writer.close()
        return self._taken.give()

    def _write(self) -> None:
        arrays = [
            self._arrow.array([self._value(column.kind, column.value(one)) for one in self._waiting], field.type)
            for column, field in zip(self._columns, self._writer.schema, strict=True)
        ]
        self._writer.write_table(self._arrow.Table.from_arrays(arrays, schema=self._writer.schema))
        self._waiting = []

    def _type(self, kind: Kind) -> Any:
        types = {
            Kind.TEXT: self._arrow.string(),
            Kind.NUMBER: self._arrow.int64(),
            Kind.DEGREES: self._arrow.float64(),
            Kind.EXACT: self._arrow.string(),
            Kind.TRUTH: self._arrow.bool_(),
            Kind.DATE: self._arrow.date32(),
            Kind.INSTANT: self._arrow.timestamp("us", tz="UTC"),
        }
        return types[kind]

    @staticmethod
    def _value(kind: Kind, value: Any) -> Any:
        return f"{value:f}" if kind is Kind.EXACT and value is not None else value


async def parquet_portions(
    columns: Columns[T], batches: AsyncGenerator[Sequence[T], None]
) -> AsyncGenerator[tuple[bytes, int], None]:
    """Write batches of things: bytes, and how many things are new in them."""
    file = ParquetFile(columns)
    async for batch in batches:
        yield file.add(batch), len(batch)
    yield file.finish(), 0


class _Taken:
    """Looks like a file to pyarrow, and keeps what is written until it is taken."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def write(self, content: Any) -> int:
        part = bytes(content)
        self._parts.append(part)
        self._size += len(part)
        return len(part)

    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        """There is nothing behind it."""

    def close(self) -> None:
        self.closed = True

    def give(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)
