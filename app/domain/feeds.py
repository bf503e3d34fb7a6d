"""What one fetch of a provider's feed says, record by record."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from app.domain.plans import Plan, PlanId, PlanKey


class RejectionReason(StrEnum):
    """Why a record of a feed could not be used: stable codes, for people and for metrics."""

    MISSING_ATTRIBUTE = "missing_attribute"
    INVALID_ID = "invalid_id"
    INVALID_DATE = "invalid_date"
    INVALID_NUMBER = "invalid_number"
    INVALID_VALUE = "invalid_value"
    ENDS_BEFORE_START = "ends_before_start"
    DUPLICATE = "duplicate"
    NO_ITEMS = "no_items"
    MALFORMED = "malformed"
    """It breaks the rules of its format: nobody can tell its parts apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A record, or a part of one, that could not be used; the other records of its feed are not touched by it."""

    reason: RejectionReason
    message: str
    """What was found and what was expected, for the person who calls the provider."""
    line: int
    """The line of the feed, from 1; 0 when the source has no lines."""
    source: str
    """The record as the feed has it, cut to 2,000 characters."""
    key: PlanKey | None = None
    """Whose record it is, when that much could be read: a plan with a rejected record is not withdrawn."""
    base_id: str | None = None
    """The base it stands in, when only that could be read: none of the base's plans is withdrawn then."""
    part: str | None = None
    """What could not be used of a record that was: a field or a zone, by the names of the feed (`sell_to`,
    `zone 40: price`). None when the record as a whole could not be used."""


@dataclass(frozen=True, slots=True)
class PlanRecord:
    """A record that could be used."""

    plan: Plan
    digest: bytes
    """16 bytes that follow from the plan's content alone: equal digests, equal plans."""

    @property
    def plan_id(self) -> PlanId:
        """Whose record it is."""
        return self.plan.plan_id


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A record that says that a plan was withdrawn; of a plan that nobody knows, it says nothing."""

    key: PlanKey


@dataclass(frozen=True, slots=True)
class RememberedRecord:
    """A record that was read well before, and stands in the feed again with the same bytes: it is not read anew."""

    plan_id: PlanId
    digest: bytes
    """As in the PlanRecord that it was."""
    read: Callable[[], PlanRecord]
    """Reads it after all, for a catalog that says something else of the plan; in the thread of whoever calls."""


FeedRecord = PlanRecord | Rejection | Tombstone | RememberedRecord
