"""A response -> a document in a temporary file, decompressed and within the limits."""

import asyncio
import hashlib
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO

import httpx

from app.adapters.outbound.providers.fetching.content_types import media_type
from app.adapters.outbound.providers.fetching.decompression import Body, check_size
from app.adapters.outbound.providers.fetching.fetched_feed import FetchedFeed, FetchLimits, Used
from app.application.ports.providers import FeedMark, FeedWatcher


@dataclass(frozen=True, slots=True)
class Spool:
    """Takes documents of one fetch; `source` names in messages what was asked for."""

    source: str
    limits: FetchLimits
    used: Used
    watcher: FeedWatcher | None

    async def __call__(self, url: httpx.URL, response: httpx.Response) -> FetchedFeed:
        """Take the whole body of what a URL answered.

        Raises:
            FeedError: it is too much, or not what was announced.
            httpx.TransportError, OSError: it did not come, or could not be put away.
        """
        with ExitStack() as unless_handed_on:
            file = unless_handed_on.enter_context(tempfile.TemporaryFile())
            content, received = await self._write(response, file)
            file.seek(0)
            headers = response.headers
            etag, modified = _sendable(headers.get("etag")), _sendable(headers.get("last-modified"))
            kind, charset = media_type(headers.get("content-type"))
            if charset not in {None, "utf-8"}:  # the same bytes may mean something else now
                content = f"{content}-{charset}"
            unless_handed_on.pop_all()
            return FetchedFeed(
                file,
                FeedMark(etag, modified, content),
                received,
                source=self.source,
                url=str(url.copy_with(userinfo=b"")),
                content_type=kind,
                charset=charset,
                link=headers.get("link"),
            )

    async def _write(self, response: httpx.Response, file: IO[bytes]) -> tuple[str, int]:
        length, before = response.headers.get("content-length", ""), self.used.wire_bytes
        announced = int(length) if length.isdecimal() else None
        check_size(before + (announced or 0), self.limits, self.source)
        body = Body(response.headers.get("content-encoding", ""), self.limits, self.source, used=self.used)
        content = hashlib.sha256()
        async for piece in response.aiter_raw():
            for part in body.decode(piece):
                content.update(part)
                file.write(part)
                if body.turn_is_over():
                    await asyncio.sleep(0)
            if self.watcher:
                self.watcher.fetched(self.used.wire_bytes, None if announced is None else before + announced)
        body.finish()
        return content.hexdigest(), body.received


def _sendable(validator: str | None) -> str | None:
    """Keep a validator that can be sent back as it came; one with other characters than ASCII is done without."""
    return validator if validator and validator.isascii() else None
