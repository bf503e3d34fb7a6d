"""One activity as the world reads it: what lists and webhooks say of it, in the words of the door and of exports."""

from typing import Any

import msgspec

from app.domain.activities import Activity


def activity_record(activity: Activity) -> dict[str, Any]:
    """Say all of it."""
    return {
        "id": str(activity.activity_id),
        "type": activity.type,
        "occurred_at": activity.occurred_at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "source": activity.source,
        "user_id": activity.user_id,
        "anonymous_id": activity.anonymous_id,
        "value": activity.value,
        "properties": _raw(activity.properties),
        "origin": _raw(activity.origin),
    }


def _raw(written: str | None) -> msgspec.Raw | None:
    return None if written is None else msgspec.Raw(written.encode())
