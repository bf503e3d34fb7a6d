"""Judging: from records as they were sent to activities, and to what is wrong with the others."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, cast

from app.adapters.inbound.http.ingest.sent_records import Sent, SentRecords
from app.adapters.inbound.reading.activity_input import place_of, read_activities, read_activity
from app.adapters.inbound.reading.json_record import parse_record
from app.adapters.inbound.reading.refusals import Problem, RefusedRecordError, pointer_to
from app.application.record_activities import SentActivity
from app.domain.activities import ACTIVITY_TYPE, ActivityRefusedError

ACCEPTED, DUPLICATE, REFUSED = "accepted", "duplicate", "refused"
"""What may become of a record."""
UNKNOWN = "(unknown)"
"""The type of a record that has none, or none that could be one. No type can be called that."""
TURN = 0.002
"""Seconds after which judging records lets other requests in: a search must not wait for 2,000 of them."""


@dataclass(slots=True)
class JudgedRecords:
    """The records of one request, judged as far as they can be without the rules of the core."""

    sent: SentRecords
    positions: Sequence[int]
    """Where in the request those stand that are activities."""
    activities: list[SentActivity]
    refused: dict[int, Sequence[Problem]] = field(default_factory=dict)
    """The others, by where they stand."""
    refused_types: list[str] = field(default_factory=list)

    def refuse(self, broken: Mapping[int, ActivityRefusedError]) -> None:
        """Add the activities that break a rule of the core, by their positions among the activities."""
        for position, error in broken.items():
            index = self.positions[position]
            self.refused[index] = [_problem(_parsed(self.sent.records[index]), error)]


async def judge(sent: SentRecords) -> JudgedRecords:
    """Judge all records at once where they are parsed and break no rule, else one after the other."""
    if type(sent.records[0]) is dict:  # then all are
        activities = read_activities(cast("list[dict[str, Any]]", sent.records))
        if activities is not None:
            return JudgedRecords(sent, range(len(activities)), activities)
    return await _judge_each(sent)


async def _judge_each(sent: SentRecords) -> JudgedRecords:
    positions: list[int] = []
    judged = JudgedRecords(sent, positions, [])
    until = perf_counter() + TURN
    for index, text in enumerate(sent.records):
        record: dict[str, Any] = {}
        try:
            record = _parsed(text)
            judged.activities.append(read_activity(record))
        except RefusedRecordError as refused:
            judged.refused[index] = refused.problems
            judged.refused_types.append(_type_of(record))
        else:
            positions.append(index)
        if perf_counter() > until:
            await asyncio.sleep(0)
            until = perf_counter() + TURN
    return judged


def _parsed(sent: Sent) -> dict[str, Any]:
    return parse_record(sent) if type(sent) is bytes else cast("dict[str, Any]", sent)


def _type_of(record: dict[str, Any]) -> str:
    """Read the type of a record that is refused, as far as it can be."""
    found = record.get("type", record.get("event_type"))
    return found if isinstance(found, str) and ACTIVITY_TYPE.fullmatch(found) else UNKNOWN


def _problem(record: dict[str, Any], error: ActivityRefusedError) -> Problem:
    """Say what the rules say by the names that the client has used."""
    place = place_of(record, error.field)
    return Problem(error.code, f"{'.'.join(place)}: {error}", pointer_to(place))
