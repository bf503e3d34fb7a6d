"""What the door answers: which activities were taken, and why the others were not."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from app.adapters.inbound.http.describing.errors import describe
from app.adapters.inbound.reading.refusals import Problem
from app.domain.activities import LARGEST_ACTIVITY

Headers = list[tuple[bytes, bytes]]


class Reply(NamedTuple):
    """An answer but for the headers that every answer has."""

    status: int
    body: bytes
    headers: Headers = []  # noqa: RUF012 - nobody changes it


class TakenAt(msgspec.Struct, frozen=True):
    """An activity that is safe; when it is a duplicate, it was before."""

    index: int
    id: UUID
    status: str


class RefusedAt(msgspec.Struct, frozen=True):
    """A record that was not taken."""

    index: int
    error: dict[str, Any]
    status: str = "refused"


ACCEPTED, DUPLICATE = "accepted", "duplicate"
TOO_LARGE = "too_large"

_encode = msgspec.json.Encoder().encode


def refused_at(index: int, problems: Sequence[Problem], prefix: str) -> RefusedAt:
    """Say why the record at `index` of the array that `prefix` points to was not taken."""
    return RefusedAt(index, _explained([_placed(problem, f"{prefix}/{index}") for problem in problems]))


def reply_to_one(activity_id: UUID, status: str) -> Reply:
    """Answer a single activity that was taken."""
    return Reply(202, b'{"id":"%b","status":"%b"}' % (str(activity_id).encode(), status.encode()))


def refuse_one(problems: Sequence[Problem]) -> Reply:
    """Answer a single activity that was not."""
    error = _explained([_placed(problem, "") for problem in problems])
    if problems[0].code == TOO_LARGE:
        return Reply(413, _encode({"error": error | {"limit": LARGEST_ACTIVITY}, "data": None}))
    return Reply(400, _encode({"error": error, "data": None}))


def reply_to_all(ids: Sequence[UUID]) -> Reply:
    """Answer an array or a batch of which every activity is new."""
    results = [TakenAt(index, activity_id, ACCEPTED) for index, activity_id in enumerate(ids)]
    return Reply(202, _encode({"accepted": len(ids), "duplicates": 0, "refused": 0, "results": results}))


def reply_to_many(results: Sequence[TakenAt | RefusedAt]) -> Reply:
    """Answer an array or a batch, in its order."""
    refused = [result for result in results if type(result) is RefusedAt]
    if len(refused) == len(results):
        return _refuse_all(refused)
    duplicates = sum(result.status == DUPLICATE for result in results)
    answer = {
        "accepted": len(results) - len(refused) - duplicates,
        "duplicates": duplicates,
        "refused": len(refused),
        "results": results,
    }
    return Reply(202, _encode(answer))


def _refuse_all(refused: Sequence[RefusedAt]) -> Reply:
    details = [
        {"index": result.index, **problem}
        for result in refused
        for problem in result.error.get("details", (result.error,))
    ]
    message = f"none of {len(refused)} activities can be taken; the first: {refused[0].error['message']}"
    error = {"code": "all_refused", "message": message, "details": details}
    return Reply(400, _encode({"error": error, "data": None}))


def reply_to_error(error: Exception) -> Reply:
    """Answer what went wrong with a request as a whole, by the table of errors."""
    answer, message = describe(error)
    described = {"code": answer.code, "message": message, **getattr(error, "extra", {})}
    retry = [(b"retry-after", b"%d" % answer.retry_after)] if answer.retry_after else []
    return Reply(answer.status, _encode({"error": described, "data": None}), retry)


def _placed(problem: Problem, prefix: str) -> dict[str, Any]:
    return {"code": problem.code, "message": problem.message, "pointer": prefix + problem.pointer}


def _explained(problems: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Show the first problem, and a list of all when there are more."""
    return {**problems[0], "details": problems} if len(problems) > 1 else problems[0]
