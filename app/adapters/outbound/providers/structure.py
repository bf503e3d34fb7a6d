"""Where the records are: root > output > base > item. Whatever has been read is forgotten at once."""

from lxml.etree import _Element

from app.adapters.outbound.providers.dialects import OUTPUT, Dialect
from app.adapters.outbound.providers.document import Event
from app.adapters.outbound.providers.ignored import IgnoredNames
from app.adapters.outbound.providers.records import Base, RecordReader, UnusableBase, rejection
from app.adapters.outbound.providers.values import UnusableError, line_of
from app.application.ports.providers import FeedRefusedError
from app.domain.feeds import FeedRecord, RejectionReason

_ROOT_ATTRIBUTES = frozenset({"version"})


class Structure:
    """Follows the starts and ends of bases and items; the same names in other places are unknown elements."""

    def __init__(self, source: str, dialect: Dialect, records: RecordReader, ignored: IgnoredNames) -> None:
        self._source = source
        self._dialect = dialect
        self._records = records
        self._ignored = ignored
        self._element: _Element | None = None
        self._base: Base | UnusableBase | None = None
        self._items = 0

    def take(self, event: Event) -> tuple[bool, FeedRecord | None]:
        """Take the next event; tell whether it was one of ours, and the record that it completes, if any.

        Raises:
            FeedRefusedError: a base or an item stands too high. Ignored as something unknown, it would seem to be gone.
        """
        kind, element = event
        if element.tag == self._dialect.item:
            return self._leave_item(element) if kind == "end" else self._enter_item(element)
        return self._enter_base(element) if kind == "start" else self._leave_base(element)

    def finish(self, root: _Element) -> None:
        """Count what is unknown around the last base."""
        self._ignored.attributes(root.tag, root.keys(), _ROOT_ATTRIBUTES)
        self._ignored.children(root, OUTPUT)
        for output in root.iterchildren(OUTPUT):
            self._ignored.attributes(OUTPUT, output.keys(), frozenset())
            self._ignored.children(output, self._dialect.base)

    def _enter_base(self, element: _Element) -> tuple[bool, None]:
        path = [ancestor.tag for ancestor in element.iterancestors()]
        if path == [self._dialect.root]:
            raise self._misplaced(element, OUTPUT)
        if path != [OUTPUT, self._dialect.root]:
            return False, None
        self._forget_before(element.getparent(), OUTPUT)  # type: ignore[arg-type] # the path says that it has one
        self._element, self._items = element, 0
        self._base = self._records.base(element)
        return True, None

    def _enter_item(self, element: _Element) -> tuple[bool, None]:
        path = [] if self._base else [ancestor.tag for ancestor in element.iterancestors()]
        if path in ([self._dialect.root], [OUTPUT, self._dialect.root]):
            raise self._misplaced(element, self._dialect.base)
        return False, None

    def _misplaced(self, element: _Element, within: str) -> FeedRefusedError:
        return FeedRefusedError(
            f"{self._source}, line {line_of(element)}: expected {element.tag} inside {within}, found it outside"
        )

    def _leave_item(self, element: _Element) -> tuple[bool, FeedRecord | None]:
        if self._base is None or element.getparent() is not self._element:
            return False, None
        self._items += 1
        record = self._records.item(element, self._base)
        self._forget(element, self._dialect.item)
        return True, record

    def _leave_base(self, element: _Element) -> tuple[bool, FeedRecord | None]:
        if self._base is None or element is not self._element:
            return False, None
        self._ignored.children(element, self._dialect.item)
        record = None if self._items else self._without_items(element, self._base)
        self._forget(element, self._dialect.base)
        self._element = self._base = None
        return True, record

    def _without_items(self, element: _Element, base: Base | UnusableBase) -> FeedRecord:
        message = f"the {self._dialect.base} has no {self._dialect.item}, expected at least one"
        return rejection(element, UnusableError(RejectionReason.NO_ITEMS, message), base_id=base.base_id)

    def _forget(self, element: _Element, known: str) -> None:
        # The element itself and the text after it stay for now: the parser may be about to add to that text.
        element.clear(keep_tail=True)  # type: ignore[call-arg] # the stubs are older than the argument
        self._forget_before(element, known)

    def _forget_before(self, element: _Element, known: str) -> None:
        parent = element.getparent()
        while parent is not None and (before := element.getprevious()) is not None:
            if isinstance(before.tag, str) and before.tag != known:
                self._ignored.note(before.tag)
            parent.remove(before)
