"""Deliveries: one domain event on its way to one webhook, and when it is tried again."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from uuid import UUID

from app.domain.backoff import JITTER, jittered
from app.domain.errors import DomainError

_MINUTE, _HOUR = 60.0, 3600.0
SCHEDULE = (5.0, 5 * _MINUTE, 30 * _MINUTE, *(hours * _HOUR for hours in (2, 5, 10, 14, 20, 20)))
"""Seconds between an attempt that failed and the next one, about three days in all."""


def longest_wait(attempts: int) -> timedelta:
    """Say how far ahead the next attempt can be after so many: what is further was put there by a wrong clock."""
    waits = (0.0, *SCHEDULE)
    return timedelta(seconds=waits[min(attempts, len(SCHEDULE))] * (1 + JITTER))


class UnknownDeliveryError(DomainError):
    """The webhook has no such delivery that could be sent again."""

    def __init__(self, delivery_id: int) -> None:
        """Name it."""
        super().__init__(f"the webhook has no delivery {delivery_id} that has ended; `marquee webhooks log` shows them")


class DeliveryState(StrEnum):
    """What became of a delivery."""

    PENDING = "pending"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a receiver said to one attempt, or why it said nothing."""

    status: int | None = None
    took: float
    """Seconds."""
    error: str | None = None
    """What went wrong; None after a success."""
    retry_after: float | None = None
    """Seconds for which it asks to be left alone."""

    @property
    def is_success(self) -> bool:
        """Whether it took the message."""
        return self.status is not None and HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What one endpoint is to be told, once."""

    endpoint_id: UUID
    event_id: str
    """Of the domain event; the message's id at every attempt."""
    name: str
    subject: str
    body: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message and how far it got."""

    delivery_id: int
    """Grows with every message; those of one subject are delivered in this order."""
    message: Message
    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0
    """Without those that failed before their time."""
    next_attempt_at: datetime | None = None
    """None when it has ended, and while an earlier one of its endpoint and subject has not."""
    scheduled_at: datetime | None = None
    """When the schedule has the next attempt, which may be brought forward; None before the first."""
    ended_at: datetime | None = None

    def after(self, answer: Answer, now: datetime, chance: float) -> "Delivery":
        """Go on after an attempt: delivered, tried again later, or given up. `chance` (0 to 1) is for the jitter.

        After one that was brought forward and failed the schedule is as if it had not been made.
        """
        if not answer.is_success and self.scheduled_at is not None and now < self.scheduled_at:
            return replace(self, next_attempt_at=self.scheduled_at)
        attempts = self.attempts + 1
        if answer.is_success or attempts > len(SCHEDULE):
            state = DeliveryState.DELIVERED if answer.is_success else DeliveryState.GIVEN_UP
            return replace(self, state=state, attempts=attempts, next_attempt_at=None, ended_at=now)
        at = now + timedelta(seconds=jittered(SCHEDULE[attempts - 1], chance))
        return replace(self, attempts=attempts, next_attempt_at=at, scheduled_at=at)
