"""The door of `/events` and `/events/batch`: a request is read, judged, recorded, counted and answered."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.types import Receive

from app.adapters.formats.unpacking import Work
from app.adapters.inbound.http.connection.request_body import MOST_IN_HAND, UNPACKING, BodyMemory, read_json_body
from app.adapters.inbound.http.describing.answers import Reply
from app.adapters.inbound.http.ingest.ingest_answers import reply_to
from app.adapters.inbound.http.ingest.ingest_counts import IngestLog, ObserveActivities, outcomes
from app.adapters.inbound.http.ingest.judged_records import judge
from app.adapters.inbound.http.ingest.sent_records import RecordReader
from app.application.record_activities import RecordActivities, Recording

EVENTS, BATCH = "/events", "/events/batch"
NOTHING_RECORDED = Recording((), (), {})


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
        self, record: RecordActivities, limits: IngestLimits, observe: ObserveActivities = lambda _outcome, _types: None
    ) -> None:
        self.limits = limits
        self.log = IngestLog()
        self._record = record
        self._observe = observe
        self._bodies = BodyMemory(limits.in_hand)
        self._reader = RecordReader(limits.array, limits.batch)

    async def answer(self, path: str, headers: Mapping[bytes, bytes], receive: Receive) -> Reply:
        """Answer a POST of EVENTS or BATCH; `headers` by their names in small letters.

        Raises:
            ClientGoneError: there is nobody to answer, and nothing was taken.
            Exception: one of the table of errors, or a bug; whether anything was taken, RecordActivities says.
        """
        hold, limits = self._bodies.hold(), self.limits
        try:
            body = await read_json_body(headers, receive, limits.body, hold, Work(limits.unpacking))
            judged = await judge(await self._reader.read(body, batch=path == BATCH))
            recording = await self._record(judged.activities) if judged.activities else NOTHING_RECORDED
            judged.refuse(recording.refused)
            for outcome, types in outcomes(judged, recording):
                self._observe(outcome, types)
            self.log.note(judged, recording)
            return reply_to(judged, recording)
        finally:
            hold.let_go()
