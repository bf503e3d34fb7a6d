"""`GET /catalog/changes`: the change feed, for apps that keep a copy of the catalog."""

import asyncio
import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

from app.adapters.formats.cloud_events import render_envelope
from app.adapters.inbound.answering.answers import DetailsAnswer
from app.adapters.inbound.http.access.guarded_app import still_admitted
from app.adapters.inbound.http.access.stream_urls import CURSOR_PATTERN, StreamUrl, stream_url
from app.adapters.inbound.http.changes.change_cursors import cursor_of, read_cursor
from app.adapters.inbound.http.changes.change_stream import EVENT_STREAM, PAGE, ChangeStreams
from app.adapters.inbound.http.connection.client_address import Network, caller_of
from app.adapters.inbound.http.describing.accept_header import preference, read_accept
from app.adapters.inbound.http.describing.answers import JSON, Documented, failure, render_json
from app.adapters.inbound.http.search.search_router import EventSummary
from app.application.read_changes import BEGINNING, ChangePage, ReadChanges
from app.domain.domain_events import PLAN_FACTS

DESCRIPTION = """
What became of every plan, from the first one on, in the order in which it became known, for ever.

**To keep a copy of the catalog**: read from the beginning (no `after`). For each change, by `data.id`: while
`data.searchable` is true, keep `data.plan`, which replaces what you had; else remove it. Then keep the cursor, in the
same transaction if you can. Ask again with `after` = your cursor, at once while `has_more`, else after a while. Once
you have read everything, the plans that you keep are those of `GET /search` without bounds, field for field.

- A change may come twice after a failure of yours: it has the same `id` and does no harm.
- A plan that its provider does not sell any more comes once more, with `withdrawn` among `data.changes` and
  `data.in_feed` false. Search goes on to find it, so your copy keeps it; who shows only what is on sale goes by
  `data.in_feed`.
- Ignore `type`s, `changes` and fields that you do not know: there may be more of them one day.
- Cursors are opaque, and good for ever. 400 `unknown_cursor` says that this history lost what you have read (it was
  restored from a backup): drop your copy and begin again without one.

**As server-sent events**: with `Accept: text/event-stream` the same changes come as messages: `id` is the cursor behind
it, `event` the `type`, `data` the change on one line. New changes follow within about a second or two, comments keep
the line alive. After a break, which is no error, go on with `Last-Event-ID` (browsers do it by themselves; it wins over
`after`); after a 429 or a 503 wait for `Retry-After` seconds (a browser's EventSource gives up then: make a new one).
"""


class PlanChangeData(BaseModel):
    """What became of the plan, and how it stands from then on."""

    id: UUID
    provider: str
    changes: list[str] = Field(description="What happened", examples=[["changed"], ["withdrawn"]])
    run_id: str
    in_feed: bool = Field(description="Whether its provider sells it still")
    searchable: bool = Field(description="Whether `GET /search` finds it, and a copy keeps it")
    starts_at: dt.datetime
    ends_at: dt.datetime
    plan: EventSummary = Field(description="What `GET /search` says of it")
    details: DetailsAnswer = Field(description="What `GET /search` has no words for")


class PlanChangeEnvelope(BaseModel):
    """A CloudEvent 1.0."""

    specversion: Literal["1.0"]
    id: str = Field(description="One change has one id for ever")
    source: str
    type: str = Field(examples=sorted({f"marquee.{kind.name}.v1" for kind in PLAN_FACTS.values()}))
    subject: str = Field(description="`plans/` and the plan's id")
    time: dt.datetime = Field(description="When it became known")
    datacontenttype: Literal["application/json"]
    data: PlanChangeData


class ChangesAnswer(BaseModel):
    """A page of the feed."""

    changes: list[PlanChangeEnvelope]
    cursor: str = Field(description="Where to read on: `after` of the next page; keep it")
    has_more: bool = Field(description="Whether there is more already")


CURSOR_SCHEMA: dict[str, Any] = {"pattern": f"^{CURSOR_PATTERN}$"}
RESPONSES: Documented = {
    200: {
        "description": "Changes, in order",
        "content": {EVENT_STREAM: {"schema": {"type": "string", "description": "Server-sent events"}}},
    },
    **failure(400, "A cursor or the limit cannot be"),
    **failure(
        429,
        "Too many requests, or too many streams of yours",
        headers={"Retry-After": {"schema": {"type": "integer"}}},
    ),
    **failure(503, "The history is away, or too many clients stream already"),
}


def changes_router(
    read: ReadChanges, streams: ChangeStreams, source: str, trusted_proxies: Sequence[Network] = ()
) -> APIRouter:
    """Make the route; `source` is the CloudEvents' one, of pages as of streams."""
    router = APIRouter(prefix="/catalog", tags=["catalog"])

    @router.get(
        "/changes",
        summary="Every change of every plan, in order, for apps that keep a copy",
        description=DESCRIPTION,
        response_model=ChangesAnswer,
        responses=RESPONSES,
    )
    async def read_changes(
        request: Request,
        url: Annotated[StreamUrl, Depends(stream_url)],
        after: Annotated[
            str | SkipJsonSchema[None],
            Query(
                description="The cursor behind which to begin; absent: the beginning", json_schema_extra=CURSOR_SCHEMA
            ),
        ] = None,
        limit: Annotated[int, Query(ge=1, le=1000, description="How many at the most; a stream has no limit")] = 200,
        last_event_id: Annotated[
            str | SkipJsonSchema[None],
            Header(alias="Last-Event-ID", description="Like `after`; it wins", json_schema_extra=CURSOR_SCHEMA),
        ] = None,
    ) -> Response:
        # each is read, also when it does not count: what is refused should not depend on another field
        given = [(text, read_cursor(text)) for text in (last_event_id, *url.last_event_ids, after)]
        begin = next((cursor for text, cursor in given if text), BEGINNING)
        if wants_stream(request.headers.get("accept", "")):
            caller = caller_of(request.scope.get("principal"), request.scope, trusted_proxies)
            return await streams.open(begin, caller, still_admitted(request.scope))
        page = await read(begin, limit)
        return Response(await _rendered(page, source), media_type=JSON, headers={"cache-control": "no-store"})

    return router


def wants_stream(accept: str) -> bool:
    """Tell whether a request likes a stream better than a page."""
    ranges = read_accept(accept)
    return preference(ranges, EVENT_STREAM) > preference(ranges, JSON)


async def _rendered(page: ChangePage, source: str) -> bytes:
    """Render a page; other requests go on between."""
    rendered: list[bytes] = []
    for at in range(0, len(page.changes), PAGE):
        rendered += [render_envelope(change.fact, source) for change in page.changes[at : at + PAGE]]
        await asyncio.sleep(0)
    end = render_json(cursor_of(page.end))
    more = b"true" if page.has_more else b"false"
    return b'{"changes":[%b],"cursor":%b,"has_more":%b}' % (b",".join(rendered), end, more)
