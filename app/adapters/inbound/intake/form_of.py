"""In which form a delivery comes: what its headers say."""

from collections.abc import Mapping

from app.adapters.formats.media_types import JSON, MediaType, media_type
from app.adapters.inbound.intake.intake import Form
from app.adapters.inbound.intake.intake_errors import UnknownFormError

USUAL = JSON.encode()
FORMS = {
    JSON: Form.EVENTS,
    "application/cloudevents+json": Form.CLOUD_EVENT,
    "application/cloudevents-batch+json": Form.CLOUD_EVENTS,
    "application/x-ndjson": Form.LINES,
    "application/ndjson": Form.LINES,
    "application/jsonl": Form.LINES,
}
IN_HEADERS = frozenset({b"ce-specversion", b"ce-id", b"ce-source", b"ce-type"})
"""What each CloudEvent in binary mode has; one of them is enough to be told what is missing."""


def form_of(headers: Mapping[bytes, bytes]) -> Form:
    """Tell by the Content-Type and by the headers of CloudEvents, by their names in small letters.

    Raises:
        UnknownFormError: nothing here is of that type.
    """
    given = headers.get(b"content-type")
    if given == USUAL and IN_HEADERS.isdisjoint(headers):
        return Form.EVENTS
    found = None if given is None else media_type(given.decode("latin-1"))
    if found is not None and found.kind.startswith("application/cloudevents"):
        return _form(found, given)
    if not IN_HEADERS.isdisjoint(headers):
        return Form.CLOUD_EVENT_IN_HEADERS
    return _form(found, given)


def _form(found: MediaType | None, given: bytes | None) -> Form:
    form = FORMS.get(found.kind) if found is not None and found.is_utf8 else None
    if form is None:
        raise UnknownFormError(given)
    return form
