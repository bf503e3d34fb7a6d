"""Domain events as the world reads them: CloudEvents 1.0, JSON event format. One form for every way out.

Who reads them needs no Marquee: `data.plan` of a plan is what `GET /search` says of it, `data.details` what it has no
words for.
"""

from datetime import datetime
from typing import Any

import msgspec

from app.adapters.formats.activity_record import activity_record
from app.adapters.formats.iso_8601 import rfc_3339
from app.adapters.formats.plan_summary import SummaryFields
from app.application.manage_webhooks import TEST_NAME
from app.domain.activities import Activity
from app.domain.activity_notices import activity_name, notice_id, subject_of
from app.domain.domain_events import DomainEvent, PlanFact, SyncFact, UserFact, UserUpdated
from app.domain.plans import PlanDetails
from app.domain.users import User

CONTENT_TYPE = "application/cloudevents+json"
_LINE_ENDS = tuple((mark.encode(), b"\\u%04x" % ord(mark)) for mark in "\x85\u2028\u2029")
_encode = msgspec.json.Encoder(decimal_format="number").encode


def type_of(name: str) -> str:
    """Make the `type` of a CloudEvent of a domain event's name: `plan.changed` is `marquee.plan.changed.v1`."""
    return f"marquee.{name}.v1"


def envelope(event: DomainEvent, source: str) -> dict[str, Any]:
    """Put a domain event into its envelope; `source` says of which installation it is (a URI reference)."""
    return _enveloped(
        source, event.name, event.occurred_at, id_=event.event_id, subject=event.subject, data=_data(event)
    )


def render_trial(message_id: str, webhook: str, at: datetime, *, source: str) -> str:
    """Render the message by which somebody tries a webhook out: an envelope like all others, with nothing in it."""
    subject = f"webhooks/{webhook}"
    said = _enveloped(source, TEST_NAME, at, id_=message_id, subject=subject, data={"webhook": webhook})
    return _encode(said).decode()


def render_activity(activity: Activity, *, source: str) -> str:
    """Render what is told of an activity that was stored, on one line."""
    said = _enveloped(
        source,
        activity_name(activity.type),
        activity.occurred_at,
        id_=notice_id(activity.activity_id),
        subject=subject_of(activity),
        data=activity_record(activity),
    )
    return _on_one_line(_encode(said)).decode()


def _enveloped(  # noqa: PLR0913 - each is a part of an envelope
    source: str, name: str, at: datetime, *, id_: str, subject: str, data: dict[str, Any]
) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": id_,
        "source": source,
        "type": type_of(name),
        "subject": subject,
        "time": rfc_3339(at),
        "datacontenttype": "application/json",
        "data": data,
    }


def render_envelope(event: DomainEvent, source: str) -> bytes:
    """Render the envelope, on one line: prices are JSON numbers with the digits that the feed had.

    What some readers take for the end of a line is escaped, though JSON and server-sent events know better.
    """
    return _on_one_line(_encode(envelope(event, source)))


def _on_one_line(text: bytes) -> bytes:
    for raw, escaped in _LINE_ENDS:
        if raw in text:
            text = text.replace(raw, escaped)
    return text


def user_data(user: User) -> dict[str, Any]:
    """Say everything of a user; the same in a domain event and in the answers of `/users`."""
    return {
        "id": str(user.user_id),
        "username": user.username,
        "email": user.email,
        "full_name": user.full_name,
        "role": user.role,
        "is_active": user.is_active,
        "created_at": rfc_3339(user.created_at),
        "updated_at": rfc_3339(user.updated_at),
    }


def _data(event: DomainEvent) -> dict[str, Any]:
    if isinstance(event, PlanFact):
        return {
            "id": str(event.plan_id),
            "provider": event.provider,
            "changes": list(event.kinds),
            "run_id": event.run_id,
            "in_feed": event.in_feed,
            "searchable": event.is_searchable,
            "starts_at": rfc_3339(event.state.starts_at),
            "ends_at": rfc_3339(event.state.ends_at),
            "plan": SummaryFields.of(event.state.summary),
            "details": event.state.details or PlanDetails(),
        }
    if isinstance(event, SyncFact):
        return {
            "provider": event.provider,
            "run_id": event.run_id,
            "outcome": event.outcome,
            "reason": event.reason,
            "held_for": list(event.held_for),
            "waiting": dict(event.waiting),
        }
    if not isinstance(event, UserFact):
        raise TypeError(event)
    fields = {"fields": list(event.fields)} if isinstance(event, UserUpdated) else {}
    return {"user": user_data(event.user), **fields}
