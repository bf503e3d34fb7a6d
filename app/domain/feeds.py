"""What one fetch of a provider's feed says, record by record."""

from dataclasses import dataclass
from enum import StrEnum

from app.domain.plans import Plan, PlanKey


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A record that could not be used; the other records of its feed are not touched by it."""

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


@dataclass(frozen=True, slots=True)
class PlanRecord:
    """A record that could be used."""

    plan: Plan
    digest: bytes
    """16 bytes that follow from the plan's content alone: equal digests, equal plans."""


FeedRecord = PlanRecord | Rejection
