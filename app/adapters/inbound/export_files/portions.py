"""An export as bytes, portion by portion, for whoever writes or sends them."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from enum import StrEnum
from typing import NamedTuple

from app.application.export_activities import ExportActivities
from app.application.ports.activity_archive import EXPORT_COLUMNS, LineForm
from app.domain.activity_spans import ActivitySpan


class LinesFormat(StrEnum):
    """The formats of lines."""

    NDJSON = "ndjson"
    CSV = "csv"


class Portion(NamedTuple):
    """Some of an export."""

    content: bytes
    place: str
    """Where it goes on behind this."""
    number: int
    """Of things in it."""


async def activities_as_lines(
    export: ExportActivities, span: ActivitySpan, format_: LinesFormat, after: str = "", *, escape_formulas: bool
) -> AsyncGenerator[Portion, None]:
    """Write the activities of a span, from behind a place on; errors as in ExportActivities."""
    if format_ is LinesFormat.CSV and not after:
        yield Portion(f"{','.join(EXPORT_COLUMNS)}\n".encode(), after, 0)
    async with aclosing(export(span, _form(format_, escape_formulas=escape_formulas), after)) as exported:
        async for one in exported:
            yield Portion(one.content.text.encode(), one.place, one.content.number)


def _form(format_: LinesFormat, *, escape_formulas: bool) -> LineForm:
    if format_ is LinesFormat.NDJSON:
        return LineForm.NDJSON
    return LineForm.CSV_FOR_SPREADSHEETS if escape_formulas else LineForm.CSV
