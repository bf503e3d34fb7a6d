"""Exports as rows of columns, and how their lines are written."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Generic, TypeVar

import msgspec

from app.application.export_stats import DayFigure
from app.application.ports.catalog import CatalogPlan
from app.domain.activities import Activity

T = TypeVar("T")
Value = str | int | bool | float | Decimal | date | datetime | None


class Kind(Enum):
    """What a column holds."""

    TEXT = "text"
    NUMBER = "number"
    """Whole."""
    DEGREES = "degrees"
    EXACT = "exact"
    """A decimal with all its digits; in Parquet a text, for no type there has room for all."""
    TRUTH = "truth"
    DATE = "date"
    INSTANT = "instant"
    """Aware."""


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """One column, and how its value is found in a thing."""

    name: str
    kind: Kind
    value: Callable[[T], Value]


Columns = Sequence[Column[T]]
_encoder = msgspec.json.Encoder(decimal_format="number")


def json_lines(columns: Columns[T], things: Sequence[T]) -> bytes:
    """Write one JSON object a line, without the fields that are absent."""
    return b"".join(_encoder.encode(_present(columns, thing)) + b"\n" for thing in things)


def csv_header(columns: Columns[T]) -> bytes:
    """Write the names."""
    return (",".join(column.name for column in columns) + "\n").encode()


def csv_lines(columns: Columns[T], things: Sequence[T], *, escape_formulas: bool) -> bytes:
    """Write RFC 4180; an absent value is an empty cell. Text of a formula gets an apostrophe; numbers stay numbers."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    for thing in things:
        writer.writerow([_cell(column.value(thing), escape_formulas=escape_formulas) for column in columns])
    return written.getvalue().encode()


def _present(columns: Columns[T], thing: T) -> dict[str, Value]:
    values = {column.name: column.value(thing) for column in columns}
    return {name: value for name, value in values.items() if value is not None}


def _cell(value: Value, *, escape_formulas: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if escape_formulas and value[:1] in tuple("=+-@\t\r") else value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _detail(name: str) -> Callable[[CatalogPlan], Any]:
    return lambda found: getattr(found.plan.details, name, None)


def _place(name: str) -> Callable[[CatalogPlan], Any]:
    return lambda found: getattr(getattr(found.plan.details, "place", None), name, None)


PLAN_COLUMNS: Columns[CatalogPlan] = (
    Column("id", Kind.TEXT, lambda found: str(found.plan.plan_id)),
    Column("provider", Kind.TEXT, lambda found: found.plan.key.provider),
    Column("base_id", Kind.TEXT, lambda found: found.plan.key.base_id),
    Column("item_id", Kind.TEXT, lambda found: found.plan.key.item_id),
    Column("title", Kind.TEXT, lambda found: found.plan.title),
    Column("status", Kind.TEXT, lambda found: found.plan.status.value),
    Column("sell_mode", Kind.TEXT, lambda found: found.plan.sell_mode.value),
    Column("timezone", Kind.TEXT, lambda found: str(found.plan.timezone)),
    Column("starts_at", Kind.INSTANT, lambda found: found.instants[0]),
    Column("ends_at", Kind.INSTANT, lambda found: found.instants[1]),
    Column("sold_out", Kind.TRUTH, lambda found: found.plan.sold_out),
    Column("min_price", Kind.EXACT, lambda found: found.plan.prices and found.plan.prices.lowest),
    Column("max_price", Kind.EXACT, lambda found: found.plan.prices and found.plan.prices.highest),
    Column("currency", Kind.TEXT, _detail("currency")),
    Column("place", Kind.TEXT, _place("name")),
    Column("city", Kind.TEXT, _place("city")),
    Column("country", Kind.TEXT, _place("country")),
    Column("latitude", Kind.DEGREES, _place("latitude")),
    Column("longitude", Kind.DEGREES, _place("longitude")),
    Column("category", Kind.TEXT, _detail("category")),
    Column("url", Kind.TEXT, _detail("url")),
    Column("image", Kind.TEXT, _detail("image")),
    Column("in_feed", Kind.TRUTH, lambda found: found.known.in_feed),
    Column("searchable", Kind.TRUTH, lambda found: found.known.seen_online),
    Column("first_seen_at", Kind.INSTANT, lambda found: found.known.first_seen_at),
    Column("withdrawn_at", Kind.INSTANT, lambda found: found.known.withdrawn_at),
)

STATS_COLUMNS: Columns[DayFigure] = (
    Column("date", Kind.DATE, lambda one: one.date),
    Column("type", Kind.TEXT, lambda one: one.type),
    Column("count", Kind.NUMBER, lambda one: one.count),
    Column("sum", Kind.EXACT, lambda one: one.sum),
    Column("users", Kind.NUMBER, lambda one: one.users),
)

ACTIVITY_COLUMNS: Columns[Activity] = (
    Column("id", Kind.TEXT, lambda one: str(one.activity_id)),
    Column("type", Kind.TEXT, lambda one: one.type),
    Column("occurred_at", Kind.INSTANT, lambda one: one.occurred_at),
    Column("source", Kind.TEXT, lambda one: one.source),
    Column("user_id", Kind.TEXT, lambda one: one.user_id),
    Column("anonymous_id", Kind.TEXT, lambda one: one.anonymous_id),
    Column("value", Kind.EXACT, lambda one: one.value),
    Column("properties", Kind.TEXT, lambda one: one.properties),
    Column("origin", Kind.TEXT, lambda one: one.origin),
)
