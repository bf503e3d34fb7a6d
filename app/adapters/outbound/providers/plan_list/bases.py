"""A base, read element by element: the way for whatever is not spelled as usual, or has a fault."""

from collections.abc import Callable, Sequence

from app.adapters.outbound.providers.plan_list.dialects import ZONE
from app.adapters.outbound.providers.plan_list.markup import BrokenMarkupError, Element, Markup
from app.adapters.outbound.providers.plan_list.records import Base, RecordReader, UnusableBase, of_base, rejection
from app.adapters.outbound.providers.plan_list.zones import MAX_ZONES
from app.adapters.outbound.providers.reading.taken_keys import Standing
from app.adapters.outbound.providers.reading.values import UnusableError
from app.domain.feeds import FeedRecord, PlanRecord, RejectionReason
from app.domain.plans import PlanId

_BASE, _ITEM, _ZONE = 1, 2, 3
_KEPT = 64 * 1024

Judge = Callable[[PlanRecord], Standing]


class BaseEnded(Exception):  # noqa: N818 - no error, but the way out of a parser
    """The base has come to its end: `at` is how many bytes of it were given up to its end tag."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at


class BaseReader:
    """Reads one base, in pieces; its records come as its items end."""

    def __init__(self, records: RecordReader, judge: Judge, *, line: int = 1, surroundings: bytes = b"") -> None:
        """Begin on a line; `surroundings` is the tag, if any, that declares what may be used inside."""
        self._dialect = records.dialect
        self._reader = records
        self._ignored = records.ignored
        self._judge = judge
        self._records: list[FeedRecord] = []
        self._depth = -1 if surroundings else 0
        self._unknown_at: int | None = None
        """How deep the unknown element begins that it is in."""
        self._raw = surroundings
        self._raw_at = 0
        self._before = len(surroundings)
        self._item: Element | None = None
        self._item_at = 0
        self._zones: list[Element] = []
        self._items = 0
        self._faults_told = False
        self._markup = Markup(self, line=line)
        self._markup.feed(surroundings)
        self.base: Base | UnusableBase | None = None
        """None before its tag was read."""
        self.read: list[tuple[PlanId, bytes]] = []
        """Ids and digests of all items that could be used, also of those that stood somewhere before."""
        self.is_faultless = True

    def feed(self, piece: bytes) -> None:
        """Read a piece; `taken` gives the records that it completes.

        Raises:
            BaseEnded: the base has come to its end.
            BrokenMarkupError: it breaks here.
            TooDeepError: it goes too deep.
        """
        self._raw += piece
        self._markup.feed(piece)
        self._forget()

    def finish(self) -> None:
        """See that nothing is missing.

        Raises:
            BrokenMarkupError: something is.
        """
        self._markup.feed(b"", last=True)

    def taken(self) -> Sequence[FeedRecord]:
        """Give the records that were completed since the last time."""
        records, self._records = self._records, []
        return records

    def start(self, tag: str, said: list[str], line: int, at: int) -> None:
        """As a Follower."""
        self._depth += 1
        if self._unknown_at is not None or not self._depth:
            return
        element = Element(tag, dict(zip(said[::2], said[1::2], strict=True)), line, self._raw, at - self._raw_at)
        if self._depth == _BASE:
            self._enter_base(element)
        elif tag == self._dialect.base:
            raise BrokenMarkupError(f"{tag} begins inside a {tag}, expected the end of that", line)
        elif self._depth == _ITEM and tag == self._dialect.item:
            self._item, self._item_at, self._zones = element, at, []
            self._items += 1
        elif self._depth == _ZONE and tag == ZONE:
            if len(self._zones) <= MAX_ZONES:
                self._zones.append(element)
        else:
            self._enter_unknown(tag)

    def end(self, tag: str, at: int) -> None:  # noqa: ARG002 - as a Follower
        """As a Follower."""
        if self._unknown_at is None and self._depth == _ITEM:
            self._leave_item(at)
        elif self._depth == _BASE:
            self._leave_base(at)
        elif self._unknown_at == self._depth:
            self._unknown_at = None
        self._depth -= 1

    def _enter_base(self, element: Element) -> None:
        self.base = self._reader.base(element)
        self._element = element

    def _enter_unknown(self, tag: str) -> None:
        self._unknown_at = self._depth
        if self._depth == _ITEM:
            self._ignored.in_place_of_a_record(tag)
        else:
            self._ignored.note(tag)

    def _leave_item(self, at: int) -> None:
        assert self._item  # noqa: S101 - it was entered
        assert self.base  # noqa: S101 - it was, too
        end = at - self._raw_at
        if self._raw.startswith(b"</" + self._dialect.item.encode(), end):
            end = self._raw.find(b">", end) + 1
        element = self._item._replace(markup=self._raw, begin=self._item_at - self._raw_at, end=end)
        records = self._reader.item(element, self._zones, self.base)
        self._item, self._zones = None, []
        first = records[0]
        if len(records) > 1 or not isinstance(first, PlanRecord):
            self.is_faultless = False
        if isinstance(first, PlanRecord):
            self.read.append((first.plan_id, first.digest))
            records = self._judged(element, first, records)
        self._records += records

    def _judged(self, element: Element, record: PlanRecord, records: list[FeedRecord]) -> list[FeedRecord]:
        """Leave out what stood before; say so when it was something else."""
        standing = self._judge(record)
        if standing is Standing.SAME:
            return []
        if standing is Standing.OTHER:
            key = record.plan.key
            message = f"{element.tag} {key.item_id} stood in this {self._dialect.base} before, with other content"
            return [rejection(element, UnusableError(RejectionReason.DUPLICATE, message), key=key)]
        if not self._faults_told and isinstance(self.base, Base) and self.base.faults:
            self._faults_told, self.is_faultless = True, False
            return [*records, *of_base(self.base)]
        return records

    def _leave_base(self, at: int) -> None:
        assert self.base  # noqa: S101 - it was entered
        if not self._items:
            message = f"the {self._dialect.base} has no {self._dialect.item}, expected at least one"
            error = UnusableError(RejectionReason.NO_ITEMS, message)
            self._records.append(rejection(self._element, error, base_id=self.base.base_id))
            self.is_faultless = False
        raise BaseEnded(at - self._before)

    def _forget(self) -> None:
        """Keep no more bytes than are needed to show the item in hand."""
        keep = self._item_at if self._item else self._raw_at + len(self._raw) - _KEPT
        if keep > self._raw_at:
            self._raw, self._raw_at = self._raw[keep - self._raw_at :], keep
