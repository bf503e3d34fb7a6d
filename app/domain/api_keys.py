"""API keys: how one looks, and when it is good. Pure; randomness comes in as an argument.

A secret key is `mqk_` + 10 characters that name the key + 32 that are secret (190 bits) + 6 of a checksum, all of base
62. Fixed prefix and checksum let scanners of repositories find leaked keys with no false alarms; the pattern is
SCANNER. A publishable key begins with `mqp_`, is made in the same way, and is no secret.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest
from zlib import crc32

from app.domain.errors import DomainError
from app.domain.publishable_keys import Publishable
from app.domain.users import UserId

PREFIX, PUBLISHABLE_PREFIX = PREFIXES = ("mqk_", "mqp_")
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
KEY_ID_LENGTH, SECRET_LENGTH, CHECKSUM_LENGTH = 10, 32, 6
_BODY = rf"[0-9A-Za-z]{{{KEY_ID_LENGTH + SECRET_LENGTH + CHECKSUM_LENGTH}}}"
SCANNER = re.compile(PREFIX + _BODY, re.ASCII)
KEY = re.compile(f"(?:{'|'.join(PREFIXES)}){_BODY}", re.ASCII)

LIVE_KEYS = 2
"""Secret ones of one user at a time: the one in use, and the one that is to replace it."""
LIVE_PUBLISHABLE_KEYS = 20
"""Those of one user that are no secret: each may be for other pages."""
LONGEST_KEY_NAME = 100


class TooManyKeysError(DomainError):
    """The user has as many live keys as anybody may."""

    def __init__(self, most: int = LIVE_KEYS) -> None:
        """Say what to do."""
        super().__init__(f"the user has {most} live keys of this kind already: revoke one first")


class UnknownKeyError(DomainError):
    """The user has no such key."""

    def __init__(self, key_id: str) -> None:
        """Name it by its public part."""
        super().__init__(f"the user has no key {key_id!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as it is kept: without its secret."""

    key_id: str
    user_id: UserId
    name: str
    digest: bytes
    """SHA-256 of the whole key; it has 190 random bits, so nothing slower is called for."""
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    """To the minute or so."""
    publishable: Publishable | None = None
    """What it may do if it is no secret; None: it is one, and may do what its user may."""

    @property
    def most_live(self) -> int:
        """How many keys of its kind a user may have at a time."""
        return LIVE_PUBLISHABLE_KEYS if self.publishable else LIVE_KEYS

    def is_live(self, now: datetime) -> bool:
        """Tell whether it opens anything (its user must be active besides)."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def matches(self, text: str) -> bool:
        """Compare with a whole key that somebody sent, in constant time."""
        return compare_digest(self.digest, digest_of(text))


def compose(key_id: str, secret: str, prefix: str = PREFIX) -> str:
    """Put a key together from its public and its secret part, in characters of ALPHABET."""
    body = key_id + secret
    return f"{prefix}{body}{_checksum(body)}"


def key_id_of(text: str) -> str | None:
    """Read the public part of what may be a key; None when its form or its checksum is wrong."""
    if not KEY.fullmatch(text):
        return None
    body, checksum = text[len(PREFIX) : -CHECKSUM_LENGTH], text[-CHECKSUM_LENGTH:]
    return body[:KEY_ID_LENGTH] if compare_digest(_checksum(body), checksum) else None


def digest_of(text: str) -> bytes:
    """Hash a whole key; also of what cannot be one, such as half a character."""
    return sha256(text.encode(errors="surrogatepass")).digest()


def _checksum(body: str) -> str:
    """CRC-32 of what stands before it, in base 62, most significant first, filled up with 0."""
    number, digits = crc32(body.encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits
