"""Webhooks and their deliveries, for people. Secrets are in none of it."""

from collections.abc import Callable, Iterable
from datetime import datetime

from app.adapters.inbound.answering.webhook_answers import next_attempt_at, shown_url, state
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
        "own headers": ", ".join(header.name for header in endpoint.headers) or "-",
        "added": at(endpoint.created_at),
        "state": state(endpoint, now),
        "fails since": at(endpoint.failing_since) if endpoint.failing_since else "-",
        "secrets that sign": str(len(endpoint.signing(now))),
        "activities skipped": f"{endpoint.skipped:,}",
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
    return ", ".join(endpoint.names) or "everything but activities"


def _next(endpoint: Endpoint, delivery: Delivery) -> str:
    if delivery.next_attempt_at is not None and not endpoint.is_active:
        return "when enabled"
    when = next_attempt_at(endpoint, delivery)
    return at(when) if when else "-"
