"""Activities in memory, taken out in slices. What the lines of SQL are compared with."""

import csv
import io
import json
from collections.abc import Sequence

from app.application.ports.activity_archive import (
    EXPORT_COLUMNS,
    ActivityArchive,
    FoundActivities,
    LineForm,
    Lines,
    Slice,
    UnknownPlaceError,
    WantedActivities,
)
from app.application.ports.system import HistoryUnavailableError
from app.domain.activities import PLACEHOLDERS, RESERVED_TYPES, Activity
from app.domain.activity_spans import ActivitySpan


class MemoryActivityArchive(ActivityArchive):
    """Its places are numbers. `rows` are in a slice; it looks for the newest through `days` days that have some."""

    name = "memory"

    def __init__(self, activities: Sequence[Activity] = (), rows: int = 3, days: int = 100) -> None:
        self.stored = [*activities]
        self.unavailable: str | None = None
        """Set it to a reason, and every method raises HistoryUnavailableError with it."""
        self.asked: list[Slice] = []
        """The slices whose lines were asked for."""
        self._rows = rows
        self._days = days

    def _kept(self) -> list[Activity]:
        if self.unavailable is not None:
            raise HistoryUnavailableError(self.unavailable)
        return sorted(self.stored, key=lambda one: f"{one.occurred_at:%Y-%m}")

    def _within(self, span: ActivitySpan, wanted: Slice) -> list[Activity]:
        some = self._kept()[int(wanted.begin) : int(wanted.end)]
        return [activity for activity in some if span.holds(activity.occurred_at)]

    async def next_slice(self, span: ActivitySpan, after: str) -> Slice | None:  # noqa: ARG002 - it may have none of it
        """Count on."""
        if after and not after.isdecimal():
            raise UnknownPlaceError(after)
        begin, end = int(after or 0), len(self._kept())
        return Slice(str(begin), str(min(begin + self._rows, end))) if begin < end else None

    async def lines(self, span: ActivitySpan, wanted: Slice, form: LineForm) -> Lines:
        """Write them one by one."""
        self.asked.append(wanted)
        found = self._within(span, wanted)
        write = _json_line if form is LineForm.NDJSON else _csv_line
        return Lines("".join(write(one, escapes=form is LineForm.CSV_FOR_SPREADSHEETS) for one in found), len(found))

    async def activities(self, span: ActivitySpan, wanted: Slice) -> Sequence[Activity]:
        """Give them."""
        return self._within(span, wanted)

    async def newest(self, wanted: WantedActivities, limit: int) -> FoundActivities:
        """Sort them; look through so many days."""
        in_time = [one for one in self._kept() if wanted.span.holds(one.occurred_at) and _is_before(one, wanted)]
        days = sorted({one.occurred_at.date() for one in in_time}, reverse=True)
        looked, found = set(days[: self._days]), list[Activity]()
        for one in sorted(in_time, key=lambda one: (one.occurred_at, one.activity_id), reverse=True):
            if one.occurred_at.date() in looked and _is_wanted(one, wanted):
                found.append(one)
        if len(found) >= limit or len(days) <= self._days:
            return FoundActivities(found[:limit], None)
        midnight = in_time[0].occurred_at.replace(hour=0, minute=0, second=0, microsecond=0)
        first = min(looked)
        return FoundActivities(found, midnight.replace(year=first.year, month=first.month, day=first.day))


def _is_before(one: Activity, wanted: WantedActivities) -> bool:
    return wanted.before is None or (one.occurred_at, one.activity_id) < wanted.before


def _is_wanted(one: Activity, wanted: WantedActivities) -> bool:
    return wanted.user_id in (None, one.user_id) and wanted.type in (None, one.type)


def _texts(one: Activity) -> dict[str, str | None]:
    """Write each field as it stands in a cell."""
    unusual = one.type in RESERVED_TYPES or one.user_id in PLACEHOLDERS or one.anonymous_id in PLACEHOLDERS
    origin = "{}" if one.origin is None and unusual else one.origin
    at = one.occurred_at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    value = None if one.value is None else f"{one.value:f}"
    ids = (str(one.activity_id), one.type, at, one.source, one.user_id, one.anonymous_id)
    return dict(zip(EXPORT_COLUMNS, (*ids, value, one.properties, origin), strict=True))


def _json_line(one: Activity, *, escapes: bool) -> str:  # noqa: ARG001 - JSON has no formulas
    raw = {"value", "properties", "origin"}
    members = (
        f'"{name}":{text if name in raw else json.dumps(text, ensure_ascii=False)}'
        for name, text in _texts(one).items()
        if text is not None
    )
    return f"{{{','.join(members)}}}\n"


def _csv_line(one: Activity, *, escapes: bool) -> str:
    written = io.StringIO()
    plain = {"id", "type", "occurred_at", "value"}
    for name, text in _texts(one).items():
        if text is not None and name in plain:
            written.write(text)
        elif text is not None:
            formula = escapes and name not in {"properties", "origin"} and text.startswith(("=", "+", "-", "@"))
            csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="").writerow([f"'{text}" if formula else text])
        written.write("\n" if name == EXPORT_COLUMNS[-1] else ",")
    return written.getvalue()
