"""Judging: from records as they were sent to activities, and to what is wrong with the others."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, cast

from app.adapters.inbound.intake.record_form import UNKNOWN
from app.adapters.inbound.intake.sent_records import Sent, SentRecords
from app.adapters.inbound.reading.json_record import parse_record
from app.adapters.inbound.reading.reading import Reading
from app.adapters.inbound.reading.refusals import NotJsonError, Problem, RefusedRecordError, pointer_to
from app.application.record_activities import SentActivity, SentColumns
from app.domain.activities import ActivityRefusedError

ACCEPTED, DUPLICATE, REFUSED = "accepted", "duplicate", "refused"
"""What may become of a record."""
TURN = 0.002
"""Seconds after which judging records lets other requests in: a search must not wait for 2,000 of them."""


@dataclass(slots=True)
class JudgedRecords:
    """The records of one request, judged as far as they can be without the rules of the core."""

    sent: SentRecords
    reading: Reading
    """How they were read, and what was noticed."""
    positions: Sequence[int]
    """Where in the request those stand that are activities."""
    activities: list[SentActivity] | SentColumns
    refused: dict[int, Sequence[Problem]] = field(default_factory=dict)
    """The others, by where they stand."""
    refused_types: list[str] = field(default_factory=list)

    @property
    def types(self) -> Sequence[str]:
        """Those of the activities."""
        found = self.activities
        return found.types if isinstance(found, SentColumns) else [activity.type for activity in found]

    def refuse(self, broken: Mapping[int, ActivityRefusedError]) -> None:
        """Add the activities that break a rule of the core, by their positions among the activities."""
        for position, error in broken.items():
            index = self.positions[position]
            self.refused[index] = [_problem(self.sent, _parsed(self.sent.records[index]), error)]


def nothing_but_refused(refused: RefusedRecordError, reading: Reading) -> JudgedRecords:
    """Judge a delivery that is one record, of which not even the parts can be read."""
    return JudgedRecords(SentRecords(({},), None), reading, (), [], {0: refused.problems}, [UNKNOWN])


async def judge(sent: SentRecords, reading: Reading) -> JudgedRecords:
    """Judge all records at once where they are parsed and break no rule, else one after the other."""
    if sent.quick is not None:
        return JudgedRecords(sent, reading, range(len(sent.records)), sent.quick.columns)
    if type(sent.records[0]) is dict:  # then all are
        activities = sent.form.read_all(cast("list[dict[str, Any]]", sent.records), reading)
        if activities is not None:
            return JudgedRecords(sent, reading, range(len(activities)), activities)
        reading.begin_again()
    return await _judge_each(sent, reading)


async def _judge_each(sent: SentRecords, reading: Reading) -> JudgedRecords:
    positions: list[int] = []
    activities: list[SentActivity] = []
    judged = JudgedRecords(sent, reading, positions, activities)
    until = perf_counter() + TURN
    for index, text in enumerate(sent.records):
        record: dict[str, Any] = {}
        try:
            record = _parsed(text)
            activities.append(sent.form.read_one(record, reading))
        except RefusedRecordError as refused:
            judged.refused[index] = refused.problems
            judged.refused_types.append(sent.form.type_of(record))
        except NotJsonError as error:
            if sent.pointer is None:
                raise
            judged.refused[index] = (Problem("invalid_json", str(error)),)
            judged.refused_types.append(UNKNOWN)
        else:
            positions.append(index)
        if perf_counter() > until:
            await asyncio.sleep(0)
            until = perf_counter() + TURN
    return judged


def _parsed(sent: Sent) -> dict[str, Any]:
    return parse_record(sent) if type(sent) is bytes else cast("dict[str, Any]", sent)


def _problem(sent: SentRecords, record: dict[str, Any], error: ActivityRefusedError) -> Problem:
    """Say what the rules say by the names that the client has used."""
    place = sent.form.place_of(record, error.field)
    return Problem(error.code, f"{'.'.join(place)}: {error}", pointer_to(place))
