"""`POST /stream-tokens`: a key in a header becomes what may stand in the URL of a stream."""

from fastapi import APIRouter, Request, Response, status
from pydantic import BaseModel, Field

from app.adapters.inbound.answering.answers import Instant, instant
from app.adapters.inbound.http.describing.answers import failure, json_response
from app.application.issue_stream_token import IssueStreamToken

DESCRIPTION = """
For an `EventSource`, which can send no header: with the key in a header ask for a token here, then open
`/catalog/changes?token=...` or `/dashboard/stream?token=...` within its minute. The stream lasts as long as the key is
good. After a break ask for another token, and say `lastEventId`.
"""


class StreamTokenAnswer(BaseModel):
    """What opens a stream, for a minute."""

    token: str = Field(description="For `?token=` of a stream", pattern="^mqs_")
    expires_at: Instant = Field(description="Until when a stream may begin with it")


def stream_tokens_router(issue_stream_token: IssueStreamToken) -> APIRouter:
    """Make the route."""
    router = APIRouter(tags=["users"])

    @router.post(
        "/stream-tokens",
        status_code=status.HTTP_201_CREATED,
        summary="Make a token of a key, for the URL of a stream",
        description=DESCRIPTION,
        response_model=StreamTokenAnswer,
        responses=failure(401, "No key came") | failure(503, "The database is away"),
    )
    async def create_stream_token(request: Request) -> Response:
        token, expires_at = await issue_stream_token(request.scope.get("principal"))
        answer = {"token": token, "expires_at": instant(expires_at)}
        return json_response(answer, status.HTTP_201_CREATED, {"cache-control": "no-store"})

    return router
