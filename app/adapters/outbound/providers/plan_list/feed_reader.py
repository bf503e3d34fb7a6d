"""A document -> records, in batches; memory does not grow with the document."""

from collections.abc import Generator, Sequence
from typing import IO

from app.adapters.outbound.providers.plan_list.document_reader import DocumentReader
from app.adapters.outbound.providers.plan_list.identification import identify
from app.adapters.outbound.providers.plan_list.rereading import HowToRead
from app.adapters.outbound.providers.reading.ignored import IgnoredNames
from app.adapters.outbound.providers.reading.reading_memory import ReadingMemory
from app.adapters.outbound.providers.reading.utf_8 import Utf8Text
from app.adapters.outbound.providers.reading.window import Window
from app.application.ports.providers import FeedError
from app.domain.feeds import FeedRecord, PlanRecord

BATCH_RECORDS = 250
BATCH_ZONES = 8_000
BATCH_BYTES = 2 * 1024 * 1024
"""Of the document; remembered records keep theirs as long as they may be read."""


class FeedReader:
    """Reads one feed, once. It blocks, and belongs into a thread of its own."""

    def __init__(  # noqa: PLR0913 - what a reading is made of
        self,
        file: IO[bytes],
        source: str,
        *,
        provider: str,
        timezone: str,
        charset: str | None = None,
        memory: ReadingMemory | None = None,
    ) -> None:
        """Take a document, whose it is and what of it was read before."""
        self._file = file
        self._source = source
        self._provider = provider
        self._timezone = timezone
        self._charset = charset
        self._memory = memory or ReadingMemory(None, "")
        self._window: Window | None = None
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
        until = self._passed + BATCH_BYTES
        try:
            while room > 0 and self._passed < until and (record := next(self._records, None)):
                batch.append(record)
                room -= _share_of_a_batch(record)
        except FeedError as error:
            if not batch:
                raise
            self._failure = error
        return batch

    def close(self) -> None:
        """Give back the file."""
        self._records.close()
        self._memory.close()
        self._file.close()

    def _read(self) -> Generator[FeedRecord]:
        text = Utf8Text(self._file, self._source, self._charset)
        how = HowToRead(identify(text, self._source), self._provider, self._timezone)
        self._window = Window(text)
        yield from DocumentReader(self._window, self._source, how, self.ignored, self._memory).records()
        self._memory.keep()

    @property
    def _passed(self) -> int:
        return self._window.passed if self._window else 0


def _share_of_a_batch(record: FeedRecord) -> float:
    zones = len(record.plan.zones) if isinstance(record, PlanRecord) else 0
    return 1 / BATCH_RECORDS + zones / BATCH_ZONES
