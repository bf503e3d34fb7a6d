"""Signatures after Standard Webhooks 1.0.0: HMAC-SHA256 over id, time and body, one for each secret."""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256

from app.domain.webhooks import SECRET_PREFIX

FRESH = 300
"""Seconds by which a message's time and a receiver's clock may differ."""


def signed_headers(message_id: str, at: datetime, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """Make the headers by which a receiver knows the sender, the message, and when it was sent."""
    timestamp = str(int(at.timestamp()))
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{_signature(secret, signed)}" for secret in secrets),
    }


def is_signed(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime) -> bool:
    """Tell, as a receiver would, whether a message was signed with one of the secrets within FRESH seconds of now.

    `headers` by their names in small letters.
    """
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not timestamp.isascii() or not timestamp.isdigit() or abs(now.timestamp() - int(timestamp)) > FRESH:
        return False
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    expected = [f"v1,{_signature(secret, signed)}".encode() for secret in secrets]
    given = [signature.encode() for signature in headers.get("webhook-signature", "").split()]
    return any(hmac.compare_digest(one, other) for one in given for other in expected)


def _signature(secret: str, signed: bytes) -> str:
    key = b64decode(secret.removeprefix(SECRET_PREFIX))
    return b64encode(hmac.digest(key, signed, sha256)).decode("ascii")
