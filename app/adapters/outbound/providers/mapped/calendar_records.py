"""Records of iCalendar: an occurrence each."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from tempfile import TemporaryFile
from typing import IO, Any, cast

from app.adapters.outbound.providers.icalendar.calendar import Calendar, read_calendar
from app.adapters.outbound.providers.icalendar.faults import CutCalendarError, NoCalendarError
from app.adapters.outbound.providers.icalendar.occurrence import BrokenEvent
from app.adapters.outbound.providers.mapped.paths import BrokenRecord, Record, Records
from app.adapters.outbound.providers.mapped.utf_8_file import utf_8_file
from app.application.ports.providers import FeedBrokenError, FeedRefusedError


@dataclass(slots=True)
class CalendarRecords(Records):
    """Reads one calendar, once."""

    file: IO[bytes]
    where: str
    charset: str | None
    timezone: str
    horizon: timedelta
    now: datetime
    told_from: datetime | None = None
    """Before which instant absence means nothing; known once the first record is asked for."""
    recurs: bool = False
    """Whether it will say more on another day; known then, too."""
    ignored: Mapping[str, int] = field(default_factory=dict)
    """What it holds beside events, and how often; known then, too."""

    @property
    def unknown(self) -> int:
        """As the Protocol says: tasks and notes are no events, and nobody expects them to be."""
        return 0

    @property
    def end(self) -> Any:
        """As the Protocol says: nothing stands around events."""
        return None

    def __iter__(self) -> Iterator[Record | BrokenRecord]:
        """As the Protocol says."""
        with ExitStack() as open_files:
            calendar = self._opened(open_files)
            self.recurs, self.ignored, self.told_from = calendar.expands, calendar.ignored, calendar.told_from
            try:
                for told in calendar.records():
                    if isinstance(told, BrokenEvent):
                        yield _broken(told)
                    else:
                        yield Record(told, told.line, lambda source=told.source: source)  # type: ignore[misc] # its own
            except CutCalendarError as error:
                raise FeedBrokenError(f"{self.where}: {error}, line {error.line}", line=error.line) from error

    def _opened(self, open_files: ExitStack) -> Calendar:
        file = self._in_utf_8(open_files)
        try:
            calendar = read_calendar(file, timezone=self.timezone, horizon=self.horizon, now=self.now)
        except NoCalendarError as error:
            raise FeedRefusedError(f"{self.where}: {error}") from error
        open_files.callback(calendar.close)
        return calendar

    def _in_utf_8(self, open_files: ExitStack) -> IO[bytes]:
        reader = utf_8_file(self.file, self.charset)
        if reader is self.file:
            return self.file
        file = open_files.enter_context(TemporaryFile())  # noqa: SIM115 - the stack closes it
        shutil.copyfileobj(cast("IO[bytes]", reader), file)
        return file


def _broken(told: BrokenEvent) -> BrokenRecord:
    return BrokenRecord(
        told.message,
        told.line,
        told.source,
        reason=told.reason,
        node=told,
        is_one_item=told.recurrence_id is not None,
    )
