"""The formats: what their paths are, and what reads their records."""

from collections.abc import Mapping as Dictionary
from datetime import datetime, timedelta

from app.adapters.outbound.providers.fetching.fetched_feed import FetchedFeed
from app.adapters.outbound.providers.mapped.calendar_paths import CalendarPaths
from app.adapters.outbound.providers.mapped.calendar_records import CalendarRecords
from app.adapters.outbound.providers.mapped.column_paths import ColumnPaths, KeyPaths
from app.adapters.outbound.providers.mapped.csv_records import CsvRecords
from app.adapters.outbound.providers.mapped.json_paths import JsonPaths, steps
from app.adapters.outbound.providers.mapped.json_records import JsonRecords
from app.adapters.outbound.providers.mapped.line_records import LineRecords
from app.adapters.outbound.providers.mapped.mapping import Mapping
from app.adapters.outbound.providers.mapped.paths import PathError, Paths, Records
from app.adapters.outbound.providers.mapped.record_path import record_path
from app.adapters.outbound.providers.mapped.utf_8_file import utf_8_file
from app.adapters.outbound.providers.mapped.xml_paths import XmlPaths
from app.adapters.outbound.providers.mapped.xml_records import XmlRecords
from app.adapters.outbound.providers.reading.reading_memory import ReadingMemory

FORMATS = ("xml", "json", "ndjson", "csv", "icalendar")
DAILY = frozenset({"icalendar"})
"""Formats whose documents may say more on another day."""
ACCEPTED = {
    "xml": "application/xml, text/xml;q=0.9, */*;q=0.1",
    "json": "application/json, */*;q=0.1",
    "ndjson": "application/x-ndjson, application/json;q=0.5, */*;q=0.1",
    "csv": "text/csv, */*;q=0.1",
    "icalendar": "text/calendar, */*;q=0.1",
}
"""The Accept headers of formats."""


def paths_of(kind: str, namespaces: Dictionary[str, str]) -> Paths:
    """Give what compiles the paths of a format, one of FORMATS."""
    match kind:
        case "xml":
            return XmlPaths(namespaces)
        case "json":
            return JsonPaths()
        case "ndjson":
            return KeyPaths()
        case "icalendar":
            return CalendarPaths()
        case _:
            return ColumnPaths()


def records_mistake(kind: str, text: str, namespaces: Dictionary[str, str]) -> str | None:
    """Say what is wrong with `records`; None when it can be used."""
    try:
        if kind == "xml":
            record_path(text, namespaces)
        else:
            steps(text.strip())
    except PathError as error:
        return str(error)
    return None


def records_of(
    mapping: Mapping, feed: FetchedFeed, *, timezone: str, now: datetime, memory: ReadingMemory | None = None
) -> Records:
    """Give the records of a document. `timezone` and `now` (aware) are for formats that know what a time is.

    `memory` is for those that need not read what it knows.

    The mapping is one that this thread has compiled.
    """
    file, source, charset = feed.file, feed.source, mapping.encoding or feed.charset
    match mapping.paths:
        case XmlPaths() as paths:
            path = record_path(mapping.records or "", mapping.namespaces)
            return XmlRecords(file, source, path, paths, charset, memory=memory)
        case JsonPaths():
            return JsonRecords(utf_8_file(file, charset), source, (mapping.records or "").strip())
        case KeyPaths():
            return LineRecords(utf_8_file(file, charset), source)
        case CalendarPaths():
            return CalendarRecords(file, source, charset, timezone, timedelta(days=mapping.horizon), now)
        case _:
            return CsvRecords(utf_8_file(file, charset), source, mapping.columns, mapping.delimiter, mapping.quote)
