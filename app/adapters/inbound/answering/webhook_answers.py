"""How the edge speaks of webhooks: a secret once and never again, values of headers and of a URL's query never."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import Field

from app.adapters.inbound.answering.answers import Answer, Instant, instant
from app.application.ports.webhooks import Backlog, LoggedDelivery
from app.domain.webhook_deliveries import Answer as ReceiverAnswer
from app.domain.webhook_deliveries import Delivery, DeliveryState
from app.domain.webhooks import Endpoint


class WebhookAnswer(Answer):
    """A webhook, without what is secret."""

    id: UUID
    name: str
    url: str = Field(description="Without the values of its query, which may be secret")
    names: list[str] = Field(description="What it is told of; `*` is everything but activities")
    headers: list[str] = Field(description="Names of the headers that it sends beside those of Marquee")
    is_active: bool
    why_off: str | None
    created_at: Instant
    failing_since: Instant | None
    failures: int = Field(description="In a row")
    paused_until: Instant | None
    skipped: int = Field(description="Activities that it was not told because too many deliveries waited")


class NewWebhookAnswer(WebhookAnswer):
    """A webhook whose secret was just made."""

    secret: str = Field(description="What messages are signed with: shown here and never again", pattern="^whsec_")


class WebhookStateAnswer(WebhookAnswer):
    """A webhook, and how it fares."""

    state: str = Field(description="In words", examples=["on"])
    pending: int = Field(description="Deliveries that wait")
    given_up: int = Field(description="Deliveries that were given up and are kept still")


class WebhookAttemptAnswer(Answer):
    """What a receiver said."""

    status: int | None = Field(description="Null when there was no answer")
    error: str | None = Field(description="What went wrong; null when it took the message")
    took_ms: int


class WebhookLastAttemptAnswer(WebhookAttemptAnswer):
    """The last attempt of a delivery."""

    at: Instant


class WebhookDeliveryAnswer(Answer):
    """A message on its way to a webhook, without its body."""

    id: int
    webhook_id: str = Field(description="The message's id: the same at every attempt")
    name: str = Field(examples=["plan.changed"])
    subject: str
    created_at: Instant
    state: DeliveryState
    attempts: int
    next_attempt_at: Instant | None = Field(description="At the earliest, pauses included")
    webhook_state: str = Field(description="In words")
    ended_at: Instant | None
    last_attempt: WebhookLastAttemptAnswer | None


def webhook_answer(endpoint: Endpoint) -> dict[str, Any]:
    """Say all of a webhook but its secrets."""
    return {
        "id": str(endpoint.endpoint_id),
        "name": endpoint.name,
        "url": shown_url(endpoint.url),
        "names": list(endpoint.names) or ["*"],
        "headers": [header.name for header in endpoint.headers],
        "is_active": endpoint.is_active,
        "why_off": endpoint.why_off,
        "created_at": instant(endpoint.created_at),
        "failing_since": instant(endpoint.failing_since),
        "failures": endpoint.failures,
        "paused_until": instant(endpoint.paused_until),
        "skipped": endpoint.skipped,
    }


def secret_answer(endpoint: Endpoint) -> dict[str, Any]:
    """Say also its newest secret: when it is made, and never again."""
    return webhook_answer(endpoint) | {"secret": endpoint.secrets[0].text}


def found_answer(endpoint: Endpoint, backlog: Backlog, now: datetime) -> dict[str, Any]:
    """Say also how it fares now."""
    fares = {"state": state(endpoint, now), "pending": backlog.pending, "given_up": backlog.given_up}
    return webhook_answer(endpoint) | fares


def delivery_answer(endpoint: Endpoint, row: LoggedDelivery, now: datetime) -> dict[str, Any]:
    """Say all of a delivery but its body."""
    one, last = row.delivery, row.last
    return {
        "id": one.delivery_id,
        "webhook_id": one.message.event_id,
        "name": one.message.name,
        "subject": one.message.subject,
        "created_at": instant(one.message.created_at),
        "state": one.state.value,
        "attempts": one.attempts,
        "next_attempt_at": instant(next_attempt_at(endpoint, one)),
        "webhook_state": state(endpoint, now),
        "ended_at": instant(one.ended_at),
        "last_attempt": last and {"at": instant(row.last_at), **attempt_answer(last)},
    }


def attempt_answer(answer: ReceiverAnswer) -> dict[str, Any]:
    """Say what a receiver answered."""
    return {"status": answer.status, "error": answer.error, "took_ms": round(answer.took * 1000)}


def state(endpoint: Endpoint, now: datetime) -> str:
    """Say how it is, and why."""
    if not endpoint.is_active:
        return f"off: {endpoint.why_off.removeprefix('it ')}" if endpoint.why_off else "off"
    fares = f"failing ({endpoint.failures} in a row)" if endpoint.failures else "on"
    until = endpoint.paused_until
    if until is None or endpoint.may_be_sent_to(now):
        return fares
    return f"{fares}, paused until {until.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"


def next_attempt_at(endpoint: Endpoint, delivery: Delivery) -> datetime | None:
    """Say when a delivery is tried again at the earliest; None also while its webhook is off."""
    if delivery.next_attempt_at is None or not endpoint.is_active:
        return None
    return max(delivery.next_attempt_at, endpoint.paused_until or delivery.next_attempt_at)


def shown_url(url: str) -> str:
    """Give a URL without its query's values, which may be secret."""
    parts = urlsplit(url)
    names = (pair.partition("=")[0] for pair in parts.query.split("&") if pair)
    return parts._replace(query="&".join(f"{name}=..." for name in names), fragment="").geturl()
