"""One item of a feed -> its records: the plan that it is and what of it could not be used, or why it cannot be used."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from app.adapters.formats.packed_zones import SaidZone
from app.adapters.outbound.providers.plan_list.dialects import Dialect
from app.adapters.outbound.providers.plan_list.markup import Element
from app.adapters.outbound.providers.plan_list.zones import Fault, ZoneReader
from app.adapters.outbound.providers.reading import values
from app.adapters.outbound.providers.reading.digests import plan_digest
from app.adapters.outbound.providers.reading.ignored import IgnoredNames
from app.adapters.outbound.providers.reading.values import UnusableError, required
from app.domain.errors import PlanEndsBeforeItStartsError
from app.domain.feeds import FeedRecord, PlanRecord, Rejection, RejectionReason
from app.domain.plans import Plan, PlanKey, SellMode, Zone, instant

T = TypeVar("T")

_SAFE_YEARS = (1, 9999)
"""Between them every local time is one in UTC, too."""


@dataclass(frozen=True, slots=True)
class Base:
    """What a base says of all of its items."""

    base_id: str
    title: str
    sell_mode: SellMode
    organizer_id: str | None
    faults: tuple[Fault, ...] = ()
    """What of it could not be used; told once, after the first plan of the base."""


@dataclass(frozen=True, slots=True)
class UnusableBase:
    """A base that says too little, or wrongly: its items cannot be used, each of them is rejected."""

    base_id: str | None
    """None when not even that could be read."""
    element: Element
    reason: RejectionReason
    message: str
    faults: tuple[Fault, ...] = ()


class RecordReader:
    """Reads the bases and items of one provider's feed; counts in `ignored` what it does not know.

    What the answer needs decides whether there is a plan: ids, title, sell mode, a start, no end before it. A fault in
    anything else costs that alone, and is told as the rejection of a part (ADR 0073).
    """

    def __init__(self, dialect: Dialect, *, provider: str, timezone: str, ignored: IgnoredNames) -> None:
        self.dialect = dialect
        self._provider = provider
        self._timezone = timezone
        self.ignored = ignored
        self._base_attributes = dialect.base_attributes
        self._item_attributes = dialect.item_attributes
        self.zones = ZoneReader(ignored)

    def base(self, element: Element) -> Base | UnusableBase:
        """Read the attributes of a base."""
        self.ignored.attributes(self.dialect.base, element.said, self._base_attributes)
        base_id = None
        try:
            base_id = values.identifier(self.dialect.base_id, required(element.said, element.tag, self.dialect.base_id))
            title = values.title("title", required(element.said, element.tag, "title"))
            sell_mode = values.sell_mode("sell_mode", required(element.said, element.tag, "sell_mode"))
        except UnusableError as error:
            return UnusableBase(base_id, element, error.reason, error.message)
        faults: list[Fault] = []
        organizer = _optional(element, "organizer_company_id", values.identifier, None, faults)
        return Base(base_id, title, sell_mode, organizer, tuple(faults))

    def item(self, element: Element, zones: Sequence[Element], base: Base | UnusableBase) -> list[FeedRecord]:
        """Read an item with its zones: a plan and what of it could not be used, or one rejection."""
        self.ignored.attributes(self.dialect.item, element.said, self._item_attributes)
        key = None
        faults: list[Fault] = []
        try:
            item_id = values.identifier(self.dialect.item_id, required(element.said, element.tag, self.dialect.item_id))
            key = None if base.base_id is None else PlanKey(self._provider, base.base_id, item_id)
            if isinstance(base, UnusableBase) or key is None:
                return [self._of_unusable(element, base, key)]
            read = self.zones.read(zones)
            plan = self._plan(element, read.zones, base, key, faults)
        except UnusableError as error:
            return [rejection(element, error, key=key, base_id=base.base_id)]
        return [PlanRecord(plan, plan_digest(plan)), *_of_parts(key, (*faults, *read.faults))]

    def faultless(
        self, element: Element, base: Base, zones: tuple[Zone, ...] = (), said: Sequence[SaidZone] | None = None
    ) -> PlanRecord | None:
        """Read an item whose zones are read already, as they are `said` if packed; None when it has a fault."""
        faults: list[Fault] = []
        try:
            item_id = values.identifier(self.dialect.item_id, required(element.said, element.tag, self.dialect.item_id))
            plan = self._plan(element, zones, base, PlanKey(self._provider, base.base_id, item_id), faults)
        except UnusableError:
            return None
        return None if faults else PlanRecord(plan, plan_digest(plan, said))

    def _plan(self, element: Element, zones: tuple[Zone, ...], base: Base, key: PlanKey, faults: list[Fault]) -> Plan:
        starts = self._plan_time(self.dialect.starts, required(element.said, element.tag, self.dialect.starts))
        ends = self._end(element, faults)
        try:
            return Plan(
                key=key,
                title=base.title,
                sell_mode=base.sell_mode,
                starts=starts,
                ends=ends,
                timezone=self._timezone,
                organizer_id=base.organizer_id,
                sell_from=_optional(element, "sell_from", values.wall_clock, None, faults),
                sell_to=_optional(element, "sell_to", values.wall_clock, None, faults),
                sold_out=_optional(element, "sold_out", values.boolean, False, faults),  # noqa: FBT003 - a value
                zones=zones,
            )
        except PlanEndsBeforeItStartsError as error:
            raise UnusableError(RejectionReason.ENDS_BEFORE_START, str(error)) from error

    def _of_unusable(self, element: Element, base: Base | UnusableBase, key: PlanKey | None) -> Rejection:
        assert isinstance(base, UnusableBase)  # noqa: S101 - a Base has an id
        message = f"its {self.dialect.base} cannot be used: {base.message}"
        error = UnusableError(base.reason, message)
        return replace(rejection(element, error, key=key, base_id=base.base_id), line=base.element.line)

    def _end(self, element: Element, faults: list[Fault]) -> datetime | None:
        name = self.dialect.ends
        try:
            return self._plan_time(name, required(element.said, element.tag, name))
        except UnusableError as error:
            faults.append(Fault(element, name, error.reason, error.message))
            return None

    def _plan_time(self, name: str, text: str) -> datetime:
        time = values.wall_clock(name, text)
        if _SAFE_YEARS[0] < time.year < _SAFE_YEARS[1]:
            return time
        try:
            instant(time, self._timezone)
        except OverflowError:  # the first hours of year 1 and the last of 9999, in some time zones
            message = f"{name} is {text!r}, expected a time that exists in UTC, too"
            raise UnusableError(RejectionReason.INVALID_DATE, message) from None
        return time


def rejection(
    element: Element, error: UnusableError | Fault, *, key: PlanKey | None = None, base_id: str | None = None
) -> Rejection:
    """Say why an element cannot be used, with its line and its source."""
    return Rejection(
        reason=error.reason,
        message=error.message,
        line=element.line,
        source=element.source,
        key=key,
        base_id=None if key else base_id,
        part=error.part if isinstance(error, Fault) else None,
    )


def of_base(base: Base) -> list[Rejection]:
    """Say what of a base could not be used."""
    return [rejection(fault.element, fault, base_id=base.base_id) for fault in base.faults]


def _of_parts(key: PlanKey, faults: Sequence[Fault]) -> Iterator[Rejection]:
    return (rejection(fault.element, fault, key=key) for fault in faults)


def _optional(element: Element, name: str, read: Callable[[str, str], T], without: T, faults: list[Fault]) -> T:
    """Read an attribute that need not be there; one that cannot be used counts as if it were not."""
    text = element.said.get(name)
    if text is None:
        return without
    try:
        return read(name, text)
    except UnusableError as error:
        faults.append(Fault(element, name, error.reason, error.message))
        return without
