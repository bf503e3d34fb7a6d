"""What a stream takes in its URL: an EventSource can send no header, and some that are none of a browser's say more."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Query
from pydantic.json_schema import SkipJsonSchema

STREAMS = frozenset({"/catalog/changes", "/dashboard/stream"})
"""Paths whose URLs may have a stream token."""
CURSOR_PATTERN = "(0|([1-9][0-9]{0,17})-([0-9a-f]{8}))?"
"""Of the ids of messages, which are cursors of the change feed."""
IN_URL = "token"
"""How it is called there."""


@dataclass(frozen=True, slots=True)
class StreamUrl:
    """What a URL said in the parameters that every stream takes."""

    last_event_ids: Sequence[str | None]
    """As clients call it, the first that is given counts."""


async def stream_url(
    _token: Annotated[
        str | SkipJsonSchema[None],
        Query(alias=IN_URL, description="Of `POST /stream-tokens`: instead of a key, for who can send no header"),
    ] = None,
    id_: Annotated[
        str | SkipJsonSchema[None],
        Query(
            alias="lastEventId",
            description="Like `Last-Event-ID`, which wins, for who can send no header",
            json_schema_extra={"pattern": f"^{CURSOR_PATTERN}$"},
        ),
    ] = None,
    snake_cased: Annotated[str | None, Query(alias="last_event_id", include_in_schema=False)] = None,
    as_header: Annotated[str | None, Query(alias="Last-Event-Id", include_in_schema=False)] = None,
) -> StreamUrl:
    """Read them. Async, for FastAPI calls what is not in a thread, where streams would overtake each other."""
    return StreamUrl((id_, snake_cased, as_header))
