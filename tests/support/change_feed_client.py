"""A client of the change feed, written from the route's description alone: it knows nothing of our code."""

import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx

Change = dict[str, Any]


@dataclass
class ChangeFeedClient:
    """Keeps a copy of the catalog. `plans` and `cursor` are its database: both are changed at once."""

    http: httpx.AsyncClient
    plans: dict[str, Any] = field(default_factory=dict)
    cursor: str = ""
    seen: list[str] = field(default_factory=list)
    """The ids of the changes, as they came."""

    async def read_pages(self, *, limit: int, most: int | None = None) -> None:
        """Read until there is no more, or `most` pages."""
        more = True
        while more and most != 0:
            page = await self.page(limit)
            self._take(page["changes"], page["cursor"])
            more = page["has_more"]
            most = None if most is None else most - 1

    async def page(self, limit: int) -> Any:
        answer = await self.http.get("/catalog/changes", params={"after": self.cursor, "limit": limit})
        answer.raise_for_status()
        return answer.json()

    async def listen(self, most: int) -> None:
        """Take up to `most` messages of the stream, then hang up."""
        async for last_event_id, change in self.messages():
            self._take([change], last_event_id)
            most -= 1
            if not most:
                return

    async def messages(self) -> AsyncIterator[tuple[str, Change]]:
        headers = {"accept": "text/event-stream"} | ({"last-event-id": self.cursor} if self.cursor else {})
        async with self.http.stream("GET", "/catalog/changes", headers=headers) as answer:
            answer.raise_for_status()
            assert answer.headers["content-type"].partition(";")[0] == "text/event-stream"
            async for message in _dispatched(answer.aiter_lines()):
                change = json.loads(message["data"])
                assert change["type"] == message["event"]
                yield message["id"], change

    def _take(self, changes: Iterable[Change], cursor: str) -> None:
        for change in changes:
            self.seen.append(change["id"])
            data = change["data"]
            if data["searchable"]:
                self.plans[data["id"]] = data["plan"]
            else:
                self.plans.pop(data["id"], None)
        self.cursor = cursor


async def _dispatched(lines: AsyncIterator[str]) -> AsyncIterator[dict[str, str]]:
    """Read messages as HTML, 9.2.6 has it; only what has data is one."""
    message: dict[str, str] = {}
    async for line in lines:
        if not line:
            if "data" in message:
                yield message
            message = {}
            continue
        name, _, value = line.partition(":")
        if name:  # else it is a comment
            message[name] = value.removeprefix(" ")
