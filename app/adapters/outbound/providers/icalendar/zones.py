"""Where a wall clock of a calendar stands: in UTC, in a zone of the IANA, or in one that the file describes itself."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.adapters.outbound.providers.icalendar.zone_rules import FileRules
from app.domain.plans import instant

_LONGEST_NAME = 64


class Zone(Protocol):
    """Turns wall clocks (naive) into instants (aware, UTC) and back."""

    @abstractmethod
    def instant(self, clock: datetime) -> datetime:
        """Of two instants the first; a time that does not exist moves forward by the gap (RFC 5545, 3.3.5)."""

    @abstractmethod
    def clock(self, at: datetime) -> datetime:
        """Tell what the clock shows at an instant."""

    @abstractmethod
    def name_for(self, instants: tuple[datetime, ...]) -> str | None:
        """Find the IANA zone whose clock shows the same at these instants; None when there is none, or it is UTC."""


@dataclass(frozen=True, slots=True)
class NamedZone(Zone):
    """A zone of the IANA."""

    name: str

    def instant(self, clock: datetime) -> datetime:
        """As the protocol says."""
        return instant(clock, self.name)

    def clock(self, at: datetime) -> datetime:
        """As the protocol says."""
        return at.astimezone(ZoneInfo(self.name)).replace(tzinfo=None, fold=0)

    def name_for(self, instants: tuple[datetime, ...]) -> str | None:  # noqa: ARG002 - it is the same at all of them
        """As the protocol says."""
        return self.name


class UtcTimes(Zone):
    """Times that end in Z: instants, to be told in the zone of whoever tells them."""

    def instant(self, clock: datetime) -> datetime:
        """As the protocol says."""
        return clock.replace(tzinfo=UTC)

    def clock(self, at: datetime) -> datetime:
        """As the protocol says."""
        return at.replace(tzinfo=None)

    def name_for(self, instants: tuple[datetime, ...]) -> str | None:  # noqa: ARG002 - they are no zone
        """As the protocol says."""
        return None


@dataclass(frozen=True, slots=True)
class FileZone(Zone):
    """A VTIMEZONE: its own rules count, whatever its name."""

    rules: FileRules
    meant: str | None
    """The IANA zone that its name says, if any."""

    def instant(self, clock: datetime) -> datetime:
        """As the protocol says."""
        return (clock - self.rules.offset_of(clock)).replace(tzinfo=UTC)

    def clock(self, at: datetime) -> datetime:
        """As the protocol says."""
        naive = at.replace(tzinfo=None)
        return naive + self.rules.offset_at(naive)

    def name_for(self, instants: tuple[datetime, ...]) -> str | None:
        """As the protocol says."""
        if self.meant is None:
            return None
        meant = NamedZone(self.meant)
        return self.meant if all(meant.clock(at) == self.clock(at) for at in instants) else None


UTC_TIMES = UtcTimes()


def meant_by(tzid: str) -> str | None:
    """Find the IANA zone that a TZID is or ends in, as in `/mozilla.org/20050126_1/Europe/Madrid`."""
    return next((name for name in _endings(tzid) if _is_known(name)), None)


def _endings(tzid: str) -> Iterator[str]:
    parts = [part for part in tzid.strip().split("/") if part]
    for begin in range(len(parts)):
        name = "/".join(parts[begin:])
        if len(name) <= _LONGEST_NAME:
            yield name


@lru_cache(maxsize=1024)
def _is_known(name: str) -> bool:
    try:
        return ZoneInfo(name).utcoffset(datetime(2000, 1, 1)) is not None  # noqa: DTZ001 - any
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
