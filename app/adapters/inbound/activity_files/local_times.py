"""Times of a clock on a wall, as spreadsheets and databases write them: with the clock's zone they are instants."""

from collections.abc import Iterable
from datetime import UTC, tzinfo

from app.adapters.inbound.reading.instants import DATE_TIME, read_instant


class LocalTimes:
    """Gives times that have no offset that of `zone`; an ambiguous one is the first, one that is not moves forward."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone

    def told(self, texts: Iterable[str]) -> Iterable[str]:
        """Write texts with their offsets; what is no such time stays what it is."""
        return texts if self._zone is UTC else map(self.with_offset, texts)

    def with_offset(self, text: str) -> str:
        """Write one."""
        match = DATE_TIME.fullmatch(text.strip(" "))
        if self._zone is UTC or match is None or match[3]:
            return text
        return read_instant("", text.strip(" "), self._zone).isoformat()
