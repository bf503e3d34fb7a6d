"""The message by which somebody tries a webhook out: an envelope like all others, with nothing in it."""

from datetime import UTC, datetime

import msgspec

from app.adapters.formats.cloud_events import type_of
from app.application.manage_webhooks import TEST_NAME


def render_trial(message_id: str, webhook: str, at: datetime, *, source: str) -> str:
    """Render it."""
    envelope = {
        "specversion": "1.0",
        "id": message_id,
        "source": source,
        "type": type_of(TEST_NAME),
        "subject": f"webhooks/{webhook}",
        "time": at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": {"webhook": webhook},
    }
    return msgspec.json.encode(envelope).decode()
