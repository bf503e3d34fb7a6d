"""A document -> records, in batches; memory does not grow with the document."""

from collections.abc import Generator, Sequence
from typing import IO

from app.adapters.outbound.providers.document import Document
from app.adapters.outbound.providers.identification import identify
from app.adapters.outbound.providers.ignored import IgnoredNames
from app.adapters.outbound.providers.records import RecordReader
from app.adapters.outbound.providers.structure import Structure
from app.application.ports.providers import FeedError, FeedRefusedError
from app.domain.feeds import FeedRecord, PlanRecord

BATCH_RECORDS = 250
BATCH_ZONES = 8_000
MAX_RECORD_BYTES = 8 * 1024 * 1024

_PIECE = 64 * 1024


class FeedReader:
    """Reads one feed, once. It blocks, and belongs into a thread of its own (see `Document`)."""

    def __init__(self, file: IO[bytes], source: str, *, provider: str, timezone: str) -> None:
        self._file = file
        self._source = source
        self._provider = provider
        self._timezone = timezone
        self._records = self._read()
        self._failure: FeedError | None = None
        self.ignored = IgnoredNames()

    def next_batch(self) -> Sequence[FeedRecord]:
        """Read the next records; none at the end of the feed.

        Raises:
            FeedError: the feed cannot be read further; the records before have been handed out.
        """
        if self._failure:
            raise self._failure
        batch: list[FeedRecord] = []
        room = 1.0
        try:
            while room > 0 and (record := next(self._records, None)):
                batch.append(record)
                room -= _share_of_a_batch(record)
        except FeedError as error:
            if not batch:
                raise
            self._failure = error
        return batch

    def close(self) -> None:
        """Give back the parser and the file, in the same thread."""
        self._records.close()
        self._file.close()

    def _read(self) -> Generator[FeedRecord]:
        dialect = identify(self._file, self._source)
        records = RecordReader(dialect, provider=self._provider, timezone=self._timezone, ignored=self.ignored)
        structure = Structure(self._source, dialect, records, self.ignored)
        document = Document(self._source, dialect.base, dialect.item)
        unclaimed = 0
        while piece := self._file.read(_PIECE):
            unclaimed += len(piece)
            for event in document.feed(piece):
                ours, record = structure.take(event)
                unclaimed = 0 if ours else unclaimed
                if record:
                    yield record
            if unclaimed > MAX_RECORD_BYTES:
                raise self._too_long()
        structure.finish(document.close())

    def _too_long(self) -> FeedRefusedError:
        mib = MAX_RECORD_BYTES // 1024 // 1024
        return FeedRefusedError(f"{self._source}: expected an item at least every {mib} MiB, found none for longer")


def _share_of_a_batch(record: FeedRecord) -> float:
    zones = len(record.plan.zones) if isinstance(record, PlanRecord) else 0
    return 1 / BATCH_RECORDS + zones / BATCH_ZONES
