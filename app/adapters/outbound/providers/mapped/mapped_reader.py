"""Documents -> records by a mapping, in batches; memory does not grow with a document."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from app.adapters.outbound.providers.fetching.fetched_feed import FetchedFeed
from app.adapters.outbound.providers.mapped.after_all import AfterAll
from app.adapters.outbound.providers.mapped.calendar_records import CalendarRecords
from app.adapters.outbound.providers.mapped.compile_mapping import compile_mapping
from app.adapters.outbound.providers.mapped.daily_fetch import content_of
from app.adapters.outbound.providers.mapped.field_reading import plain
from app.adapters.outbound.providers.mapped.formats import records_of
from app.adapters.outbound.providers.mapped.kept_document import KeptDocument
from app.adapters.outbound.providers.mapped.mapping import Field, Source
from app.adapters.outbound.providers.mapped.paths import Record, Records
from app.adapters.outbound.providers.mapped.plan_mapper import PlanMapper
from app.adapters.outbound.providers.reading.ignored import IgnoredNames
from app.adapters.outbound.providers.reading.reading_memory import Reading, ReadingMemory
from app.adapters.outbound.providers.reading.taken_keys import Standing, TakenKeys
from app.adapters.outbound.providers.reading.values import UnusableError
from app.application.ports.providers import FeedBrokenError, FeedError
from app.domain.feeds import FeedRecord, PlanRecord, Rejection, RejectionReason, RememberedRecord

BATCH_RECORDS = 250
BATCH_ZONES = 8_000
_BATCH_BYTES = 8 * 1024 * 1024
"""Of records that are remembered: they keep them."""
_BATCH_STEPS = 5_000
"""Records that are looked at for one batch, even if all of them are passed over."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some records of a document."""

    records: Sequence[FeedRecord]
    ended: bool
    """Whether the document has come to its end with them."""


class MappedReader:
    """Reads the documents of one fetch, one after the other.

    It blocks, and belongs into a thread of its own, where it compiles its mapping: what lxml compiles must not wander.
    """

    def __init__(  # noqa: PLR0913 - what a reader is made of
        self,
        options: Mapping[str, object],
        *,
        provider: str,
        timezone: str,
        now: datetime,
        kept: KeptDocument | None = None,
        memory: ReadingMemory | None = None,
    ) -> None:
        """Take what a mapping is compiled of.

        `kept` takes documents that say more on another day, `memory` what single records were read as.
        """
        self._mapping = compile_mapping(options)
        self._timezone = timezone
        self._now = now
        self._kept = kept
        self._mapper = PlanMapper(self._mapping, provider=provider, timezone=timezone)
        self._after_all = AfterAll(options, provider=provider, timezone=timezone)
        self._taken = TakenKeys()
        remembers = memory is not None and not self._mapping.incremental and not self._mapper.looks_around
        self._memory = memory if remembers else None
        if memory and not remembers:
            memory.close()
        self._feed: FetchedFeed | None = None
        self._records: Records | None = None
        self._steps: Iterator[list[FeedRecord]] = iter(())
        self._failure: FeedError | None = None
        self._unknown = 0
        self._held = 0
        """Bytes that the last records keep, so that they can be read after all."""
        self.seen = 0
        """Records of the document that is read now, usable or not."""
        self.ignored = IgnoredNames()
        self.told_from: datetime | None = None
        """Before which instant (aware, UTC) absence means nothing, once all is read; None when it means something."""
        self.says_more_later = False
        """Whether the document says more on another day, once all of it is read."""

    @property
    def passed_over(self) -> int:
        """How many records the mapping has asked not to read."""
        return self._mapper.passed_over

    @property
    def unknown(self) -> int:
        """How many things stood in the place of records, and were none."""
        return self._unknown + (self._records.unknown if self._records else 0)

    def begin(self, feed: FetchedFeed) -> None:
        """Begin a document; it is closed with the next one, or by `close`."""
        self._end()
        self._feed = feed
        self.seen = 0
        self._records = records_of(self._mapping, feed, timezone=self._timezone, now=self._now, memory=self._memory)
        self._steps = self._read(self._records)

    def next_batch(self) -> Batch:
        """Read the next records of the document.

        Raises:
            FeedError: it cannot be read further; the records before have been handed out.
        """
        if self._failure:
            raise self._failure
        batch: list[FeedRecord] = []
        room = 1.0
        try:
            for records in self._steps:
                room -= 1 / _BATCH_STEPS + sum(map(_share_of_a_batch, records)) + self._held / _BATCH_BYTES
                self._held = 0
                batch.extend(records)
                if room <= 0:
                    return Batch(batch, ended=False)
        except FeedError as error:
            if not batch:
                raise
            self._failure = error
            return Batch(batch, ended=False)
        return Batch(batch, ended=True)

    def next_page(self) -> str | None:
        """Give where a document that has ended says that the next one is; None when it says nothing.

        Raises:
            FeedBrokenError: it says something else.
        """
        pages = self._mapping.pages
        if pages is None or pages.next is None or self._records is None or self._records.end is None:
            return None
        try:
            found = plain(pages.next.first(self._records.end), Field("pages.next", (Source(shown=pages.next.text),)))
        except UnusableError as error:
            raise FeedBrokenError(f"{self._feed.source if self._feed else ''}: {error}", line=0) from None
        return found.strip() or None if isinstance(found, str) else None

    def finish(self) -> None:
        """Count what no record had, once all documents are read."""
        for name in self._mapper.never_found():
            self.ignored.note(name)
        if isinstance(self._records, CalendarRecords):
            self.ignored.add(self._records.ignored, 0)
            self.told_from, self.says_more_later = self._records.told_from, self._records.recurs
            self._keep(self._records)
        if self._memory:
            self._memory.keep()

    def _keep(self, records: CalendarRecords) -> None:
        if self._kept and self._feed and records.recurs:
            self._kept.keep(self._feed.file, content_of(self._feed.mark))
        elif self._kept:
            self._kept.forget()

    def close(self) -> None:
        """Give back what it holds."""
        self._end()
        if self._memory:
            self._memory.close()

    def _end(self) -> None:
        self._unknown = self.unknown
        self._steps, self._records = iter(()), None
        if self._feed:
            self._feed.file.close()
            self._feed = None

    def _read(self, records: Records) -> Iterator[list[FeedRecord]]:
        for record in records:
            self.seen += 1
            told: Iterable[FeedRecord]
            if self._memory and isinstance(record, Record) and record.raw is not None:
                told = self._by_memory(self._memory, record, record.raw)
            else:
                told = self._mapper.records(record)
            yield [one for one in map(self._once, told) if one]

    def _by_memory(self, memory: ReadingMemory, record: Record, raw: bytes) -> Sequence[FeedRecord]:
        """Give what the same bytes were read as before; else read them, and remember a plan that was read well."""
        key = record.key or memory.key(raw)
        known = record.reading if record.key else memory.recall(key)
        if known:
            self._mapper.found_again(known.ignored)
            self._held += len(raw)
            [(plan_id, digest)] = known.records
            return [RememberedRecord(plan_id, digest, partial(self._after_all.read, record))]
        told, missing = self._mapper.read_well(record)
        if len(told) == 1 and isinstance(told[0], PlanRecord):
            memory.note(key, Reading([(told[0].plan_id, told[0].digest)], dict.fromkeys(missing, 1)))
        return told

    def _once(self, record: FeedRecord) -> FeedRecord | None:
        """Let the first record of a plan pass, of an incremental feed every one; what is repeated is passed over."""
        if not isinstance(record, PlanRecord | RememberedRecord) or self._mapping.incremental:
            return record
        standing = self._taken.take(record.plan_id, record.digest)
        if standing is Standing.NEW:
            return record
        if standing is Standing.SAME:
            return None
        return _duplicate(record.read() if isinstance(record, RememberedRecord) else record)


def _duplicate(record: PlanRecord) -> Rejection:
    key = record.plan.key
    return Rejection(
        reason=RejectionReason.DUPLICATE,
        message=f"item {key.item_id} of base {key.base_id} stood in this feed before, with other content",
        line=0,
        source=record.plan.title,
        key=key,
    )


def _share_of_a_batch(record: Any) -> float:
    zones = len(record.plan.zones) if isinstance(record, PlanRecord) else 0
    return 1 / BATCH_RECORDS + zones / BATCH_ZONES
