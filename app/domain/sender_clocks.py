"""What an instant by a sender's clock is by ours, when the sender says when it sent (ADR 0091). Pure."""

from datetime import datetime, timedelta

from app.domain.activities import EARLIEST

OFF_BY = timedelta(seconds=60)
"""A difference between sent and received below that is the way that it took."""
LONGEST_WAIT = timedelta(days=30)
"""Between what occurred and its sending. What waited longer is no queue's but a history's, whose instants are by
another clock than the one that tells when it was sent."""


def is_off(sent_at: datetime, received_at: datetime) -> bool:
    """Tell whether a sender's clock and ours differ by more than the way takes."""
    return abs(received_at - sent_at) >= OFF_BY


def right_instant(occurred_at: datetime, sent_at: datetime, received_at: datetime) -> datetime:
    """Correct what occurred by how far the sender's clock is off: as long before `received_at` as it was before sent.

    It stays as it is when the two instants of the sender cannot be by one clock that ran on: it occurred after it was
    sent (by more than rounding and OFF_BY explain), or waited longer than LONGEST_WAIT; and when the corrected one
    would be before 1970. So nothing is moved into the future, or further back than LONGEST_WAIT before it was received.
    """
    waited = sent_at - occurred_at
    if not (is_off(sent_at, received_at) and -OFF_BY <= waited <= LONGEST_WAIT):
        return occurred_at
    corrected = received_at - max(waited, timedelta())
    return corrected if corrected >= EARLIEST else occurred_at
