"""Answering: which activities were taken, and why the others were not."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from app.adapters.inbound.http.describing.answers import Reply, error_reply
from app.adapters.inbound.http.ingest.judged_records import ACCEPTED, DUPLICATE, REFUSED, JudgedRecords
from app.adapters.inbound.reading.refusals import Problem
from app.application.record_activities import Recording
from app.domain.activities import LARGEST_ACTIVITY


class TakenAt(msgspec.Struct, frozen=True):
    """An activity that is safe; when it is a duplicate, it was before."""

    index: int
    id: UUID
    status: str


class RefusedAt(msgspec.Struct, frozen=True):
    """A record that was not taken."""

    index: int
    error: dict[str, Any]
    status: str = REFUSED


TOO_LARGE = "too_large"

_encode = msgspec.json.Encoder().encode


def reply_to(judged: JudgedRecords, recording: Recording) -> Reply:
    """Answer a request, in the order of its records."""
    if judged.sent.pointer is None:
        return _reply_to_one(judged, recording)
    if judged.refused and len(judged.refused) == len(judged.sent.records):
        return _refuse_all(judged.refused, judged.sent.pointer)
    answer = {
        "accepted": len(judged.sent.records) - len(judged.refused) - len(recording.duplicates),
        "duplicates": len(recording.duplicates),
        "refused": len(judged.refused),
        "results": _results(judged, recording, judged.sent.pointer),
    }
    return Reply(202, _encode(answer))


def _reply_to_one(judged: JudgedRecords, recording: Recording) -> Reply:
    if judged.refused:
        return _refuse_one(judged.refused[0])
    status = DUPLICATE if recording.duplicates else ACCEPTED
    return Reply(202, b'{"id":"%b","status":"%b"}' % (str(recording.ids[0]).encode(), status.encode()))


def _refuse_one(problems: Sequence[Problem]) -> Reply:
    error = _explained(problems, "")
    if problems[0].code == TOO_LARGE:
        return error_reply(413, **error, limit=LARGEST_ACTIVITY)
    return error_reply(400, **error)


def _results(judged: JudgedRecords, recording: Recording, pointer: str) -> Sequence[TakenAt | RefusedAt]:
    if not (recording.duplicates or judged.refused):
        return [TakenAt(index, activity_id, ACCEPTED) for index, activity_id in enumerate(recording.ids)]
    results: list[TakenAt | RefusedAt] = [
        TakenAt(index, activity_id, DUPLICATE if position in recording.duplicates else ACCEPTED)
        for position, (index, activity_id) in enumerate(zip(judged.positions, recording.ids, strict=True))
        if index not in judged.refused
    ]
    results += (
        RefusedAt(index, _explained(problems, f"{pointer}/{index}")) for index, problems in judged.refused.items()
    )
    return sorted(results, key=lambda result: result.index)


def _refuse_all(refused: dict[int, Sequence[Problem]], pointer: str) -> Reply:
    details = [
        {"index": index, **_placed(problem, f"{pointer}/{index}")}
        for index, problems in sorted(refused.items())
        for problem in problems
    ]
    message = f"none of {len(refused)} activities can be taken; the first: {details[0]['message']}"
    return error_reply(400, "all_refused", message, details=details)


def _placed(problem: Problem, prefix: str) -> dict[str, Any]:
    return {"code": problem.code, "message": problem.message, "pointer": prefix + problem.pointer}


def _explained(problems: Sequence[Problem], prefix: str) -> dict[str, Any]:
    """Show the first problem, and a list of all when there are more."""
    placed = [_placed(problem, prefix) for problem in problems]
    return {**placed[0], "details": placed} if len(placed) > 1 else placed[0]
