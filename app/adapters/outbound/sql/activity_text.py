"""Activities as lines of text, made by the database itself: SQL that gives the line of a row.

So no row passes through Python, and while SQLite makes them the interpreter does other things (ADR 0099).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

from app.application.ports.activity_archive import LineForm
from app.domain.activities import PLACEHOLDERS, RESERVED_TYPES

_DAYS = 84_000
"""From 1970 to 2199: no activity is later, for none is much ahead of its own time."""
_RESERVED, _PLACEHOLDERS = (
    ", ".join(f"'{word}'" for word in words) for words in (sorted(RESERVED_TYPES), PLACEHOLDERS)
)
_UNUSUAL = f"(type IN ({_RESERVED}) OR user_id IN ({_PLACEHOLDERS}) OR anonymous_id IN ({_PLACEHOLDERS}))"
"""What was stored before such types and users were refused: no door takes it as it is any more. Its origin is at least
empty, and not absent, so that an import takes it as it was (`exported_records.py`)."""
_TEXTS = ("source", "user_id", "anonymous_id")
_FORMULA = "'=', '+', '-', '@'"


@dataclass(frozen=True, slots=True)
class _Words:
    """How one database writes what is no text yet."""

    id: str
    instant: str
    quoted: Callable[[str], str]
    """A text as JSON."""


_SQLITE = _Words(
    "substr(hex, 1, 8) || '-' || substr(hex, 9, 4) || '-' || substr(hex, 13, 4) || '-' || substr(hex, 17, 4)"
    " || '-' || substr(hex, 21)",
    # Looked up in tables of text, given as blobs (of which it cuts a part without counting characters): strftime()
    # alone takes as long as half of all the rest.
    "substr(:days, occurred_at / 86400000000 * 11 + 1, 11)"
    " || substr(:seconds, occurred_at / 1000000 % 86400 * 9 + 1, 9)"
    " || substr(:thousands, occurred_at / 1000 % 1000 * 3 + 1, 3) || substr(:thousands, occurred_at % 1000 * 3 + 1, 3)"
    " || 'Z'",
    "json_quote({})".format,
)
_POSTGRES = _Words(
    "id",
    # to_json() writes a timestamp alike whatever the session's DateStyle, and faster than to_char().
    "substr(to_json(timestamp '1970-01-01' + occurred_at * interval '1 microsecond')::text, 2, 19)"
    " || '.' || lpad((occurred_at % 1000000)::text, 6, '0') || 'Z'",
    "to_json({})::text".format,
)


def sqlite_line(form: LineForm) -> str:
    """Write the line of a row of `activities` that has `hex`, its id in small hexadecimal digits, besides.

    Takes `sqlite_tables` as parameters.
    """
    return _line(form, _SQLITE)


def postgres_line(form: LineForm) -> str:
    """Write the line of a row of `activities`."""
    return _line(form, _POSTGRES)


@cache
def sqlite_tables() -> Mapping[str, bytes]:
    """Make what the lines of SQLite look instants up in."""
    epoch = date(1970, 1, 1).toordinal()
    days = "".join(f"{date.fromordinal(epoch + day)}T" for day in range(_DAYS))
    seconds = (divmod(second, 60) for second in range(86_400))
    clock = "".join(f"{minute // 60:02}:{minute % 60:02}:{second:02}." for minute, second in seconds)
    thousands = "".join(f"{number:03}" for number in range(1000))
    return {"days": days.encode(), "seconds": clock.encode(), "thousands": thousands.encode()}


def _line(form: LineForm, words: _Words) -> str:
    if form is LineForm.NDJSON:
        return _json_line(words)
    text = _harmless if form is LineForm.CSV_FOR_SPREADSHEETS else str
    texts = (_cell(text(name)) for name in _TEXTS)
    value = "coalesce(CAST(value AS TEXT), '')"
    origin = f"CASE WHEN origin IS NULL AND {_UNUSUAL} THEN '{{}}' ELSE origin END"
    return " || ',' || ".join([words.id, "type", words.instant, *texts, value, _cell("properties"), _cell(origin)])


def _json_line(words: _Words) -> str:
    """Leave absent fields out."""
    origin = "CASE WHEN origin IS NOT NULL THEN ',\"origin\":' || origin "
    origin += f"""WHEN {_UNUSUAL} THEN ',"origin":{{}}' ELSE '' END || '}}'"""
    return " || ".join(
        [
            f"""'{{"id":"' || {words.id} || '","type":"' || type || '","occurred_at":"' || {words.instant} || '"'""",
            *(_member(name, words.quoted(name)) for name in _TEXTS),
            _member("value", "value"),
            _member("properties", "properties"),
            origin,
        ]
    )


def _member(name: str, written: str) -> str:
    return f"""CASE WHEN {name} IS NULL THEN '' ELSE ',"{name}":' || {written} END"""


def _cell(text: str) -> str:
    return f"""coalesce('"' || replace({text}, '"', '""') || '"', '')"""


def _harmless(text: str) -> str:
    return f"CASE WHEN substr({text}, 1, 1) IN ({_FORMULA}) THEN '''' || {text} ELSE {text} END"
