"""Answering: which activities were taken, and why the others were not."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any
from uuid import UUID

import msgspec

from app.adapters.inbound.http.describing.answers import Reply, error_reply
from app.adapters.inbound.intake.judged_records import ACCEPTED, DUPLICATE, REFUSED, JudgedRecords
from app.adapters.inbound.intake.quick_records import QuickRecords
from app.adapters.inbound.reading.refusals import Problem
from app.application.record_activities import Recording
from app.domain.activities import LARGEST_ACTIVITY


class TakenAt(msgspec.Struct, frozen=True):
    """An activity that is safe; when it is a duplicate, it was before."""

    index: int
    id: UUID
    status: str


class NamedAt(msgspec.Struct, frozen=True):
    """The same of an activity whose id was sent as a text, which is repeated."""

    index: int
    id: str
    activity_id: UUID
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
    if judged.sent.quick is not None and not (recording.duplicates or judged.refused):
        return Reply(202, _all_accepted(judged.sent.quick, recording))
    if judged.refused and len(judged.refused) == len(judged.sent.records):
        return refuse_all(judged)
    answer = {
        "accepted": len(judged.sent.records) - len(judged.refused) - len(recording.duplicates),
        "duplicates": len(recording.duplicates),
        "refused": len(judged.refused),
        "results": _results(judged, recording, judged.sent.pointer),
    }
    return Reply(202, _encode(answer | ignored_names(judged)))


def _all_accepted(quick: QuickRecords, recording: Recording) -> bytes:
    ids: Sequence[Any] = quick.ids or recording.ids
    if quick.texts is None:
        return (_accepted_template(len(ids), '"%s"') % tuple(ids)).encode()
    both = zip(quick.texts, ids, strict=True)
    return (_accepted_template(len(quick.texts), '%s,"activity_id":"%s"') % tuple(chain.from_iterable(both))).encode()


@lru_cache(maxsize=16)  # most clients send batches of one size
def _accepted_template(number: int, place: str) -> str:
    """Write the answer to so many activities, with a place for each id."""
    results = ",".join(f'{{"index":{index},"id":{place},"status":"{ACCEPTED}"}}' for index in range(number))
    return f'{{"accepted":{number},"duplicates":0,"refused":0,"results":[{results}]}}'


def _reply_to_one(judged: JudgedRecords, recording: Recording) -> Reply:
    if judged.refused:
        return refuse_one(judged.refused[0])
    status = DUPLICATE if recording.duplicates else ACCEPTED
    quick, told = judged.sent.quick, ignored_names(judged)
    activity_id = recording.ids[0] if quick is None or quick.ids is None else quick.ids[0]
    text = judged.reading.sent_ids.get(recording.ids[0]) if judged.reading.sent_ids else None
    if text is not None:
        return Reply(202, _encode({"id": text, "activity_id": activity_id, "status": status} | told))
    if told:
        return Reply(202, _encode({"id": activity_id, "status": status} | told))
    return Reply(202, b'{"id":"%b","status":"%b"}' % (str(activity_id).encode(), status.encode()))


def ignored_names(judged: JudgedRecords) -> dict[str, list[str]]:
    """Name what means nothing, once; nothing at all when everything means something."""
    return {"ignored": list(judged.reading.ignored)} if judged.reading.ignored else {}


def refuse_one(problems: Sequence[Problem]) -> Reply:
    """Answer a request of one record that cannot be taken."""
    error = _explained(problems, "")
    if problems[0].code == TOO_LARGE:
        return error_reply(413, **error, limit=LARGEST_ACTIVITY)
    return error_reply(400, **error)


def _results(judged: JudgedRecords, recording: Recording, pointer: str) -> Sequence[TakenAt | NamedAt | RefusedAt]:
    texts = _texts(judged, recording)
    if not (recording.duplicates or judged.refused or texts):
        places = judged.sent.lines or range(len(recording.ids))
        return [TakenAt(index, activity_id, ACCEPTED) for index, activity_id in zip(places, recording.ids, strict=True)]
    results: list[TakenAt | NamedAt | RefusedAt] = [
        _taken(
            judged.sent.place(index),
            activity_id,
            DUPLICATE if position in recording.duplicates else ACCEPTED,
            texts.get(activity_id),
        )
        for position, (index, activity_id) in enumerate(zip(judged.positions, recording.ids, strict=True))
        if index not in judged.refused
    ]
    results += refused_records(judged, pointer)
    return sorted(results, key=lambda result: result.index)


def _texts(judged: JudgedRecords, recording: Recording) -> Mapping[UUID, str]:
    """List the ids that are texts, as they were sent, by what was made of them."""
    quick = judged.sent.quick
    if quick is None or quick.texts is None:
        return judged.reading.sent_ids
    return {id_: msgspec.json.decode(text) for id_, text in zip(recording.ids, quick.texts, strict=True)}


def _taken(index: int, activity_id: UUID, status: str, text: str | None) -> TakenAt | NamedAt:
    if text is None:
        return TakenAt(index, activity_id, status)
    return NamedAt(index, text, activity_id, status)


def refused_records(judged: JudgedRecords, pointer: str) -> list[RefusedAt]:
    """List the records that were not taken, each with its reason."""
    placed = ((judged.sent.place(index), problems) for index, problems in sorted(judged.refused.items()))
    return [RefusedAt(place, _explained(problems, f"{pointer}/{place}")) for place, problems in placed]


def refuse_all(judged: JudgedRecords) -> Reply:
    """Answer a request of several records of which none can be taken."""
    details: list[dict[str, Any]] = []
    for index, problems in sorted(judged.refused.items()):
        place = judged.sent.place(index)
        details += ({"index": place, **_placed(one, f"{judged.sent.pointer}/{place}")} for one in problems)
    message = f"none of {len(judged.refused)} activities can be taken; the first: {details[0]['message']}"
    return error_reply(400, "all_refused", message, details=details)


def _placed(problem: Problem, prefix: str) -> dict[str, Any]:
    return {"code": problem.code, "message": problem.message, "pointer": prefix + problem.pointer}


def _explained(problems: Sequence[Problem], prefix: str) -> dict[str, Any]:
    """Show the first problem, and a list of all when there are more."""
    placed = [_placed(problem, prefix) for problem in problems]
    return {**placed[0], "details": placed} if len(placed) > 1 else placed[0]
