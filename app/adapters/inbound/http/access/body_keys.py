"""The key in a body: what a page sends as it closes can have no header, and an URL stands in many a log.

It stands as `key` beside the fields of one record, or beside `events`; where Segment's clients send one, as `writeKey`.
"""

import re
from collections.abc import Callable

import msgspec

from app.adapters.inbound.http.access.access_errors import MisplacedKeyError
from app.domain.api_keys import PREFIX

WRITE_KEY = "writeKey"
NAMES = ("key", WRITE_KEY)
VALUE = re.compile(rb'"(mq[kp]_[^"\\]{0,99})"').fullmatch
"""As somebody wrote a key of ours; any other text is a field like others."""
PUBLISHABLE_SIGN, SECRET_SIGN = b'"mqp_', b'"mqk_'

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


def take_key(body: bytes, sent: Callable[[], str | None] = lambda: None) -> tuple[str | None, bytes]:
    """Take the key out of a body; None and the body as it is when it has none.

    `sent` tells which key came in a header: libraries of Segment repeat it in the body, and that is as if they did not.

    Raises:
        MisplacedKeyError: it is a secret one.
    """
    if PUBLISHABLE_SIGN not in body and SECRET_SIGN not in body:
        return None, body
    try:
        members = _members(body)
    except (msgspec.DecodeError, RecursionError):  # no object, or none that could be read: that is said elsewhere
        return None, body
    for name in NAMES:
        found = VALUE(bytes(members.get(name, b"")).strip())
        if found is not None:
            key = found[1].decode(errors="replace")
            is_secret = key.startswith(PREFIX)
            if is_secret and (name != WRITE_KEY or key != sent()):
                raise MisplacedKeyError
            rest = _without(body, name, found[0]) or _encode(
                {other: value for other, value in members.items() if other != name}
            )
            return None if is_secret else key, rest
    return None, body


def _without(body: bytes, name: str, value: bytes) -> bytes | None:
    """Cut a member out, so that the rest stays to the byte; None where that text stands elsewhere too."""
    member = rb'"%b"[ \t\r\n]*:[ \t\r\n]*%b[ \t\r\n]*' % (name.encode(), re.escape(value))
    found = re.findall(member, body)
    if len(found) != 1:
        return None
    cut, times = re.subn(rb"%b,|,[ \t\r\n]*%b" % (member, member), b"", body)
    return cut if times == 1 else None
