"""Webhooks and their deliveries, for people and for programs. Secrets are in none of it."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from app.adapters.inbound.answering.answers import instant
from app.adapters.inbound.cli.catalog_tables import at
from app.adapters.inbound.cli.listing import Cell, Facts, Listing
from app.application.ports.webhooks import Backlog, LoggedDelivery
from app.domain.webhook_deliveries import Answer, Delivery
from app.domain.webhooks import Endpoint


def webhooks_listing(rows: Iterable[tuple[Endpoint, Backlog]], now: datetime) -> Listing:
    """All webhooks, and how they fare."""
    empty = "there are no webhooks: `marquee webhooks add NAME URL` adds one"
    facts = [_facts(endpoint, backlog, now) for endpoint, backlog in rows]
    titles = ("+name", "+url", "+hears of", "+state", ">pending", ">given up")
    return Listing(*titles, rows=[[one[title[1:]] for title in titles] for one in facts], empty=empty)


def webhook_facts(endpoint: Endpoint, backlog: Backlog, now: datetime) -> Facts:
    """One webhook, a fact a row."""
    return Facts(_facts(endpoint, backlog, now))


def _facts(endpoint: Endpoint, backlog: Backlog, now: datetime) -> dict[str, str]:
    return {
        "name": endpoint.name,
        "id": str(endpoint.endpoint_id),
        "url": shown_url(endpoint.url),
        "hears of": hears_of(endpoint),
        "added": at(endpoint.created_at),
        "state": state(endpoint, now),
        "fails since": at(endpoint.failing_since) if endpoint.failing_since else "-",
        "secrets that sign": str(len(endpoint.signing(now))),
        "pending": f"{backlog.pending:,}",
        "given up": f"{backlog.given_up:,}",
    }


def deliveries_listing(endpoint: Endpoint, rows: Iterable[LoggedDelivery]) -> Listing:
    """Deliveries of a webhook, each with its last attempt."""
    empty = f"{endpoint.name} was told nothing yet: `marquee webhooks test {endpoint.name}` sends a message now"
    columns: dict[str, Callable[[LoggedDelivery], Cell]] = {
        ">id": lambda row: str(row.delivery.delivery_id),
        "+told": lambda row: at(row.delivery.message.created_at),
        "+what": lambda row: row.delivery.message.name,
        "+subject": lambda row: row.delivery.message.subject,
        "+state": lambda row: row.delivery.state.replace("_", " "),
        ">attempts": lambda row: str(row.delivery.attempts),
        "+last attempt": lambda row: at(row.last_at) if row.last_at else "-",
        "+answer": lambda row: answered(row.last) if row.last else "-",
        "+next": lambda row: _next(endpoint, row.delivery),
    }
    return Listing.of(rows, columns, empty=empty)


def answered(answer: Answer) -> str:
    """Say in some words what a receiver answered."""
    what = answer.error or f"answered {answer.status}"
    return f"{what} ({answer.took * 1000:.0f} ms)"


def hears_of(endpoint: Endpoint) -> str:
    """Say what it is told of."""
    return ", ".join(endpoint.names) or "everything"


def state(endpoint: Endpoint, now: datetime) -> str:
    """Say how it is, and why."""
    if not endpoint.is_active:
        return f"off: {endpoint.why_off.removeprefix('it ')}" if endpoint.why_off else "off"
    fares = f"failing ({endpoint.failures} in a row)" if endpoint.failures else "on"
    return fares if endpoint.may_be_sent_to(now) else f"{fares}, paused until {at(endpoint.paused_until)}"


def next_attempt_at(endpoint: Endpoint, delivery: Delivery) -> datetime | None:
    """Say when a delivery is tried again at the earliest; None also while its webhook is off."""
    if delivery.next_attempt_at is None or not endpoint.is_active:
        return None
    return max(delivery.next_attempt_at, endpoint.paused_until or delivery.next_attempt_at)


def _next(endpoint: Endpoint, delivery: Delivery) -> str:
    if delivery.next_attempt_at is not None and not endpoint.is_active:
        return "when enabled"
    when = next_attempt_at(endpoint, delivery)
    return at(when) if when else "-"


def shown_url(url: str) -> str:
    """Give a URL without its query's values, which may be secret."""
    parts = urlsplit(url)
    names = (pair.partition("=")[0] for pair in parts.query.split("&") if pair)
    return parts._replace(query="&".join(f"{name}=..." for name in names), fragment="").geturl()


def webhook_answer(endpoint: Endpoint) -> dict[str, Any]:
    """Say all of a webhook but its secrets."""
    return {
        "id": str(endpoint.endpoint_id),
        "name": endpoint.name,
        "url": shown_url(endpoint.url),
        "names": list(endpoint.names) or ["*"],
        "is_active": endpoint.is_active,
        "why_off": endpoint.why_off,
        "created_at": instant(endpoint.created_at),
        "failing_since": instant(endpoint.failing_since),
        "failures": endpoint.failures,
        "paused_until": instant(endpoint.paused_until),
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


def attempt_answer(answer: Answer) -> dict[str, Any]:
    """Say what a receiver answered."""
    return {"status": answer.status, "error": answer.error, "took_ms": round(answer.took * 1000)}
