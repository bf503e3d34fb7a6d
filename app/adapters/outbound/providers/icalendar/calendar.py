"""An iCalendar file (RFC 5545) -> occurrences, streaming.

The file is read twice. The first pass notes on disk which events and overrides count, where they stand, and the time
zones; the second one tells event by event. Memory follows neither the size of the file nor the number of overrides.

What is told: every event that does not recur, whenever it is; of a recurrence the occurrences from a day before now
until `horizon` (and what is going on then); overrides that moved into that window or out of it; overrides without their
series. What a series says of the time before the window is over and not told again: whoever keeps occurrences asks
`told_from`, and takes none that ended before it for withdrawn.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

from app.adapters.outbound.providers.icalendar.components import EVENT, Components
from app.adapters.outbound.providers.icalendar.faults import CutCalendarError
from app.adapters.outbound.providers.icalendar.identities import identity_of, recurs
from app.adapters.outbound.providers.icalendar.index import CalendarIndex
from app.adapters.outbound.providers.icalendar.keys import key_of_override
from app.adapters.outbound.providers.icalendar.occurrences import OccurrenceReader, Told
from app.adapters.outbound.providers.icalendar.window import BEHIND, Window
from app.adapters.outbound.providers.icalendar.work import CalendarWork, Work
from app.adapters.outbound.providers.icalendar.zone_directory import ZoneDirectory


class Calendar:
    """A file after its first pass. Whoever opened it closes it; the file itself stays open."""

    def __init__(self, file: IO[bytes], index: CalendarIndex, timezone: str, window: Window) -> None:
        self._file = file
        self._index = index
        self._work = CalendarWork()
        self._zones = ZoneDirectory(index, timezone, self._work)
        self._window = window
        self._ignored: Counter[str] = Counter()
        self._recurring = 0

    @property
    def told_from(self) -> datetime:
        """The instant (aware, UTC) before which absence means nothing: what ended before it is over."""
        return self._window.begins_at

    @property
    def expands(self) -> bool:
        """Whether the file holds recurrences, so that it says more when it is read again on another day."""
        return self._recurring > 0

    @property
    def ignored(self) -> Mapping[str, int]:
        """Components that are neither events nor time zones (VTODO, VJOURNAL), and how often each was seen."""
        return self._ignored

    def records(self) -> Iterator[Told]:
        """Tell the file's occurrences and broken events, in the file's order; once.

        Raises:
            CutCalendarError: at the end, when an END:VCALENDAR is missing: absence of an event proves nothing then.
        """
        reader = OccurrenceReader(self._file, self._index, self._zones, self._window, Work(self._work))
        for block in Components(self._file).blocks():
            if block.kind == EVENT:
                yield from reader.tell(block)

    def close(self) -> None:
        """Give back what the first pass noted. Safe to call twice."""
        self._index.close()

    def note(self) -> None:
        """Pass over the file for the first time.

        Raises:
            NoCalendarError: it is no iCalendar file.
        """
        self._file.seek(0)
        try:
            for block in Components(self._file, self._ignored).blocks():
                if block.kind != EVENT:
                    self._zones.keep(block)
                    continue
                self._recurring += recurs(block)
                if identity := identity_of(block):
                    self._index.keep(identity, block)
        except CutCalendarError:
            pass  # told behind the last record
        for row, calendar, identity in self._index.pending():
            self._index.resolve(row, key_of_override(identity, calendar, self._zones))


def read_calendar(
    file: IO[bytes], *, timezone: str, horizon: timedelta, now: datetime, scratch: Path | None = None
) -> Calendar:
    """Pass over a file for the first time.

    Args:
        file: can be sought in; UTF-8, as RFC 5545 wants it. It is read again while records are told.
        timezone: an IANA name: where times without a zone, times in UTC and times in unknown zones are told.
        horizon: how far behind `now` recurrences are told.
        now: aware.
        scratch: a folder for a temporary file; the machine's own for such when None.

    Raises:
        NoCalendarError: it is no iCalendar file; the message says what was found.
    """
    with ExitStack() as opened:
        index = CalendarIndex(scratch)
        opened.callback(index.close)
        calendar = Calendar(file, index, timezone, Window(now - BEHIND, now + horizon))
        calendar.note()
        opened.pop_all()
        return calendar
