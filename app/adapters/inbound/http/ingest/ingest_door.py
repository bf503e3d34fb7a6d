"""The door of `/events`, `/events/batch` and Segment's calls: a request is read, judged, recorded and answered."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.types import Receive

from app.adapters.formats.media_types import media_type
from app.adapters.formats.unpacking import Work
from app.adapters.inbound.http.connection.request_body import (
    MOST_IN_HAND,
    UNPACKING,
    BodyMemory,
    read_json_body,
    read_whole_body,
)
from app.adapters.inbound.http.describing.answers import Reply
from app.adapters.inbound.http.ingest.ingest_answers import reply_to
from app.adapters.inbound.http.ingest.segment_answers import reply_to_segment
from app.adapters.inbound.intake.form_of import form_of
from app.adapters.inbound.intake.intake import Delivery, Form, Intake, Most
from app.adapters.inbound.intake.intake_counts import ObserveActivities
from app.adapters.inbound.intake.wording import USUAL_WORDING, Wording
from app.application.note_refusals import NoteRefusals
from app.application.record_activities import RecordActivities
from app.domain.senders import UNKNOWN_SENDER, Sender

EVENTS, BATCH = "/events", "/events/batch"
SEGMENT = {
    "/v1/batch": Form.SEGMENT_BATCH,
    "/v1/track": Form.SEGMENT_TRACK,
    "/v1/identify": Form.SEGMENT_IDENTIFY,
    "/v1/page": Form.SEGMENT_PAGE,
    "/v1/screen": Form.SEGMENT_SCREEN,
    "/v1/alias": Form.SEGMENT_ALIAS,
    "/v1/group": Form.SEGMENT_GROUP,
}
"""The calls of Segment's HTTP API."""
PATHS = (EVENTS, BATCH, *SEGMENT)

Whose = Callable[[bytes], Awaitable[tuple[bytes, Sender]]]
"""Takes out of a body what says whose it is; gives the rest, and the sender. May raise what becomes an answer."""


async def nobodys(body: bytes) -> tuple[bytes, Sender]:
    """Know nobody."""
    return body, UNKNOWN_SENDER


@dataclass(frozen=True, slots=True)
class IngestLimits:
    """How much is taken in one request."""

    array: int
    batch: int
    body: int
    """Bytes, unpacked too."""
    in_hand: int = MOST_IN_HAND
    """Bytes of all requests together, packed and unpacked."""
    unpacking: float = UNPACKING
    """Seconds of CPU for the unpacking of one, beside what its output may take."""


class Door:
    """Takes activities in; one implementation behind the bare application and the documented routes."""

    def __init__(
        self,
        record: RecordActivities,
        limits: IngestLimits,
        observe: ObserveActivities = lambda _outcome, _types: None,
        wording: Wording = USUAL_WORDING,
        note: NoteRefusals | None = None,
    ) -> None:
        self.limits = limits
        self.intake = Intake(record, Most(limits.array, limits.batch), observe, wording, note)
        self._bodies = BodyMemory(limits.in_hand)

    async def answer(
        self,
        path: str,
        headers: Mapping[bytes, bytes],
        receive: Receive,
        whose: Whose = nobodys,
        most: int | None = None,
    ) -> Reply:
        """Answer a POST of one of PATHS; `headers` by their names in small letters.

        `whose` tells who sends a body; not even all of it is read where that is to be known first (`most` bytes).

        Raises:
            ClientGoneError: there is nobody to answer, and nothing was taken.
            Exception: one of the table of errors, or a bug; whether anything was taken, RecordActivities says.
        """
        hold, limits = self._bodies.hold(), self.limits
        form = form_of(headers) if path == EVENTS else SEGMENT.get(path, Form.BATCH)
        read = read_whole_body if path == EVENTS or _is_text_of_segment(path, headers) else read_json_body
        try:
            body = await read(headers, receive, min(limits.body, most or limits.body), hold, Work(limits.unpacking))
            body, sender = await whose(body)
            taken = await self.intake.take(Delivery(body, form, headers, sender))
        finally:
            hold.let_go()
        return reply_to_segment(*taken) if path in SEGMENT else reply_to(*taken)


def _is_text_of_segment(path: str, headers: Mapping[bytes, bytes]) -> bool:
    """Tell whether JSON comes as text, as some of Segment's clients send it. Of pages it is for others to allow."""
    if path not in SEGMENT or b"origin" in headers:
        return False
    found = media_type(headers.get(b"content-type", b"").decode("latin-1"))
    return found.kind == "text/plain" and found.is_utf8
