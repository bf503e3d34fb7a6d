"""A CloudEvent in the binary mode of the HTTP binding: its attributes are headers, its data is the body."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from app.adapters.formats.media_types import media_type
from app.adapters.inbound.reading.json_record import parse_value
from app.adapters.inbound.reading.refusals import Problem, RefusedRecordError
from app.domain.activities import LARGEST_ACTIVITY

PREFIX = b"ce-"
IN_THE_BODY = {"data", "data_base64"}


def read_event(headers: Mapping[bytes, bytes], body: bytes) -> dict[str, Any]:
    """Put an event together as the JSON event format has it.

    Raises:
        RefusedRecordError: it cannot be one.
        NotJsonError: its data is said to be JSON and is none.
    """
    named = {name[len(PREFIX) :]: value for name, value in headers.items() if name.startswith(PREFIX)}
    size = len(body) + sum(len(name) + len(value) for name, value in named.items())
    if size > LARGEST_ACTIVITY:
        message = f"expected an activity of at most {LARGEST_ACTIVITY:,} bytes, found {size:,}"
        raise RefusedRecordError(Problem("too_large", message))
    event: dict[str, Any] = {}
    for name, value in named.items():
        attribute = name.decode("latin-1")
        event[attribute] = _decoded(attribute, value)
    if not IN_THE_BODY.isdisjoint(event):
        raise RefusedRecordError(Problem("invalid_attribute", "the data of an event is the body, and no header"))
    kind = headers.get(b"content-type")
    if kind is not None:
        event["datacontenttype"] = kind.decode("latin-1")
    return event | _data(event.get("datacontenttype"), body)


def _decoded(name: str, value: bytes) -> str:
    """Undo what headers cannot have: quotes around a value, and percent-encoded UTF-8 (3.1.3.2).

    Bytes beyond ASCII that nobody has encoded are UTF-8 or, as browsers and Node.js send them, Latin-1.
    """
    if len(value) > 1 and value[:1] == value[-1:] == b'"':
        value = value[1:-1].replace(b"\\\\", b"\0").replace(b"\\", b"").replace(b"\0", b"\\")
    try:
        return unquote_to_bytes(value).decode()
    except UnicodeDecodeError:
        if value.isascii():
            message = f"{name}: expected percent-encoded UTF-8, found other bytes"
            raise RefusedRecordError(Problem("invalid_utf8", message, f"/{name}")) from None
        return value.decode("latin-1")


def _data(given: str | None, body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    kind = media_type(given or "application/json")
    if kind.is_json and kind.is_utf8:
        return {"data": parse_value(body)}
    if kind.kind.startswith("text/") and kind.is_utf8:
        try:
            return {"data": body.decode()}
        except UnicodeDecodeError:
            pass
    return {"data_base64": b64encode(body).decode()}
