"""A base that is remembered, read after all: by whoever finds that the catalog says something else of it."""

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from app.adapters.outbound.providers.plan_list.bases import BaseEnded, BaseReader
from app.adapters.outbound.providers.plan_list.dialects import Dialect
from app.adapters.outbound.providers.plan_list.records import RecordReader
from app.adapters.outbound.providers.plan_list.usual_spelling import UsualSpelling
from app.adapters.outbound.providers.reading.ignored import IgnoredNames
from app.adapters.outbound.providers.reading.taken_keys import Standing
from app.domain.feeds import PlanRecord


@dataclass(frozen=True)
class HowToRead:
    """Whose documents they are, and how their records are read."""

    dialect: Dialect
    provider: str
    timezone: str

    def reader(self, ignored: IgnoredNames) -> RecordReader:
        """Make a reader for one thread."""
        return RecordReader(self.dialect, provider=self.provider, timezone=self.timezone, ignored=ignored)

    @cached_property
    def again(self) -> UsualSpelling:
        """The reader of those who read again, in a thread of their own."""
        return UsualSpelling(self.reader(IgnoredNames()))


class Reread:
    """Reads a base once more, all of it when somebody asks for the first of its records."""

    def __init__(self, how: HowToRead, markup: bytes, surroundings: bytes) -> None:
        self._how = how
        self._markup = markup
        self._surroundings = surroundings

    def record(self, number: int) -> PlanRecord:
        """Give one of its records, from 0."""
        return self._records[number]

    @cached_property
    def _records(self) -> list[PlanRecord]:
        return self._how.again.read(self._markup) or self._parsed()

    def _parsed(self) -> list[PlanRecord]:
        reader = BaseReader(self._how.reader(IgnoredNames()), lambda _: Standing.NEW, surroundings=self._surroundings)
        with suppress(BaseEnded):
            reader.feed(self._markup)
        return [record for record in reader.taken() if isinstance(record, PlanRecord)]
