"""ChangeLog in Redis: a stream per provider, whose entry ids say which log they are of and where in it."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from struct import iter_unpack

from app.adapters.outbound.redis.catalog_update import SUMMARIES
from app.adapters.outbound.redis.connection import RedisClient
from app.adapters.outbound.redis.keys import provider_key
from app.adapters.outbound.redis.log_entries import LogEntry, LogLook, behind, look
from app.adapters.outbound.redis.log_heads import LogHeads
from app.adapters.outbound.redis.lua import load_script
from app.adapters.outbound.redis.plan_codec import unpack_searchable
from app.application.ports.catalog import Behind, ChangeLog, LoggedChange, LogPage, LogPosition
from app.domain.plans import PlanId, SearchablePlan

_ENTRIES_PER_READ = 100
_PLANS_PER_SCAN = 1_000
"""Redis stands still for a millisecond."""

_SCAN = load_script("scan_summaries")


class RedisChangeLog(ChangeLog):
    """Waits in blocking reads of at most `block` seconds.

    `blocking` is a client of its own, whose timeout is longer than that: whoever watches keeps one of its connections.
    """

    def __init__(self, client: RedisClient, blocking: RedisClient, *, block: float = 1.0) -> None:
        self._client = client
        self._blocking = blocking
        self._block = block

    async def searchable(self, provider: str) -> AsyncIterator[Sequence[SearchablePlan]]:
        """Scan the summaries, a batch as one answer: redis-py takes as long to read a value as all else takes."""
        cursor = b"0"
        while True:
            cursor, ids, sizes, joined = await self._client.run(
                _SCAN, [provider_key(provider, SUMMARIES)], [cursor, _PLANS_PER_SCAN]
            )
            if ids:
                yield list(_unjoined(provider, ids, sizes, joined))
            if cursor == b"0":
                return

    def heads(self) -> AsyncIterator[Mapping[str, LogPosition | None]]:
        """Watch with a memory of its own."""
        return LogHeads(self._client, self._blocking, self._block)()

    async def read(self, after: Mapping[str, LogPosition]) -> Mapping[str, LogPage[LoggedChange] | Behind]:
        """Look at all of them together, at each at one instant; whole plans stay where they are."""
        seen = await look(self._client, after, ["searchable"], most=_ENTRIES_PER_READ)
        pages = {}
        for name, found in seen.items():
            pages[name] = await self._page(name, after[name], found)
            await asyncio.sleep(0)  # unpacking a page takes a millisecond, and searches wait
        return pages

    async def _page(self, provider: str, after: LogPosition, seen: LogLook) -> LogPage[LoggedChange] | Behind:
        if not seen.leads_on(after):
            return await behind(self._client, provider, after, seen)
        told = [_told(provider, number, entry) for number, entry in enumerate(seen.entries, after.sequence + 1)]
        end = seen.end(after)
        return LogPage(told, end, more=end.sequence != seen.head.sequence)


def _unjoined(provider: str, ids: bytes, sizes: bytes, joined: bytes) -> Iterator[SearchablePlan]:
    """Read what `_SCAN` answered."""
    begin = 0
    for at, (size,) in enumerate(iter_unpack("<I", sizes)):
        end = begin + size
        yield unpack_searchable(provider, PlanId(bytes=ids[at * 16 : at * 16 + 16]), joined[begin:end])
        begin = end


def _told(provider: str, sequence: int, entry: LogEntry) -> LoggedChange:
    logged, summary = entry.logged(provider), entry.fields["searchable"]
    plan = unpack_searchable(provider, logged["plan_id"], summary) if summary else None
    return LoggedChange(**logged, sequence=sequence, searchable=plan)
