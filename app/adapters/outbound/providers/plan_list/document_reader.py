"""Cuts a document into its bases, has each of them read, and goes on behind one that is broken."""

import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from app.adapters.outbound.providers.plan_list.bases import BaseEnded, BaseReader
from app.adapters.outbound.providers.plan_list.broken_bases import Mending, base_id_in
from app.adapters.outbound.providers.plan_list.frame import Frame
from app.adapters.outbound.providers.plan_list.markup import MAX_DEPTH, BrokenMarkupError, TooDeepError, source_of
from app.adapters.outbound.providers.plan_list.rereading import HowToRead, Reread
from app.adapters.outbound.providers.plan_list.usual_spelling import UsualSpelling
from app.adapters.outbound.providers.reading.ignored import IgnoredNames
from app.adapters.outbound.providers.reading.reading_memory import Reading, ReadingMemory
from app.adapters.outbound.providers.reading.taken_keys import Standing, TakenKeys
from app.adapters.outbound.providers.reading.window import Window
from app.application.ports.providers import FeedBrokenError, FeedRefusedError
from app.domain.feeds import FeedRecord, PlanRecord, Rejection, RejectionReason, RememberedRecord
from app.domain.plans import PlanId

MAX_RECORD_BYTES = 8 * 1024 * 1024

_KEPT_OF_A_BASE = 4 * 1024 * 1024
_SHOWN_OF_A_BASE = 64 * 1024
_CLOSINGS = {b"<!--": b"-->", b"<![CDATA[": b"]]>", b"<?": b"?>"}
_LONGEST_OPENING = 16
_DOCTYPE = b"<!DOCTYPE"


class DocumentReader:
    """Reads one document out of a window.

    In a well-formed document `<` stands in no attribute: a base begins at its tag wherever the frame expects one, and
    ends where its parser says so.
    """

    def __init__(
        self, window: Window, source: str, how: HowToRead, ignored: IgnoredNames, memory: ReadingMemory
    ) -> None:
        """Take what to read; counts in `ignored` what it does not know.

        Where its bytes were read well before, or are spelled as usual, a base is not parsed: both ways say the same.
        """
        dialect = how.dialect
        self._window = window
        self._source = source
        self._dialect = dialect
        self._how = how
        self._memory = memory
        self._ignored = ignored
        self._of_base = IgnoredNames()
        self._records = how.reader(self._of_base)
        self._usual = UsualSpelling(self._records)
        self._taken = TakenKeys()
        self._frame = Frame(source, dialect, ignored, line=window.line)
        self._mending = Mending(dialect)
        self._unclaimed = 0
        base = dialect.base.encode()
        self._next_base = re.compile(rb"[ \t\r\n]*(?=<%b[ \t\r\n/>])" % base)
        self._opening = re.compile(rb"<!--|<!\[CDATA\[|<\?|<%b(?=[ \t\r\n/>])" % base)
        self._closing = b"</%b>" % base

    def records(self) -> Iterator[FeedRecord]:
        """Give the records in their order.

        Raises:
            FeedRefusedError: it goes beyond a limit, or a base stands where none may.
            FeedBrokenError: it ends too early, or breaks where no base can be found behind.
        """
        try:
            while (yield from self._to_next_base()):
                yield from self._base()
        except TooDeepError:
            found = f"a depth of more than {MAX_DEPTH} elements inside each other"
            raise FeedRefusedError(f"{self._source}: the document goes beyond what a feed may be: {found}") from None

    def _to_next_base(self) -> Generator[FeedRecord, None, bool]:
        """Go on through the frame to the next base's tag; tell whether there is one."""
        window = self._window
        passed = False
        while True:
            if self._frame.expects_bases and (found := self._next_base.match(window.data, window.at)):
                self._frame.skip(window.move(found.end()))
                return True
            to = self._end_of_frame_piece(window.at + passed)
            piece = window.data[window.at : to]
            window.move(to)
            is_last = to == len(window.data) and not self._more()
            try:
                self._frame.feed(piece, last=is_last)
            except BrokenMarkupError as error:
                if is_last or self._frame.ended or _DOCTYPE in piece:
                    raise self._broken(error) from None
                yield from self._behind_broken_frame(error, piece)
                return True
            if is_last:
                return False
            passed = not self._frame.expects_bases

    def _end_of_frame_piece(self, begin: int) -> int:
        """Find where what stands around bases may be parsed to: a base's tag, or the end of what is in the window."""
        window = self._window
        while True:
            found = self._opening.search(window.data, begin)
            if found and (found[0] not in _CLOSINGS or found.start() > window.at):
                return found.start()
            if found:  # it stands on a comment or the like, in which nothing counts
                end = window.data.find(_CLOSINGS[found[0]], found.end())
                if end >= 0:
                    return end + len(_CLOSINGS[found[0]])
            else:
                cut = window.data.rfind(b"<", max(begin, len(window.data) - _LONGEST_OPENING))
                if cut != window.at:
                    return len(window.data) if cut < 0 else cut
            begin -= window.at
            if not self._more():
                return len(window.data)

    def _base(self) -> Iterator[FeedRecord]:
        window = self._window
        markup = self._to_first_end()
        known = _Base(markup, self._frame.surroundings)
        records = self._without_parser(known) if markup else None
        if records is None:
            yield from self._parsed(known)
        else:
            self._frame.skip(window.move(window.at + len(markup)))
            yield from records
        self._unclaimed = 0

    def _to_first_end(self) -> bytes:
        """Give a base up to its first end tag; nothing of one that is too long to be kept, or without an end."""
        window = self._window
        looked = 0
        while True:
            end = window.data.find(self._closing, window.at + looked)
            if end >= 0:
                return window.data[window.at : end + len(self._closing)]
            size = len(window.data) - window.at
            if size > _KEPT_OF_A_BASE or not self._more():
                return b""
            looked = max(0, size - len(self._closing))

    def _without_parser(self, base: "_Base") -> Sequence[FeedRecord] | None:
        """Give the records of a base that was read before or is spelled as usual; None when it must be parsed."""
        base.key = self._memory.key(base.markup, base.surroundings)
        reading = self._memory.recall(base.key)
        if reading is not None:
            base.is_noted = True
            fresh = self._fresh(reading.records, self._remembered(reading, base))
            if fresh is not None:
                self._ignored.add(reading.ignored, reading.unknown_records)
            return fresh
        plans = self._usual.read(base.markup)
        if plans is None:
            return None
        base.is_noted = True
        names = [(record.plan_id, record.digest) for record in plans]
        self._memory.note(base.key, Reading(names))
        return self._fresh(names, plans)

    def _remembered(self, reading: Reading, base: "_Base") -> Sequence[FeedRecord]:
        again = Reread(self._how, base.markup, base.surroundings)
        return [
            RememberedRecord(plan_id, digest, partial(again.record, number))
            for number, (plan_id, digest) in enumerate(reading.records)
        ]

    def _fresh(
        self, names: Sequence[tuple[PlanId, bytes]], records: Sequence[FeedRecord]
    ) -> Sequence[FeedRecord] | None:
        """Leave out what stood in the feed before; None when something else did, which is for a parser to tell."""
        if len(names) > 1:
            standings = [self._taken.standing(*name) for name in names]
            if Standing.OTHER in standings or len({plan_id for plan_id, _ in names}) < len(names):
                return None
        standings = [self._taken.take(*name) for name in names]
        if Standing.OTHER in standings:
            return None
        if Standing.SAME in standings:
            return [record for record, standing in zip(records, standings, strict=True) if standing is Standing.NEW]
        return records

    def _parsed(self, base: "_Base") -> Iterator[FeedRecord]:
        window = self._window
        line, begin = window.line, window.passed
        shown = window.data[window.at : window.at + _SHOWN_OF_A_BASE]
        reader = BaseReader(self._records, self._standing, line=line, surroundings=base.surroundings)
        try:
            yield from self._read(reader)
        except BrokenMarkupError as error:
            yield from reader.taken()
            self._mend(error, ends=True)
            base_id = reader.base.base_id if reader.base else base_id_in(shown, self._dialect)
            yield _broken_record(error, line, shown, base_id)
        else:
            if reader.is_faultless and not base.is_noted and window.passed - begin == len(base.markup):
                ignored = self._of_base
                self._memory.note(base.key, Reading(reader.read, dict(ignored.counts), ignored.unknown_records))
        finally:
            self._of_base.move_to(self._ignored)

    def _read(self, reader: BaseReader) -> Iterator[FeedRecord]:
        """Give a base to its reader, one end tag after the other: the first mostly is the base's own."""
        window = self._window
        given = gone = 0
        while True:
            end = window.data.find(self._closing, window.at + given)
            to = len(window.data) if end < 0 else end + len(self._closing)
            try:
                reader.feed(window.data[window.at + given : to])
            except BaseEnded as ended:
                self._leave_base(window.at + ended.at - gone)
                yield from reader.taken()
                return
            given = to - window.at
            if records := reader.taken():
                self._unclaimed = 0
                yield from records
            if given > _KEPT_OF_A_BASE:
                self._frame.skip(window.move(to))
                gone, given = gone + given, 0
            if end < 0 and not self._more():
                reader.finish()

    def _leave_base(self, at: int) -> None:
        window = self._window
        if window.data.startswith(self._closing[:-1], at):
            at = window.data.find(b">", at) + 1
        self._frame.skip(window.move(at))

    def _standing(self, record: PlanRecord) -> Standing:
        return self._taken.take(record.plan_id, record.digest)

    def _behind_broken_frame(self, error: BrokenMarkupError, piece: bytes) -> Iterator[FeedRecord]:
        self._mend(error, ends=False)
        self._frame = self._frame.reopened(self._window.line)
        yield _broken_record(error, error.line, piece, None)

    def _mend(self, error: BrokenMarkupError, *, ends: bool) -> None:
        """Go on to the next base, or behind the end of this one."""
        window = self._window
        look_at = window.at + ends
        while True:
            found, look_at = self._mending.find(window, look_at, ends=ends)
            if found is not None:
                self._frame.skip(window.move(found))
                return
            look_at -= window.at
            if not self._more():
                raise self._broken(error) from None

    def _more(self) -> bool:
        before = len(self._window.data) - self._window.at
        if not self._window.more():
            return False
        self._unclaimed += len(self._window.data) - before
        if self._unclaimed > MAX_RECORD_BYTES:
            mib = MAX_RECORD_BYTES // 1024 // 1024
            raise FeedRefusedError(f"{self._source}: expected an item at least every {mib} MiB, found none for longer")
        return True

    def _broken(self, error: BrokenMarkupError) -> FeedBrokenError:
        return FeedBrokenError(f"{self._source}: {error}", line=error.line)


@dataclass(slots=True)
class _Base:
    """A base as far as its first end tag."""

    markup: bytes
    surroundings: bytes
    key: bytes = b""
    is_noted: bool = False


def _broken_record(error: BrokenMarkupError, line: int, markup: bytes, base_id: str | None) -> Rejection:
    return Rejection(
        reason=RejectionReason.MALFORMED, message=str(error), line=line, source=source_of(markup), base_id=base_id
    )
