"""An export as bytes, portion by portion, for whoever writes or sends them."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from enum import StrEnum
from typing import NamedTuple, TypeVar

from app.adapters.inbound.export_files.parquet import parquet_portions
from app.adapters.inbound.export_files.tables import ACTIVITY_COLUMNS, Columns, csv_header, csv_lines, json_lines
from app.application.export_activities import ExportActivities
from app.application.ports.activity_archive import EXPORT_COLUMNS, LineForm
from app.domain.activities import Activity
from app.domain.activity_spans import ActivitySpan

T = TypeVar("T")


class FileFormat(StrEnum):
    """How an export is written."""

    NDJSON = "ndjson"
    CSV = "csv"
    PARQUET = "parquet"


class Portion(NamedTuple):
    """Some of an export."""

    content: bytes
    place: str
    """Where it goes on behind this; empty: only from the beginning."""
    number: int
    """Of things in it."""


async def activities_as_lines(
    export: ExportActivities, span: ActivitySpan, format_: FileFormat, after: str = "", *, escape_formulas: bool
) -> AsyncGenerator[Portion, None]:
    """Write the activities of a span, from behind a place on; errors as in ExportActivities.

    Parquet has no such places: it is written from its beginning.

    Raises:
        NoParquetError: it cannot be written here.
    """
    if format_ is FileFormat.PARQUET:
        async with aclosing(as_portions(ACTIVITY_COLUMNS, _records(export, span), format_)) as portions:
            async for portion in portions:
                yield portion
        return
    if format_ is FileFormat.CSV and not after:
        yield Portion(f"{','.join(EXPORT_COLUMNS)}\n".encode(), after, 0)
    async with aclosing(export(span, _form(format_, escape_formulas=escape_formulas), after)) as exported:
        async for one in exported:
            yield Portion(one.content.text.encode(), one.place, one.content.number)


async def as_portions(
    columns: Columns[T],
    batches: AsyncGenerator[Sequence[T], None],
    format_: FileFormat,
    *,
    escape_formulas: bool = False,
) -> AsyncGenerator[Portion, None]:
    """Write batches of things, from the beginning; errors as `batches` has.

    Raises:
        NoParquetError: Parquet cannot be written here.
    """
    async with aclosing(batches):
        if format_ is FileFormat.PARQUET:
            async for content, number in parquet_portions(columns, batches):
                yield Portion(content, "", number)
            return
        if format_ is FileFormat.CSV:
            yield Portion(csv_header(columns), "", 0)
        async for batch in batches:
            lines = (
                csv_lines(columns, batch, escape_formulas=escape_formulas)
                if format_ is FileFormat.CSV
                else json_lines(columns, batch)
            )
            yield Portion(lines, "", len(batch))


async def _records(export: ExportActivities, span: ActivitySpan) -> AsyncGenerator[Sequence[Activity], None]:
    async with aclosing(export.records(span)) as exported:
        async for one in exported:
            yield one.content


def _form(format_: FileFormat, *, escape_formulas: bool) -> LineForm:
    if format_ is FileFormat.NDJSON:
        return LineForm.NDJSON
    return LineForm.CSV_FOR_SPREADSHEETS if escape_formulas else LineForm.CSV
