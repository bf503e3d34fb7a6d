"""The door: from a request's body to recorded activities and an answer, for `/events` and `/events/batch`."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, cast

import structlog
from starlette.types import Receive

from app.adapters.formats.unpacking import Work
from app.adapters.inbound.http.connection.bodies_in_hand import MOST_IN_HAND, BodiesInHand
from app.adapters.inbound.http.connection.request_body import UNPACKING, ClientGoneError, read_json_body
from app.adapters.inbound.http.ingest.activity_bodies import (
    NotABatchError,
    array_records,
    batch_records,
    is_one_activity,
    plain_records,
)
from app.adapters.inbound.http.ingest.ingest_answers import (
    ACCEPTED,
    DUPLICATE,
    RefusedAt,
    Reply,
    TakenAt,
    refuse_one,
    refused_at,
    reply_to_all,
    reply_to_error,
    reply_to_many,
    reply_to_one,
)
from app.adapters.inbound.http.ingest.ingest_counts import (
    REFUSED,
    ObserveActivities,
    observe_nothing,
    outcomes,
    type_sent,
)
from app.adapters.inbound.http.ingest.record_split import split_carefully
from app.adapters.inbound.reading.activity_input import place_of, read_activities, read_activity
from app.adapters.inbound.reading.json_record import parse_record
from app.adapters.inbound.reading.refusals import Problem, RefusedRecordError, pointer_to
from app.application.record_activities import RecordActivities, Recording, SentActivity
from app.domain.activities import ActivityRefusedError

EVENTS, BATCH = "/events", "/events/batch"
Sent = bytes | dict[str, Any]
"""A record as it was sent, or read already."""
TURN = 0.002
"""Seconds after which reading records lets other requests in: a search must not wait for 2,000 of them."""


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


@dataclass(slots=True)
class _Reading:
    """The records of one request, read as far as they can be."""

    positions: Sequence[int]
    """Where in the request those stand that can be read."""
    activities: list[SentActivity]
    refused: dict[int, Sequence[Problem]] = field(default_factory=dict)
    """The others, by where they stand."""
    refused_types: list[str] = field(default_factory=list)


class Door:
    """Takes activities in; one implementation behind the bare application and the documented routes."""

    def __init__(
        self, record: RecordActivities, limits: IngestLimits, observe_activities: ObserveActivities = observe_nothing
    ) -> None:
        self._record = record
        self._limits = limits
        self._observe = observe_activities
        self._bodies = BodiesInHand(limits.in_hand)
        self._careful = asyncio.Lock()

    async def answer(
        self, path: str, headers: Mapping[bytes, bytes], receive: Receive, request_id: bytes | None = None
    ) -> Reply:
        """Answer a POST of EVENTS or BATCH; `headers` by their names in small letters.

        A `request_id` is bound to what is logged of an error; without one, whoever calls has bound it.

        Raises:
            ClientGoneError: there is nobody to answer, and nothing was taken.
        """
        hold = self._bodies.hold()
        try:
            body = await read_json_body(headers, receive, self._limits.body, hold, Work(self._limits.unpacking))
            if path == BATCH:
                return await self._take_batch(body)
            return await (self._take_one(body) if is_one_activity(body) else self._take_array(body))
        except ClientGoneError:
            raise
        except Exception as error:  # noqa: BLE001 - the edge: whatever it is, it becomes an answer in the contract's shape
            with structlog.contextvars.bound_contextvars(**({"request_id": request_id.decode()} if request_id else {})):
                return reply_to_error(error)
        finally:
            hold.let_go()

    async def _take_one(self, body: bytes) -> Reply:
        record: dict[str, Any] = {}
        try:
            record = parse_record(body)
            sent = (read_activity(record),)
            recording = await self._record(sent)
        except RefusedRecordError as refused:
            self._observe(REFUSED, {type_sent(record): 1})
            return refuse_one(refused.problems)
        self._count(sent, recording)
        if recording.refused:
            return refuse_one([_problem(record, recording.refused[0])])
        return reply_to_one(recording.ids[0], DUPLICATE if recording.duplicates else ACCEPTED)

    async def _take_array(self, body: bytes) -> Reply:
        most = self._limits.array
        if plain := plain_records(body, most, batch=False):
            return await self._take_many(plain, "")
        return await self._take_many(array_records(body, most) or await self._carefully(body, most, batch=False), "")

    async def _take_batch(self, body: bytes) -> Reply:
        if not is_one_activity(body):
            raise NotABatchError
        most = self._limits.batch
        if plain := plain_records(body, most, batch=True):
            return await self._take_many(plain, "/events")
        records = batch_records(body, most) or await self._carefully(body, most, batch=True)
        return await self._take_many(records, "/events")

    async def _carefully(self, body: bytes, most: int, *, batch: bool) -> list[bytes]:
        """Split what takes more care: in a thread, so that searches go on, and one at a time."""
        async with self._careful:
            return await asyncio.to_thread(split_carefully, body, most, batch=batch)

    async def _take_many(self, sent: Sequence[Sent], prefix: str) -> Reply:
        reading = _read_at_once(sent) or await _read(sent)
        recording = await self._record(reading.activities)
        self._count(reading.activities, recording, reading.refused_types)
        if not (recording.duplicates or recording.refused or reading.refused):
            return reply_to_all(recording.ids)
        results: list[TakenAt | RefusedAt | None] = [None] * len(sent)
        for position, (index, activity_id) in enumerate(zip(reading.positions, recording.ids, strict=True)):
            status = DUPLICATE if position in recording.duplicates else ACCEPTED
            results[index] = TakenAt(index, activity_id, status)
        for position, error in recording.refused.items():
            index = reading.positions[position]
            reading.refused[index] = [_problem(_parsed(sent[index]), error)]
        for index, problems in reading.refused.items():
            results[index] = refused_at(index, problems, prefix)
        return reply_to_many([result for result in results if result])

    def _count(self, sent: Sequence[SentActivity], recording: Recording, refused_types: Sequence[str] = ()) -> None:
        for outcome, types in outcomes(sent, recording):
            self._observe(outcome, types)
        if refused_types:
            self._observe(REFUSED, Counter(refused_types))


def _read_at_once(sent: Sequence[Sent]) -> _Reading | None:
    """Read records that are no bytes any more and break no rule; None when they do, or are."""
    records = [record for record in sent if type(record) is dict]
    activities = read_activities(records) if len(records) == len(sent) else None
    return None if activities is None else _Reading(range(len(sent)), activities)


async def _read(sent: Sequence[Sent]) -> _Reading:
    positions: list[int] = []
    reading = _Reading(positions, [])
    until = perf_counter() + TURN
    for index, text in enumerate(sent):
        record: dict[str, Any] = {}
        try:
            record = _parsed(text)
            reading.activities.append(read_activity(record))
        except RefusedRecordError as refused:
            reading.refused[index] = refused.problems
            reading.refused_types.append(type_sent(record))
        else:
            positions.append(index)
        if perf_counter() > until:
            await asyncio.sleep(0)
            until = perf_counter() + TURN
    return reading


def _parsed(sent: Sent) -> dict[str, Any]:
    return parse_record(sent) if type(sent) is bytes else cast("dict[str, Any]", sent)


def _problem(record: dict[str, Any], error: ActivityRefusedError) -> Problem:
    """Say what the rules say by the names that the client has used."""
    place = place_of(record, error.field)
    return Problem(error.code, f"{'.'.join(place)}: {error}", pointer_to(place))
