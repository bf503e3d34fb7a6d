"""Where the logs of all providers end, watched with one blocking read and a look at some of them each second."""

from collections.abc import AsyncIterator, Iterable, Mapping
from time import monotonic

from app.adapters.outbound.redis.catalog_news import end_of_news, news
from app.adapters.outbound.redis.catalog_update import PROVIDERS
from app.adapters.outbound.redis.connection import RedisClient
from app.adapters.outbound.redis.log_entries import heads_of
from app.application.ports.catalog import LogPosition

LOOKED_AT_TOGETHER = 100
"""Providers whose head is looked at each second without news of them, one after the other: 3 ms of CPU."""


class LogHeads:
    """One watcher's memory: where it has said that logs end, and whom to look at next."""

    def __init__(self, client: RedisClient, blocking: RedisClient, block: float) -> None:
        self._client = client
        self._blocking = blocking
        self._block = block
        self._told: dict[str, LogPosition] = {}
        self._turn: list[str] = []
        """Those who are still to be looked at in this round, in reverse."""
        self._looked_at = 0.0
        self._news = b""

    async def __call__(self) -> AsyncIterator[Mapping[str, LogPosition | None]]:
        """See ChangeLog.heads."""
        self._news = await end_of_news(self._client)
        yield await self._look(await self._names())
        while True:
            names, self._news = await news(self._blocking, self._news, max(1, round(self._block * 1000)))
            if names is None:
                names = {*await self._names(), *self._told}
            if monotonic() >= self._looked_at + self._block:
                names |= await self._whose_turn_it_is()
            yield await self._look(names)

    async def _whose_turn_it_is(self) -> set[str]:
        """Choose those looked at the longest ago, those never seen, and everybody when the server was set back."""
        self._looked_at = monotonic()
        names, end = await self._names(), await end_of_news(self._client)
        if _place(end) < _place(self._news):
            self._news = end
            return {*names, *self._told}
        if not self._turn:
            self._turn = sorted({*names, *self._told}, reverse=True)
        chosen, self._turn = self._turn[-LOOKED_AT_TOGETHER:], self._turn[:-LOOKED_AT_TOGETHER]
        return {*chosen, *(names ^ self._told.keys())}

    async def _look(self, names: Iterable[str]) -> dict[str, LogPosition | None]:
        asked = sorted(names)
        moved: dict[str, LogPosition | None] = {}
        for name, head in zip(asked, await heads_of(self._client, asked), strict=True):
            if head != self._told.get(name):
                moved[name] = head
            if head is None:
                self._told.pop(name, None)
            else:
                self._told[name] = head
        return moved

    async def _names(self) -> set[str]:
        return {name.decode() for name in await self._client.command("SMEMBERS", PROVIDERS)}


def _place(stream_id: bytes) -> tuple[int, int]:
    milliseconds, _, number = stream_id.partition(b"-")
    return int(milliseconds), int(number)
