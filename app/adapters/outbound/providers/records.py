"""One item of a feed -> one record: the plan that it is, or why it cannot be used."""

from dataclasses import dataclass
from datetime import datetime

from lxml import etree
from lxml.etree import _Element

from app.adapters.outbound.providers import values
from app.adapters.outbound.providers.dialects import Dialect
from app.adapters.outbound.providers.digests import key_digest, plan_digest
from app.adapters.outbound.providers.ignored import IgnoredNames
from app.adapters.outbound.providers.values import UnusableError, line_of, required
from app.adapters.outbound.providers.zones import ZoneReader
from app.domain.errors import PlanEndsBeforeItStartsError
from app.domain.feeds import FeedRecord, PlanRecord, Rejection, RejectionReason
from app.domain.plans import Plan, PlanKey, SellMode, instant

MAX_SOURCE = 2_000


@dataclass(frozen=True, slots=True)
class Base:
    """What a base says of all of its items."""

    base_id: str
    title: str
    sell_mode: SellMode
    organizer_id: str | None


@dataclass(frozen=True, slots=True)
class UnusableBase:
    """A base that says too little, or wrongly: its items cannot be used, each of them is rejected."""

    base_id: str | None
    """None when not even that could be read."""
    reason: RejectionReason
    message: str


class RecordReader:
    """Reads the bases and items of one provider's feed; counts in `ignored` what it does not know."""

    def __init__(self, dialect: Dialect, *, provider: str, timezone: str, ignored: IgnoredNames) -> None:
        self._dialect = dialect
        self._provider = provider
        self._timezone = timezone
        self._ignored = ignored
        self._base_attributes = dialect.base_attributes
        self._item_attributes = dialect.item_attributes
        self._zones = ZoneReader(ignored)
        # All that is kept of a record once it is handed out: 200 bytes.
        self._digests: dict[bytes, bytes] = {}

    def base(self, element: _Element) -> Base | UnusableBase:
        """Read the attributes of a base."""
        self._ignored.attributes(self._dialect.base, element.keys(), self._base_attributes)
        base_id = None
        try:
            base_id = values.identifier(self._dialect.base_id, required(element, self._dialect.base_id))
            organizer = element.get("organizer_company_id")
            return Base(
                base_id,
                values.title("title", required(element, "title")),
                values.sell_mode("sell_mode", required(element, "sell_mode")),
                None if organizer is None else values.identifier("organizer_company_id", organizer),
            )
        except UnusableError as error:
            return UnusableBase(base_id, error.reason, error.message)

    def item(self, element: _Element, base: Base | UnusableBase) -> FeedRecord | None:
        """Read an item with all that it holds; None when it says again what an item before it said."""
        self._ignored.attributes(self._dialect.item, element.keys(), self._item_attributes)
        key = None
        try:
            item_id = values.identifier(self._dialect.item_id, required(element, self._dialect.item_id))
            key = None if base.base_id is None else PlanKey(self._provider, base.base_id, item_id)
            return self._once(self._plan(element, item_id, base))
        except UnusableError as error:
            return rejection(element, error, key=key, base_id=base.base_id)

    def _once(self, plan: Plan) -> PlanRecord | None:
        record = PlanRecord(plan, plan_digest(plan))
        first = self._digests.setdefault(key_digest(plan.key), record.digest)
        if first is record.digest:
            return record
        if first == record.digest:
            return None
        message = (
            f"{self._dialect.item} {plan.key.item_id} stood in this {self._dialect.base} before, with other content"
        )
        raise UnusableError(RejectionReason.DUPLICATE, message)

    def _plan(self, element: _Element, item_id: str, base: Base | UnusableBase) -> Plan:
        if isinstance(base, UnusableBase):
            message = f"its {self._dialect.base} cannot be used: {base.message}"
            raise UnusableError(base.reason, message, line_of(next(element.iterancestors(self._dialect.base))))
        try:
            return Plan(
                key=PlanKey(self._provider, base.base_id, item_id),
                title=base.title,
                sell_mode=base.sell_mode,
                starts=self._plan_time(element, self._dialect.starts),
                ends=self._plan_time(element, self._dialect.ends),
                timezone=self._timezone,
                organizer_id=base.organizer_id,
                sell_from=_sale_time(element, "sell_from"),
                sell_to=_sale_time(element, "sell_to"),
                sold_out=values.boolean("sold_out", element.get("sold_out", "false")),
                zones=self._zones.read(element),
            )
        except PlanEndsBeforeItStartsError as error:
            raise UnusableError(RejectionReason.ENDS_BEFORE_START, str(error)) from error

    def _plan_time(self, element: _Element, name: str) -> datetime:
        text = required(element, name)
        time = values.wall_clock(name, text)
        try:
            instant(time, self._timezone)
        except OverflowError:  # the first hours of year 1 and the last of 9999, in some time zones
            message = f"{name} is {text!r}, expected a time that exists in UTC, too"
            raise UnusableError(RejectionReason.INVALID_DATE, message) from None
        return time


def rejection(
    element: _Element, error: UnusableError, *, key: PlanKey | None = None, base_id: str | None = None
) -> Rejection:
    """Say why an element cannot be used, with its line and its source."""
    return Rejection(
        reason=error.reason,
        message=error.message,
        line=error.line or line_of(element),
        source=etree.tostring(element, encoding="unicode", with_tail=False)[:MAX_SOURCE],
        key=key,
        base_id=None if key else base_id,
    )


def _sale_time(element: _Element, name: str) -> datetime | None:
    text = element.get(name)
    return None if text is None else values.wall_clock(name, text)
