"""What a request brings to say who it is: a key or a token, in one of several places.

In a URL, which is kept in many a history and log, only what is no secret, or soon is none.
"""

from base64 import b64decode
from binascii import Error
from collections.abc import Iterable

from starlette.types import Scope

from app.adapters.inbound.http.access.access_errors import MisplacedKeyError
from app.adapters.inbound.http.access.stream_urls import IN_URL, STREAMS
from app.adapters.inbound.http.connection.query_parameters import read_query
from app.domain.access import Area, UnauthenticatedError
from app.domain.api_keys import PREFIX, PUBLISHABLE_PREFIX
from app.domain.stream_tokens import SIGN

KEY = "key"
"""The query parameter of a publishable key."""
TWO = "two keys came that differ: send one"
EXPECTED = "expected `Authorization: Bearer KEY`, or Basic with the key as its user and an empty password"


def credential_of(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Read what was sent to say who it is; None when nothing was.

    Clients of Segment and many a browser know no other scheme than Basic: then the key is the user.

    Raises:
        UnauthenticatedError: several things were sent that differ, or something else than a key or a token.
    """
    found = None
    for name, value in headers:
        if name == b"authorization":
            credential = _authorized(value)
        elif name == b"x-api-key":
            credential = value.strip()
        else:
            continue
        if found is not None and found != credential:
            raise UnauthenticatedError(TWO)
        found = credential
    return None if found is None else found.decode("latin-1")


def credential_in(scope: Scope, area: Area, in_body: str | None = None) -> str | None:
    """Read the same of a whole request: from its headers, its URL, and what its body has.

    Raises:
        UnauthenticatedError: as `credential_of` does.
        MisplacedKeyError: a secret key stands in the URL.
    """
    credential = credential_of(scope["headers"])
    if credential is not None and credential.startswith(SIGN):
        raise UnauthenticatedError("a stream token belongs in the URL of a stream: send a key")
    if not scope["query_string"] and in_body is None:
        return credential
    found = _in_url(scope, area)
    found |= {value for value in (credential, in_body) if value is not None}
    if len(found) > 1:
        raise UnauthenticatedError(TWO)
    return next(iter(found), None)


def _in_url(scope: Scope, area: Area) -> set[str]:
    if area is Area.INGEST:
        name, prefix = KEY, PUBLISHABLE_PREFIX
    elif scope["path"] in STREAMS:
        name, prefix = IN_URL, SIGN
    else:
        return set()
    found = {value for other, value in read_query(scope["query_string"]) if other == name}
    if any(value.startswith(PREFIX) or value.count(".") == 2 for value in found):  # noqa: PLR2004 - as a JWT has
        raise MisplacedKeyError
    if not all(value.startswith(prefix) for value in found):
        raise UnauthenticatedError(f"what a URL may have here begins with {prefix}")
    return found


def _authorized(value: bytes) -> bytes:
    scheme, _, credential = value.partition(b" ")
    if scheme.lower() == b"bearer":
        return credential.strip()
    if scheme.lower() != b"basic":
        raise UnauthenticatedError(f"{EXPECTED}; found another scheme")
    try:
        user, _, password = b64decode(credential.strip(), validate=True).partition(b":")
    except Error:
        raise UnauthenticatedError(f"{EXPECTED}; found no base64") from None
    if password or not user:
        raise UnauthenticatedError(f"{EXPECTED}; found {'a password' if password else 'no user'}")
    return user
