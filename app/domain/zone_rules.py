"""The rules of one time zone, as one version of the time zone database has them. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from io import BytesIO
from zoneinfo import ZoneInfo

from app.domain.timeline import midnight


@dataclass(frozen=True, slots=True)
class ZoneRules:
    """Rules that can be kept, and be used by a process whose own database has others."""

    key: str
    """The zone's IANA name."""
    version: str
    """Of the database, as IANA names it (`2026f`); later ones sort behind."""
    compiled: bytes
    """The zone's file (TZif, RFC 9636)."""

    @property
    def zone(self) -> ZoneInfo:
        """The zone by these rules, whatever this process's own say."""
        return _zone(self.key, self.compiled)

    def is_newer_than(self, other: "ZoneRules") -> bool:
        """Tell which of two to go by."""
        return self.version > other.version


@lru_cache(maxsize=16)
def _zone(key: str, compiled: bytes) -> ZoneInfo:
    return ZoneInfo.from_file(BytesIO(compiled), key)


def first_day_that_differs(one: ZoneRules, other: ZoneRules, days: Iterable[date]) -> date | None:
    """Find the first of some days that does not begin and end at the same instants by both rules."""
    if one.compiled == other.compiled:
        return None

    @cache
    def differs(begin: int) -> bool:
        return _begins(begin, one.zone) != _begins(begin, other.zone)

    return next((day for day in days if differs(day.toordinal()) or differs(day.toordinal() + 1)), None)


def _begins(day: int, zone: ZoneInfo) -> datetime | None:
    """Tell when a day begins; None at the ends of the calendar, where no instant can be told."""
    try:
        return midnight(date.fromordinal(day), zone)
    except (OverflowError, ValueError):
        return None
