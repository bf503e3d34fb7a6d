"""One way in for every door, HTTP and brokers alike: what is delivered is read, judged, recorded and counted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from app.adapters.inbound.intake.batch_fields import read_batch_fields
from app.adapters.inbound.intake.delivery_ids import IDEMPOTENCY_KEY, complete, idempotency_key
from app.adapters.inbound.intake.forms.cloud_events import SUBJECT, CloudEvents
from app.adapters.inbound.intake.forms.event_in_headers import read_event
from app.adapters.inbound.intake.forms.lines import read_lines
from app.adapters.inbound.intake.forms.quick_events import read_events_quickly
from app.adapters.inbound.intake.forms.segment import SegmentCalls
from app.adapters.inbound.intake.forms.segment_batch import read_batch
from app.adapters.inbound.intake.intake_counts import IntakeLog, ObserveActivities, outcomes
from app.adapters.inbound.intake.intake_errors import NotAnActivityError
from app.adapters.inbound.intake.judged_records import JudgedRecords, judge, nothing_but_refused
from app.adapters.inbound.intake.misunderstandings import note_misunderstandings
from app.adapters.inbound.intake.record_form import OwnForm
from app.adapters.inbound.intake.record_scan import counted
from app.adapters.inbound.intake.sent_records import RecordReader, SentRecords, Unparsed, is_one_activity
from app.adapters.inbound.intake.wording import USUAL_WORDING, Wording
from app.adapters.inbound.reading.reading import Reading
from app.adapters.inbound.reading.refusals import RefusedRecordError
from app.application.note_refusals import NoteRefusals
from app.application.record_activities import RecordActivities, Recording
from app.domain.senders import UNKNOWN_SENDER, Sender

NOTHING_RECORDED = Recording((), (), {})


class Form(StrEnum):
    """How the activities of a delivery are written."""

    EVENTS = "events"
    """One JSON object, or an array of them."""
    BATCH = "batch"
    """An object with an array of `events`."""
    LINES = "ndjson"
    """A JSON object a line."""
    CLOUD_EVENT = "cloud_event"
    """A CloudEvent 1.0 as one JSON object (structured mode)."""
    CLOUD_EVENTS = "cloud_events"
    """An array of them (batched mode)."""
    CLOUD_EVENT_IN_HEADERS = "cloud_event_in_headers"
    """A CloudEvent 1.0 whose attributes are the headers that begin with `ce-` (binary mode)."""
    SEGMENT_BATCH = "segment_batch"
    """An object with an array `batch` of calls of Segment's HTTP API, each with its `type`."""
    SEGMENT_TRACK = "track"
    """One such call, and so on."""
    SEGMENT_IDENTIFY = "identify"
    SEGMENT_PAGE = "page"
    SEGMENT_SCREEN = "screen"
    SEGMENT_ALIAS = "alias"
    SEGMENT_GROUP = "group"


OWN_FORMS = frozenset({Form.EVENTS, Form.BATCH, Form.LINES})
"""Those whose records have our names, or what a configuration maps to them."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Activities as somebody delivers them, unpacked."""

    body: bytes
    form: Form = Form.EVENTS
    headers: Mapping[bytes, bytes] = field(default_factory=dict)
    """By their names in small letters: those of HTTP, or what a broker has in their place."""
    sender: Sender = UNKNOWN_SENDER
    received_at: datetime | None = None
    """When it came by the broker's own clock (aware, UTC); None: now."""


class Most(NamedTuple):
    """How many records a delivery may have."""

    array: int
    batch: int
    """In Form.BATCH."""


class Taken(NamedTuple):
    """What became of a delivery."""

    judged: JudgedRecords
    recording: Recording


class Intake:
    """Takes deliveries. `observe` counts outcomes by type, `note` keeps what was not understood; None: nobody does."""

    def __init__(
        self,
        record: RecordActivities,
        most: Most,
        observe: ObserveActivities = lambda _outcome, _types: None,
        wording: Wording = USUAL_WORDING,
        note: NoteRefusals | None = None,
    ) -> None:
        self.log = IntakeLog()
        self._record = record
        self._observe = observe
        self._note = note
        self._names = wording.names
        self._own_form = OwnForm(wording.names)
        self._reader = RecordReader(*most)
        self._events = CloudEvents(wording.cloud_events_user)

    async def take(self, delivery: Delivery) -> Taken:
        """Take what can be taken; a record that is refused costs the others nothing.

        Raises:
            InvalidIdempotencyKeyError: nothing was taken.
            NotJsonError, NotAnActivityError, NotABatchError, NoActivitiesError, TooManyActivitiesError,
            TooLargeToSplitError, TooDeepToSplitError, TooMuchSharedError: nothing was taken, for the body is none that
                could be.
            QueueFullError: nothing was taken.
            LiveStateUnavailableError: whether anything was taken is unknown; the same ids again are safe.
        """
        key = idempotency_key(delivery.headers)
        names = self._names if delivery.form in OWN_FORMS else self._names.unmapped
        reading = Reading(names, delivery.received_at or self._record.clock.now())
        try:
            sent, ignored = read_batch_fields(await self._read(delivery, reading), reading)
            judged = await judge(sent, reading)
            reading.ignore(ignored)
        except RefusedRecordError as refused:
            judged = nothing_but_refused(refused, reading)
        complete(judged, key, delivery.sender.name, delivery.received_at)
        recording = await self._record(judged.activities, delivery.sender) if judged.activities else NOTHING_RECORDED
        judged.refuse(recording.refused)
        for outcome, types in outcomes(judged, recording):
            self._observe(outcome, types)
        self.log.note(judged, recording)
        if self._note is not None:
            note_misunderstandings(judged, self._note)
        return Taken(judged, recording)

    def note_refusal(self, code: str, message: str) -> None:
        """Count a delivery of which nothing was judged."""
        self.log.note_refusal(code)
        if self._note is not None:
            self._note(code, 1, message)

    async def _read(self, delivery: Delivery, reading: Reading) -> SentRecords:
        """Find the records of a delivery.

        Raises:
            RefusedRecordError: it is one record, and cannot be read.
            Exception: as `take`.
        """
        body, form = delivery.body, delivery.form
        is_usual = IDEMPOTENCY_KEY not in delivery.headers and reading.names.are_usual
        quick = reading.names.no_users if is_usual else None
        if form is Form.EVENTS or form is Form.BATCH:
            found = await self._reader.read(body, batch=form is Form.BATCH, quick=quick)
            return found._replace(form=self._own_form)
        if form is Form.LINES:
            return read_lines(body, self._reader.array, quick)._replace(form=self._own_form)
        if form is Form.SEGMENT_BATCH:
            return await read_batch(self._reader, body, reading, quick=is_usual)
        if form is Form.CLOUD_EVENT_IN_HEADERS:
            return SentRecords((read_event(delivery.headers, body),), None, self._events)
        if form is Form.CLOUD_EVENTS:
            if is_one_activity(body):
                raise NotAnActivityError("expected an array of CloudEvents, found an object")
            quick_found = self._events_quickly(body, reading)
            return quick_found or (await self._reader.read(body, batch=False))._replace(form=self._events)
        return SentRecords((body,), None, self._events if form is Form.CLOUD_EVENT else SegmentCalls(form.value))

    def _events_quickly(self, body: bytes, reading: Reading) -> SentRecords | None:
        found = read_events_quickly(body, reading.names.no_users) if self._events.user == SUBJECT else None
        if found is None:
            return None
        counted(found.columns.types, self._reader.array)
        return SentRecords(Unparsed(body, len(found.columns)), "", self._events, quick=found)
