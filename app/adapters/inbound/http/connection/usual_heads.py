"""Heads that say nothing unusual, read by a grammar that is narrower than HTTP's: what it lets through means one thing.

llhttp would read each of them as the same request: GET, HTTP/1.1, one Host, no body, the connection stays open. What
this grammar does not let through is no fault, but for llhttp to read. `tests/unit/http/test_usual_heads.py` asks both.
"""

import re
from typing import NamedTuple

from app.adapters.inbound.http.connection.request_ids import is_proper

MOST_REMEMBERED = 4096
"""Bytes of a head that a connection remembers."""

TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
PRINTABLE = b"\t" + bytes(range(0x20, 0x7F))
MOST_FIELDS = 200
LINE_ENDS = {b"\r\n" * (number + 2): number for number in range(MOST_FIELDS)}
"""What is left of a head without printable ASCII and tabs, and how many fields it has: no bare CR or LF."""
well_formed = re.compile(rb"(?:\r\n" + TOKEN + rb":[^\r]*+)++\r\n\r\n").fullmatch
"""Names that are tokens, each with its colon: no white space before that, no folded line."""

FRAMING = (
    rb"content-length|expect|http2-settings|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade"
    rb"|connection(?!:[ \t]*+keep-alive[ \t]*+\r)"
)
"""Where a body, an upgrade or an end of the connection may be told."""
ASKING = rb"origin"
"""What another way of answering looks at: CORS."""
FORWARDED = rb"forwarded|via|x-real-ip|x-forwarded-" + TOKEN
"""What a proxy adds, and somebody may want to hear of."""

READ = (b"x-request-id", b"if-none-match", b"traceparent", b"accept-encoding")
notable = re.compile(
    rb"\r\n(?:(host):|"
    + b"|".join(name + rb":[ \t]*+([^\r]*)" for name in READ)
    + b"|(?:"
    + FRAMING
    + b"|"
    + ASKING
    + rb"):)"
).finditer
"""In a head in small letters: the fields that are read, each in a group of its own, and those that make it unusual."""
HOST = 1
"""The number of its group; those of what is read follow."""
forwarded = re.compile(rb"\r\n(?:" + FORWARDED + rb"):").search


class UsualHead(NamedTuple):
    """What is told by the fields of a usual head; None: nothing. All others change nothing."""

    request_id: bytes | None = None
    """A proper one."""
    if_none_match: bytes | None = None
    traceparent: bytes | None = None
    accept_encoding: bytes | None = None


class RememberedHead(NamedTuple):
    """A usual head, to know it again: clients send the same one time after time, but for a new id of the request."""

    before: bytes
    """All of it, up to the id."""
    after: bytes
    """What comes after; a head without an id is all in here."""
    head: UsualHead


NO_HEAD = RememberedHead(b"", b"(never sent)", UsualHead())


def read_usual_head(fields: bytes, most: int, *, hears_of_proxies: bool = False) -> RememberedHead | None:
    """Read the fields of a head, from the CRLF before the first to the empty line; None when it is an unusual one.

    One with more than `most` fields is that; so is one with fields of a proxy, where somebody `hears_of_proxies`.
    """
    if LINE_ENDS.get(fields.translate(None, PRINTABLE), most + 1) > most or not well_formed(fields):
        return None
    small = fields.lower()
    if hears_of_proxies and forwarded(small):
        return None
    at = [-1] * 6
    """Where values begin."""
    for match in notable(small):
        group = match.lastindex
        if group is None or at[group] >= 0:
            return None
        at[group] = match.start(group)
    return None if at[HOST] < 0 else _remembered(fields, at)


def _remembered(fields: bytes, at: list[int]) -> RememberedHead:
    _, _, id_at, tag_at, trace_at, codings_at = at
    if_none_match = _value(fields, tag_at) if tag_at >= 0 else None
    traceparent = _value(fields, trace_at) if trace_at >= 0 else None
    accept_encoding = _value(fields, codings_at) if codings_at >= 0 else None
    request_id = _value(fields, id_at) if id_at >= 0 else None
    if request_id is None or not is_proper(request_id):
        return RememberedHead(b"", fields, UsualHead(None, if_none_match, traceparent, accept_encoding))
    head = UsualHead(request_id, if_none_match, traceparent, accept_encoding)
    return RememberedHead(fields[:id_at], fields[id_at + len(request_id) :], head)


def _value(fields: bytes, at: int) -> bytes:
    return fields[at : fields.index(b"\r", at)].rstrip(b" \t")


def known_again(data: bytes, at: int, remembered: RememberedHead) -> UsualHead | None:
    """Read the fields in `data`, from `at` to its end, if they are what is remembered, or differ by a proper id alone.

    So they are as usual: what was let through differs in nothing that the grammar looks at.
    """
    before, after, head = remembered
    if not (data.endswith(after) and data.startswith(before, at)):
        return None
    start, end = at + len(before), len(data) - len(after)
    if head.request_id is None:
        return head if start == end else None
    if start < end and is_proper(data, start, end):
        _, if_none_match, traceparent, accept_encoding = head
        return UsualHead(data[start:end], if_none_match, traceparent, accept_encoding)
    return None
