"""Tokens that stand in the URL of a stream, for a moment: an EventSource can send no header. Pure.

`mqs_` + the public part of a key + `_` + until when it opens anything (seconds since 1970) + `_` + HMAC-SHA-256 of all
before, by the digest of that key, in hexadecimal digits. So every process that knows the key can check it, it is good
for no longer than the key, and what a log or a history keeps of it is worth nothing a minute later.
"""

import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.domain.api_keys import KEY_ID_LENGTH, ApiKey

SIGN = "mqs_"
"""How one begins."""
TO_CONNECT = timedelta(seconds=60)
_TOKEN = re.compile(rf"({SIGN}([0-9A-Za-z]{{{KEY_ID_LENGTH}}})_([0-9]{{1,11}})_)([0-9a-f]{{64}})", re.ASCII)


@dataclass(frozen=True, slots=True)
class StreamToken:
    """A token as somebody sent it; whether it is good its key decides."""

    key_id: str
    expires_at: datetime
    signed: str
    signature: str

    def is_of(self, key: ApiKey) -> bool:
        """Tell whether it was made of a key, in constant time."""
        return hmac.compare_digest(self.signature, _signature(key, self.signed))


def make_token(key: ApiKey, expires_at: datetime) -> str:
    """Make one; of `expires_at` whole seconds count."""
    signed = f"{SIGN}{key.key_id}_{int(expires_at.timestamp())}_"
    return signed + _signature(key, signed)


def read_token(text: str) -> StreamToken | None:
    """Read what may be one; None when it is not of the form."""
    found = _TOKEN.fullmatch(text)
    if found is None:
        return None
    signed, key_id, expires_at, signature = found.groups()
    return StreamToken(key_id, datetime.fromtimestamp(int(expires_at), UTC), signed, signature)


def _signature(key: ApiKey, signed: str) -> str:
    return hmac.digest(key.digest, signed.encode(), "sha256").hex()
