"""Ids and instants that follow from the delivery where a record has none: a retry must be the same activity."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from app.adapters.inbound.intake.intake_errors import InvalidIdempotencyKeyError
from app.adapters.inbound.intake.judged_records import JudgedRecords
from app.adapters.inbound.reading.sent_ids import id_in_request, is_an_id
from app.application.record_activities import SentColumns
from app.domain.activity_columns import microseconds

IDEMPOTENCY_KEY = b"idempotency-key"


def idempotency_key(headers: Mapping[bytes, bytes]) -> str | None:
    """Read the key of a request; None when it has none.

    Raises:
        InvalidIdempotencyKeyError: it is empty, too long, or no text.
    """
    given = headers.get(IDEMPOTENCY_KEY)
    if given is None:
        return None
    try:
        key = given.decode().strip(" ")
    except UnicodeDecodeError:
        raise InvalidIdempotencyKeyError from None
    if not is_an_id(key):
        raise InvalidIdempotencyKeyError
    return key


def complete(judged: JudgedRecords, key: str | None, caller: str | None, received_at: datetime | None) -> None:
    """Give each activity without an id one that follows from the key, and each without an instant that of the broker.

    The place of a record among all that were sent is part of its id, so what is refused changes no other id.
    """
    activities = judged.activities
    if key is None and received_at is None:
        return
    if isinstance(activities, SentColumns):  # they are read as records where there is a key
        if activities.occurred_at is None and received_at is not None:
            judged.activities = replace(activities, occurred_at=[microseconds(received_at)] * len(activities))
        return
    for place, (index, activity) in enumerate(zip(judged.positions, activities, strict=True)):
        if activity.activity_id is None and key is not None:
            activity = activity._replace(activity_id=id_in_request(caller, key, index))  # noqa: PLW2901 - completed
        if activity.occurred_at is None:
            activity = activity._replace(occurred_at=received_at)  # noqa: PLW2901 - the same
        activities[place] = activity
